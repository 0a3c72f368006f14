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

#[test]
fn an_iterator_keeps_what_it_can_do() {
    let (job, _stream) = progress::<u8>(None);
    let mut items = job.wrap_iter(0..4);
    assert_eq!((items.next_back(), items.next()), (Some(3), Some(0)));
    assert_eq!((items.len(), job.position()), (2, 2));
    fn is_fused(_: impl std::iter::FusedIterator) {}
    is_fused(items);
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

#[test]
fn a_reader_with_a_buffer_counts_what_is_taken_out_of_it() {
    use std::io::{BufRead as _, Read as _};

    let (job, _stream) = progress::<u8>(None);
    let mut reader = job.wrap_read(io::BufReader::new(&b"one\ntwelve bytes"[..]));
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(
        (&*line, job.position()),
        ("one\n", 4),
        "and not what was read ahead"
    );
    let mut rest = [0; 3];
    reader.read_exact(&mut rest).unwrap();
    assert_eq!((&rest, job.position()), (b"twe", 7));
    let (mut first, mut second) = ([0; 4], [0; 5]);
    let buffers = &mut [&mut first[..], &mut second[..]].map(io::IoSliceMut::new);
    assert_eq!(reader.read_vectored(buffers).unwrap(), 9);
    assert_eq!((&first, &second, job.position()), (b"lve ", b"bytes", 16));
}

#[test]
fn a_reader_that_seeks_is_where_it_went() {
    use std::io::Seek as _;

    let (job, _stream) = progress::<u8>(None);
    let mut reader = job.wrap_read(io::Cursor::new(b"twelve bytes"));
    reader.seek(io::SeekFrom::Start(7)).unwrap();
    assert_eq!(job.position(), 7);
    io::copy(&mut reader, &mut io::sink()).unwrap();
    assert_eq!(job.position(), 12);
    job.set_position(99);
    assert_eq!(
        (reader.stream_position().unwrap(), job.position()),
        (12, 99)
    );
    reader.rewind().unwrap();
    assert_eq!(job.position(), 0);
}

#[tokio::test]
async fn so_do_readers_of_tokio() {
    use tokio::io::{AsyncBufReadExt as _, AsyncSeek as _, AsyncSeekExt as _};

    let (job, _stream) = progress::<u8>(None);
    let buffered = tokio::io::BufReader::new(io::Cursor::new(b"one\ntwelve bytes"));
    let mut reader = job.wrap_read(buffered);
    let mut line = String::new();
    reader.read_line(&mut line).await.unwrap();
    assert_eq!(
        (&*line, job.position()),
        ("one\n", 4),
        "and not what was read ahead"
    );
    // It asks where the reader without its buffer is.
    poll_fn(|cx| Pin::new(&mut reader).poll_complete(cx))
        .await
        .unwrap();
    assert_eq!(job.position(), 4);
    reader.seek(io::SeekFrom::Start(11)).await.unwrap();
    assert_eq!(job.position(), 11);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).await.unwrap();
    assert_eq!((&*rest, job.position()), ("bytes", 16));
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
