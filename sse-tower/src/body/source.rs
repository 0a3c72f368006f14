//! A stream of any type of event becomes bytes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;
use sse_core::{Block, BoxError, IntoItem, SseEvent};

use super::batch::MaybeBatch;
use crate::life::CloseReason;

/// Events behind one virtual call per batch, not per event.
pub(crate) trait Source: Send {
    /// Adds events to `batch` until the stream is pending or the batch is full.
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled>;
}

pub(crate) type BoxSource = Pin<Box<dyn Source>>;

/// Why a source stopped filling, other than waiting.
pub(crate) enum Filled {
    /// The batch is full.
    More,
    /// Nothing was added, but this comes next. It was taken for a client for which so many
    /// events waited.
    Block(Block, Option<u64>),
    /// There are no more events.
    Over(CloseReason),
    /// The stream failed, or an event could not be encoded.
    Failed(BoxError),
}

impl Filled {
    /// Puts a block into the batch, like anything else, and returns how the source is over, if
    /// it is.
    pub(crate) fn settle(self, batch: &mut MaybeBatch) -> Option<Result<CloseReason, BoxError>> {
        match self {
            Self::More => None,
            Self::Block(block, waited) => {
                let into = batch.get_or_insert_default();
                into.waited = waited;
                into.add_block(block, false)?.settle(batch)
            }
            Self::Over(reason) => Some(Ok(reason)),
            Self::Failed(error) => Some(Err(error)),
        }
    }
}

pin_project! {
    /// Any stream whose items are events.
    pub(crate) struct EventSource<S> {
        #[pin]
        stream: S,
    }
}

impl<S> EventSource<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream }
    }
}

impl<S> Source for EventSource<S>
where
    S: Stream<Item: IntoItem> + Send,
{
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let mut this = self.project();
        loop {
            let Some(item) = ready!(this.stream.as_mut().poll_next(cx)) else {
                return Poll::Ready(Filled::Over(CloseReason::Ended));
            };
            let filled = match item.into_item() {
                Ok(event) => batch.get_or_insert_default().add(&event),
                Err(error) => Some(Filled::Failed(error)),
            };
            if let Some(filled) = filled {
                return Poll::Ready(filled);
            }
        }
    }
}

pin_project! {
    /// A stream whose first error is the last event.
    pub(crate) struct ErrorAsEvent<S, F> {
        #[pin]
        stream: S,
        to_event: F,
    }
}

impl<S, F> ErrorAsEvent<S, F> {
    pub(crate) fn new(stream: S, to_event: F) -> Self {
        Self { stream, to_event }
    }
}

impl<S, F, E, X> Source for ErrorAsEvent<S, F>
where
    S: Stream<Item = Result<E, X>> + Send,
    F: FnMut(X) -> E + Send,
    E: SseEvent,
{
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let mut this = self.project();
        loop {
            let filled = match ready!(this.stream.as_mut().poll_next(cx)) {
                Some(Ok(event)) => batch.get_or_insert_default().add(&event),
                Some(Err(error)) => {
                    match batch.get_or_insert_default().add(&(this.to_event)(error)) {
                        Some(Filled::Failed(error)) => Some(Filled::Failed(error)),
                        _ => Some(Filled::Over(CloseReason::Error)),
                    }
                }
                None => Some(Filled::Over(CloseReason::Ended)),
            };
            if let Some(filled) = filled {
                return Poll::Ready(filled);
            }
        }
    }
}

pin_project! {
    /// Events, and then those of another source.
    pub(crate) struct Chain<A, B> {
        #[pin]
        first: Option<A>,
        #[pin]
        second: B,
    }
}

impl<A, B> Chain<A, B> {
    pub(crate) fn new(first: A, second: B) -> Self {
        let first = Some(first);
        Self { first, second }
    }
}

impl<A: Source, B: Source> Source for Chain<A, B> {
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let mut this = self.project();
        if let Some(first) = this.first.as_mut().as_pin_mut() {
            let filled = ready!(first.poll_fill(cx, batch));
            let Filled::Over(CloseReason::Ended) = filled else {
                return Poll::Ready(filled);
            };
            this.first.set(None);
            // What the first has written goes out before a block of the second.
            if batch.as_ref().is_some_and(|batch| !batch.is_empty()) {
                return Poll::Ready(Filled::More);
            }
        }
        this.second.poll_fill(cx, batch)
    }
}

pin_project! {
    /// Events, and one more in place of an error.
    pub(crate) struct FailWith<F> {
        events: BoxSource,
        to_event: F,
    }
}

impl<F> FailWith<F> {
    pub(crate) fn new(events: BoxSource, to_event: F) -> Self {
        Self { events, to_event }
    }
}

impl<F, E> Source for FailWith<F>
where
    F: FnMut(BoxError) -> E + Send,
    E: SseEvent,
{
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let this = self.project();
        let filled = ready!(this.events.as_mut().poll_fill(cx, batch));
        let Filled::Failed(error) = filled else {
            return Poll::Ready(filled);
        };
        let event = (this.to_event)(error);
        Poll::Ready(match batch.get_or_insert_default().add(&event) {
            Some(failed @ Filled::Failed(_)) => failed,
            _ => Filled::Over(CloseReason::Error),
        })
    }
}

pin_project! {
    /// Events, and one more if they end without a terminal one.
    pub(crate) struct FinishWith<E> {
        events: BoxSource,
        last: E,
    }
}

impl<E> FinishWith<E> {
    pub(crate) fn new(events: BoxSource, last: E) -> Self {
        Self { events, last }
    }
}

impl<E: SseEvent + Send> Source for FinishWith<E> {
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let this = self.project();
        let filled = ready!(this.events.as_mut().poll_fill(cx, batch));
        let Filled::Over(CloseReason::Ended) = filled else {
            return Poll::Ready(filled);
        };
        Poll::Ready(match batch.get_or_insert_default().add(this.last) {
            Some(over @ (Filled::Over(_) | Filled::Failed(_))) => over,
            _ => Filled::Over(CloseReason::Ended),
        })
    }
}
