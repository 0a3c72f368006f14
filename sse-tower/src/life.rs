//! One stream from its response to its end, and what is told about it.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use bytes::Bytes;
use sse_core::{Block, BoxError, EventId};
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;
use tracing::span::Id;

use crate::ids::AssignedId;
use crate::observe::Observe;
use crate::registry::{Layers, Membership};
use crate::retry::Load;
use crate::signal::{Ask, Signal};
use crate::topic::Lagged;

/// How a stream ended.
///
/// [`Sse::on_close`](crate::Sse::on_close) and [`Observe`](crate::Observe) are told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// Why it is over.
    pub reason: CloseReason,
    /// How many events were handed to the server: with keep-alives that are events, without
    /// comments and the end marker.
    pub events: u64,
    /// How many bytes were handed to the server, with keep-alives.
    pub bytes: u64,
    /// The last id that was sent.
    pub last_id: Option<EventId>,
    /// How long the response lived.
    pub age: Duration,
}

/// Why a stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// A terminal event was sent.
    Done,
    /// The stream had no more events.
    Ended,
    /// The client left, or the response was dropped by something else around it.
    ClientGone,
    /// The layer ended it: [`Shutdown::begin`](crate::Shutdown::begin) or
    /// [`SseLayer::end_streams`](crate::SseLayer::end_streams). Or its topic was left, and may go
    /// on elsewhere.
    Shutdown,
    /// It reached the [maximum age](crate::SseLayer::max_age) of its layer.
    MaxAge,
    /// It was open until [`Sse::end_at`](crate::Sse::end_at).
    Expired,
    /// Its client fell behind what its [topic](crate::Topic) or its
    /// [run](crate::ResumeLayer) keeps.
    Lagged,
    /// The stream failed or panicked, or an event could not be encoded.
    Error,
}

impl CloseReason {
    /// Why a stream is over that fails like this.
    pub(crate) fn of_failure(error: &BoxError) -> Self {
        if error.is::<Lagged>() {
            Self::Lagged
        } else {
            Self::Error
        }
    }

    /// A short name for logs and the labels of metrics, such as `client_gone`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ended => "ended",
            Self::ClientGone => "client_gone",
            Self::Shutdown => "shutdown",
            Self::MaxAge => "max_age",
            Self::Expired => "expired",
            Self::Lagged => "lagged",
            Self::Error => "error",
        }
    }
}

pub(crate) type OnClose = Box<dyn FnOnce(Closed) + Send>;

/// The record of one stream, held by its body: dropping it is the one truth about the end.
pub(crate) struct Life {
    /// `None` until the body is polled for the first time.
    opened: Option<Instant>,
    signal: Arc<Signal>,
    /// What only a watched stream keeps; `None` for most.
    watched: Option<Box<Watched>>,
    /// How it ended, if that is known already.
    reason: Option<CloseReason>,
    polling: bool,
    /// The events are not counted, as nobody is told of them.
    uncounted: bool,
    events: u64,
    bytes: u64,
    layers: Layers,
    /// Whether one of them has observers: most have none, and are not looked at for a frame.
    observed: bool,
}

/// Who is told of the stream, and what only they need.
#[derive(Default)]
struct Watched {
    /// `None` if nobody looks at it.
    span: Option<Span>,
    on_close: Option<OnClose>,
    last_id: LastId,
}

/// The last id that was sent.
#[derive(Default)]
enum LastId {
    #[default]
    None,
    Copied(String),
    /// It was ours.
    Assigned(AssignedId),
    /// That of a block, which all its readers share.
    Shared(EventId),
}

impl Life {
    /// Those around the stream reach it through `signal`.
    pub(crate) fn new(signal: Arc<Signal>, on_close: Option<OnClose>) -> Self {
        let span = tracing::debug_span!(
            "event_stream",
            reason = Empty,
            events = Empty,
            bytes = Empty
        );
        let span = Some(span).filter(|span| !span.is_disabled());
        let watched = (span.is_some() || on_close.is_some()).then(|| {
            Box::new(Watched {
                span,
                on_close,
                ..Watched::default()
            })
        });
        Self {
            opened: None,
            signal,
            watched,
            reason: None,
            polling: false,
            uncounted: false,
            events: 0,
            bytes: 0,
            layers: Layers::default(),
            observed: false,
        }
    }

    /// Who is told of the end.
    pub(crate) fn tell(&mut self, on_close: Option<OnClose>) {
        if on_close.is_some() {
            self.watched.get_or_insert_default().on_close = on_close;
        }
    }

    /// The body is polled for the first time; `layers` are those around it.
    pub(crate) fn begin(&mut self, layers: Layers) {
        self.opened = Some(Instant::now());
        tracing::debug!(parent: self.span_id(), "event stream opened");
        self.layers = layers;
        for observer in self.observers() {
            contained(|| observer.opened());
        }
        let observed = self.observers().next().is_some();
        self.observed = observed;
        if observed {
            self.watched.get_or_insert_default();
        }
    }

    /// Whether somebody is told how many events there were.
    pub(crate) fn is_watched(&self) -> bool {
        self.watched.is_some() || tracing::event_enabled!(tracing::Level::DEBUG)
    }

    /// The events of this stream are not counted, as nobody is told of them.
    pub(crate) fn leave_uncounted(&mut self) {
        self.uncounted = true;
    }

    /// A poll begins: until it ends, the stream itself is at fault when the body is dropped.
    pub(crate) fn poll_begins(&mut self) {
        self.polling = true;
    }

    /// To poll [`within`].
    #[inline]
    pub(crate) fn span(&self) -> Option<Span> {
        self.watched.as_deref()?.span.clone()
    }

    pub(crate) fn poll_ends(&mut self) {
        self.polling = false;
    }

    /// A frame goes out.
    #[inline]
    pub(crate) fn sent(&mut self, events: u64, bytes: usize) {
        let bytes = bytes as u64;
        self.events += events;
        self.bytes += bytes;
        if self.observed {
            self.observers()
                .for_each(|observer| observer.sent(events, bytes));
        }
    }

    /// A block goes out as a frame of its own. If it was taken from a topic, so many of its
    /// events waited for the client.
    pub(crate) fn sent_block(&mut self, block: Block, waited: Option<u64>) -> Bytes {
        if let Some(events) = waited {
            self.waited(events);
        }
        self.sent(block.events().into(), block.bytes().len());
        let (bytes, id) = block.into_parts();
        if let Some(id) = id
            && let Some(watched) = &mut self.watched
        {
            watched.last_id = LastId::Shared(id);
        }
        bytes
    }

    /// How many events of a topic waited for the client, those of this frame included.
    pub(crate) fn waited(&mut self, events: u64) {
        if self.observed {
            self.observers()
                .for_each(|observer| observer.waited(events));
        }
    }

    fn observers(&self) -> impl Iterator<Item = &dyn Observe> {
        self.layers.iter().flat_map(Membership::observers)
    }

    /// The last id of a frame.
    pub(crate) fn sent_id(&mut self, id: &str) {
        let Some(watched) = &mut self.watched else {
            return;
        };
        if let LastId::Copied(last) = &mut watched.last_id {
            last.clear();
            last.push_str(id);
        } else {
            watched.last_id = LastId::Copied(id.to_owned());
        }
    }

    /// The last id of a frame, if we gave it.
    pub(crate) fn sent_assigned(&mut self, id: AssignedId) {
        if let Some(watched) = &mut self.watched {
            watched.last_id = LastId::Assigned(id);
        }
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    pub(crate) fn ended(&mut self, reason: CloseReason) {
        self.reason = Some(reason);
    }

    /// What the layers want of the stream.
    #[inline]
    pub(crate) fn asked(&self) -> Ask {
        self.signal.asked()
    }

    /// The load of the outermost layer, which sees the most streams.
    pub(crate) fn load(&self) -> Load {
        let outermost = self.layers.iter().last();
        outermost.map_or_else(Load::default, Membership::load)
    }

    /// Wakes `cx` when a layer asks or the clock rings; ask both once more after this, lest
    /// something was missed.
    pub(crate) fn watch(&self, cx: &Context<'_>) {
        self.signal.watch(cx);
    }

    pub(crate) fn signal(&self) -> &Arc<Signal> {
        &self.signal
    }

    fn span_id(&self) -> Option<Id> {
        self.watched.as_deref()?.span.as_ref()?.id()
    }

    fn close(&mut self) -> Closed {
        let left = if self.polling {
            CloseReason::Error
        } else {
            CloseReason::ClientGone
        };
        let last_id = self
            .watched
            .as_mut()
            .map(|watched| mem::take(&mut watched.last_id));
        let last_id = match last_id.unwrap_or_default() {
            LastId::None => None,
            LastId::Copied(id) => EventId::new(id).ok(),
            LastId::Assigned(id) => Some(id.into()),
            LastId::Shared(id) => Some(id),
        };
        Closed {
            reason: self.reason.unwrap_or(left),
            events: self.events,
            bytes: self.bytes,
            last_id: last_id.filter(|id| !id.as_str().is_empty()),
            age: self
                .opened
                .map_or(Duration::ZERO, |opened| opened.elapsed()),
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let closed = self.close();
        if self.opened.is_some() {
            if let Some(span) = self
                .watched
                .as_deref()
                .and_then(|watched| watched.span.as_ref())
            {
                span.record("reason", closed.reason.as_str());
                span.record("events", closed.events);
                span.record("bytes", closed.bytes);
            }
            tracing::debug!(
                parent: self.span_id(),
                reason = closed.reason.as_str(),
                // Somebody may have begun to listen only now.
                events = (!self.uncounted).then_some(closed.events),
                bytes = closed.bytes,
                age_ms = u64::try_from(closed.age.as_millis()).unwrap_or(u64::MAX),
                "event stream closed"
            );
        }
        while let Some(layer) = self.layers.pop_innermost() {
            layer
                .observers()
                .for_each(|observer| contained(|| observer.closed(&closed)));
        }
        if let Some(on_close) = self
            .watched
            .as_mut()
            .and_then(|watched| watched.on_close.take())
        {
            contained(|| on_close(closed));
        }
    }
}

/// Polls in the span of a stream. Most have none: to enter one that nobody looks at would be a
/// fifth of a poll.
pub(crate) fn within<T>(span: Option<Span>, poll: impl FnOnce() -> T) -> T {
    match span {
        None => poll(),
        Some(span) => span.in_scope(poll),
    }
}

/// Calls what belongs to the user. Its panic ends here: the others are told nevertheless, and
/// if the stream has panicked itself, a second panic would abort the process.
pub(crate) fn contained(call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::error!("an observer of an event stream panicked");
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life")
            .field("reason", &self.reason)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
