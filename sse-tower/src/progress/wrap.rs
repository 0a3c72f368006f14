//! `Counted`: what a task reads or iterates over counts by itself.

mod read;

use std::iter::FusedIterator;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use pin_project_lite::pin_project;

use super::handle::Handle;
use super::reporter::UnfinishedTask;

pin_project! {
    /// Counts what comes out of it: items of an iterator or a stream, bytes of a reader.
    ///
    /// It is an iterator, a stream or a reader if what was wrapped is one, with a buffer and a
    /// place to seek if that has them, of the standard library and of tokio. Seeking sets the
    /// [position](super::ProgressReporter::set_position) to that of the reader, so give a reader
    /// that seeks its own sub-task.
    ///
    /// Made by [`wrap_iter`](super::ProgressReporter::wrap_iter) and its kin. It does not keep the
    /// job alive: what is read after the end is not counted. It does keep a sub-task alive, like a
    /// clone of [`ProgressTask`](super::ProgressTask). Reading to the end does not finish the task:
    /// keep a clone and call `finish`.
    #[derive(Debug)]
    #[must_use = "it counts what is read through it"]
    pub struct Counted<I> {
        #[pin]
        inner: I,
        task: Handle,
        unfinished: Option<Arc<UnfinishedTask>>,
        // `start_seek` was called, and the position has not arrived.
        seeking: bool,
    }
}

impl<I> Counted<I> {
    pub(super) fn new(inner: I, task: Handle, unfinished: Option<Arc<UnfinishedTask>>) -> Self {
        Self {
            inner,
            task,
            unfinished,
            seeking: false,
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

impl<I: DoubleEndedIterator> DoubleEndedIterator for Counted<I> {
    fn next_back(&mut self) -> Option<I::Item> {
        let item = self.inner.next_back()?;
        self.task.inc(1);
        Some(item)
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Counted<I> {}

impl<I: FusedIterator> FusedIterator for Counted<I> {}

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

impl<S: FusedStream> FusedStream for Counted<S> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}
