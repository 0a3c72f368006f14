//! `Counted`: what a task reads or iterates over counts by itself.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, ReadBuf};

use super::handle::Handle;
use super::reporter::UnfinishedTask;

pin_project! {
    /// Counts what comes out of it: items of an iterator or a stream, bytes of a reader.
    ///
    /// Made by [`wrap_iter`](super::ProgressReporter::wrap_iter) and its kin. It does not keep the
    /// job alive: what is read after the end is not counted. A sub-task it does, as a clone of
    /// [`ProgressTask`](super::ProgressTask) would; what is read to its end is not yet finished,
    /// so keep a clone to say so.
    #[derive(Debug)]
    #[must_use = "it counts what is read through it"]
    pub struct Counted<I> {
        #[pin]
        inner: I,
        task: Handle,
        unfinished: Option<Arc<UnfinishedTask>>,
    }
}

impl<I> Counted<I> {
    pub(super) fn new(inner: I, task: Handle, unfinished: Option<Arc<UnfinishedTask>>) -> Self {
        Self {
            inner,
            task,
            unfinished,
        }
    }

    /// What was wrapped.
    pub fn into_inner(self) -> I {
        self.inner
    }
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let item = self.inner.next()?;
        self.task.inc(1);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Counted<I> {}

impl<S: Stream> Stream for Counted<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        let item = ready!(this.inner.poll_next(cx));
        if item.is_some() {
            this.task.inc(1);
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<R: io::Read> io::Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.task.inc(read as u64);
        Ok(read)
    }
}

impl<R: AsyncRead> AsyncRead for Counted<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        ready!(this.inner.poll_read(cx, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        this.task.inc(read as u64);
        Poll::Ready(Ok(()))
    }
}
