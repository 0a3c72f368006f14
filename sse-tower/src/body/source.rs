//! A stream of any type of event becomes bytes.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use pin_project_lite::pin_project;
use sse_core::{Block, BoxError, EventBuffer, IntoItem, SseEvent};

use crate::ids::IdAssigner;

/// Events behind one virtual call per batch, not per event.
pub(crate) trait Source: Send {
    /// Adds events to `batch` until the stream is pending or the batch is full.
    fn poll_fill(self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<Filled>;
}

pub(crate) type BoxSource = Pin<Box<dyn Source>>;

/// Why a source stopped filling, other than waiting.
pub(crate) enum Filled {
    /// The batch is full.
    More,
    /// There are no more events.
    Ended,
    /// The last event was a terminal one.
    Terminal,
    /// The stream failed, or an event could not be encoded.
    Failed(BoxError),
}

/// The events of one frame.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) buffer: EventBuffer,
    /// Follows what was written; it is a frame of its own, so that its bytes are not copied.
    block: Option<Block>,
    pub(crate) ids: IdAssigner,
    /// Events that went on the wire since the stream began.
    total: u64,
    /// Events since the last frame, with those that left no bytes.
    events: usize,
    most_events: usize,
    /// The size of the last frame, which the next one is likely to have.
    last_frame: usize,
    /// The largest frame since the stream was quiet: as much may still be held.
    largest_frame: usize,
    warned: bool,
}

/// Ready events go out in one frame of at least this size; more would only add latency.
const FULL: usize = 8 * 1024;

/// A buffer of this size stays with a quiet stream, so that its next event needs no new one.
const SMALL: usize = 1024;

/// A stream whose events leave no bytes must let others run too.
const MOST_EVENTS: usize = 1024;

impl Batch {
    pub(crate) fn new(ids: IdAssigner) -> Self {
        Self {
            buffer: EventBuffer::new(),
            block: None,
            ids,
            total: 0,
            events: 0,
            most_events: MOST_EVENTS,
            last_frame: 0,
            largest_frame: 0,
            warned: false,
        }
    }

    /// One event at a time.
    pub(crate) fn single() -> Self {
        Self {
            most_events: 1,
            ..Self::new(IdAssigner::default())
        }
    }

    /// The next frame and its number of events.
    pub(crate) fn take_frame(&mut self) -> Option<(Bytes, u64)> {
        if self.buffer.is_empty() {
            let block = self.take_block()?;
            return Some((block.bytes().clone(), block.events().into()));
        }
        self.events = 0;
        self.last_frame = self.buffer.len();
        self.largest_frame = self.largest_frame.max(self.last_frame);
        let events = self.buffer.events();
        Some((self.buffer.take(), events.into()))
    }

    /// The bytes of the next frame as a block.
    pub(crate) fn take_block(&mut self) -> Option<Block> {
        self.events = 0;
        if self.buffer.is_empty() {
            return self.block.take();
        }
        Some(self.buffer.take_block())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.block.is_none()
    }

    /// Nothing is to be sent for now: gives a large buffer back.
    pub(crate) fn rest(&mut self) {
        if self.largest_frame > SMALL {
            self.last_frame = 0;
            self.largest_frame = 0;
            self.buffer = EventBuffer::new();
        }
    }

    /// Ends the stream for clients that would come back, behind everything else.
    pub(crate) fn end_stream(&mut self) {
        if let Some(block) = self.block.take() {
            self.buffer
                .write(&block)
                .expect("a block is encoded already");
        }
        self.buffer.end_stream();
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Adds one event; `None` if there is room for more.
    fn add(&mut self, event: &impl SseEvent) -> Option<Filled> {
        self.events += 1;
        if let Some(block) = event.block() {
            return self.add_block(block, event.is_terminal());
        }
        if self.buffer.is_empty() {
            self.buffer.reserve(self.last_frame.min(2 * FULL));
        }
        if self.total == 0 && event.declares_id() {
            self.ids.type_has_id();
        }
        let Self { buffer, ids, .. } = self;
        let written = match buffer.write_or_id(event, || ids.next()) {
            Ok(written) => written,
            Err(error) => return Some(Filled::Failed(error.into())),
        };
        self.total += u64::from(written.field);
        if written.id {
            self.ids.stop();
        }
        if written.odd_id && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                event = event.event_name(),
                "an event id is not visible ASCII of at most 512 bytes: some clients never reconnect after it"
            );
        }
        if event.is_terminal() {
            return Some(Filled::Terminal);
        }
        let full = self.buffer.len() >= FULL || self.events >= self.most_events;
        full.then_some(Filled::More)
    }

    fn add_block(&mut self, block: Block, terminal: bool) -> Option<Filled> {
        self.total += u64::from(block.events());
        if block.last_id().is_some() {
            self.ids.stop();
        }
        let terminal = terminal || block.is_terminal();
        // An empty one is no frame: it would count as activity on a silent stream.
        let empty = block.bytes().is_empty();
        self.block = (!empty).then_some(block);
        if terminal {
            return Some(Filled::Terminal);
        }
        (!empty || self.events >= self.most_events).then_some(Filled::More)
    }
}

pin_project! {
    /// Any stream whose items are events.
    pub(crate) struct EventSource<S, E> {
        #[pin]
        stream: S,
        event: PhantomData<fn() -> E>,
    }
}

impl<S, E> EventSource<S, E> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            event: PhantomData,
        }
    }
}

impl<S, E> Source for EventSource<S, E>
where
    S: Stream<Item: IntoItem<Event = E>> + Send,
    E: SseEvent,
{
    fn poll_fill(self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<Filled> {
        let mut this = self.project();
        loop {
            let item = match std::task::ready!(this.stream.as_mut().poll_next(cx)) {
                Some(item) => item.into_item(),
                None => return Poll::Ready(Filled::Ended),
            };
            let filled = match item {
                Ok(event) => batch.add(&event),
                Err(error) => Some(Filled::Failed(error)),
            };
            if let Some(filled) = filled {
                return Poll::Ready(filled);
            }
        }
    }
}
