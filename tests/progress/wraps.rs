//! What counts by itself.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Stream as _, StreamExt as _, stream};
use sse_tower::{TaskState, progress};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

use super::*;

#[test]
fn an_iterator_counts_its_items() {
    let (job, _stream) = progress::<u8>(None);
    let mut items = job.wrap_iter(["a", "b", "c"]);
    assert_eq!((items.len(), job.position()), (3, 0));
    assert_eq!(items.next(), Some("a"));
    assert_eq!((items.len(), job.position()), (2, 1));
    assert_eq!(items.by_ref().count(), 2);
    assert_eq!((items.next(), job.position()), (None, 3));
}

#[tokio::test]
async fn a_stream_counts_its_items() {
    let (job, _stream) = progress::<u8>(None);
    let task = job.part("items", 3);
    let mut items = task.wrap_stream(stream::iter(1..=3));
    assert_eq!(items.size_hint(), (3, Some(3)));
    assert_eq!((items.next().await, job.position()), (Some(1), 1));
    assert_eq!(items.by_ref().count().await, 2);
    assert_eq!((items.next().await, job.position()), (None, 3));
}

#[tokio::test]
async fn a_reader_counts_its_bytes() {
    let (job, _stream) = progress::<u8>(None);
    let mut text = Vec::new();
    let mut reader = job.wrap_read(Broken(b"twelve bytes"));
    let mut buffer = [0; 5];
    let mut buffer = ReadBuf::new(&mut buffer);
    buffer.put_slice(b"--");
    let read = poll_fn(|cx| Pin::new(&mut reader).poll_read(cx, &mut buffer));
    read.await.unwrap();
    assert_eq!(buffer.filled(), b"--twe");
    assert_eq!(job.position(), 3, "and not what was in the buffer before");
    assert!(reader.read_to_end(&mut text).await.is_err());
    assert_eq!((text.len(), job.position()), (9, 12));
    assert!(reader.into_inner().0.is_empty());
}

#[test]
fn a_reader_of_the_standard_library_does_too() {
    let (job, _stream) = progress::<u8>(None);
    let mut text = String::new();
    let mut reader = job.wrap_read(&b"twelve bytes"[..]);
    io::Read::read_to_string(&mut reader, &mut text).unwrap();
    assert_eq!((text.as_str(), job.position()), ("twelve bytes", 12));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrapped_does_not_keep_the_job_alive() {
    let (job, mut stream) = progress::<u8>(None);
    let mut items = job.wrap_iter(0..3);
    drop(job);
    now(&mut stream);
    assert!(matches!(now(&mut stream), Progress::Failed { .. }));
    assert_eq!(items.next(), Some(0), "and goes on all the same");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrapped_keeps_its_task_alive() {
    let (job, mut stream) = progress::<u8>(None);
    let mut items = job.part("a", 3).wrap_iter(0..3);
    now(&mut stream);
    let state = |event| match event {
        Progress::Task {
            state, position, ..
        } => (state, position),
        event => panic!("{event:?} is not of a task"),
    };
    assert_eq!(state(now(&mut stream)), (TaskState::Running, 0));
    items.next();
    pass(100).await;
    assert_eq!(position(now(&mut stream)), 1);
    assert_eq!(state(now(&mut stream)), (TaskState::Running, 1));
    drop(items);
    pass(100).await;
    assert_eq!(state(now(&mut stream)), (TaskState::Failed, 1));
}

/// A reader that fails after its bytes.
struct Broken<'a>(&'a [u8]);

impl AsyncRead for Broken<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Ready(Err(io::Error::other("cut")));
        }
        let (now, rest) = self.0.split_at(self.0.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}
