//! What is written around the events of a stream, and who decides it.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sse_core::{Event, EventBuffer, EventId, RetryDelay};

use crate::context::RequestContext;

/// The settings of one stream; what is `None` may still be filled in from further out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// `Some(None)` is a decision too: no keep-alive.
    pub(crate) keep_alive: Option<Option<KeepAlive>>,
    pub(crate) retry: Option<Retry>,
    pub(crate) ids: Option<Ids>,
    pub(crate) end_marker: Option<bool>,
}

impl Settings {
    /// Takes from `outer` what is still open here.
    pub(crate) fn fill(&mut self, outer: &Self) {
        fn take<T: Clone>(mine: &mut Option<T>, outer: &Option<T>) {
            if mine.is_none() {
                mine.clone_from(outer);
            }
        }
        take(&mut self.keep_alive, &outer.keep_alive);
        take(&mut self.retry, &outer.retry);
        take(&mut self.ids, &outer.ids);
        take(&mut self.end_marker, &outer.end_marker);
    }

    /// The keep-alive in force: 15 s unless somebody decided otherwise.
    pub(crate) fn keep_alive(&self) -> Option<KeepAlive> {
        self.keep_alive
            .clone()
            .unwrap_or_else(|| Some(KeepAlive::default()))
    }
}

/// What is sent while a stream is silent, so that proxies do not cut it.
///
/// The default is the comment line `:⏎` after 15 s of silence: proxies and load balancers
/// give up after 50 s or more. The time varies by ±10 % from one to the next, so that streams
/// opened together do not stay in step.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_tower::{KeepAlive, SseLayer};
///
/// let layer = SseLayer::new().keep_alive(KeepAlive::every(Duration::from_secs(20)).comment("ping"));
/// ```
#[derive(Clone, Debug)]
pub struct KeepAlive {
    interval: Duration,
    bytes: Bytes,
}

impl KeepAlive {
    /// A comment after `interval` of silence; clamped to 1 ms ..= 1 day.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            interval: interval.clamp(Duration::from_millis(1), DAY),
            // One line and no empty one: some clients report an empty line as a message.
            bytes: Bytes::from_static(b":\n"),
        }
    }

    /// Sends `text` in the comment.
    #[must_use]
    pub fn comment(mut self, text: &str) -> Self {
        let mut buffer = EventBuffer::new();
        let comment = Event::new().comment(text.to_owned());
        buffer.write(&comment).expect("a comment may hold any text");
        self.bytes = buffer.take();
        self
    }

    pub(crate) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The next interval, ±10 %.
    pub(crate) fn interval(&self) -> Duration {
        self.interval.mul_f64(0.9 + 0.2 * fastrand::f64())
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::every(Duration::from_secs(15))
    }
}

/// How long clients are asked to wait before they reconnect.
///
/// It is the first line of a stream. Always within 1..=2147483647 ms, which all clients
/// understand.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_tower::{Retry, SseLayer};
///
/// // A range spreads the clients of a restarted server.
/// let spread = Retry::between(Duration::from_secs(2), Duration::from_secs(8));
/// let layer = SseLayer::new().retry(spread);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry(RangeInclusive<u64>);

impl Retry {
    /// The same delay for every connection.
    #[must_use]
    pub fn fixed(delay: Duration) -> Self {
        Self::between(delay, delay)
    }

    /// A delay drawn for each connection; the order of the bounds does not matter.
    #[must_use]
    pub fn between(one: Duration, other: Duration) -> Self {
        let (one, other) = (RetryDelay::hint(one), RetryDelay::hint(other));
        Self(one.min(other).as_millis()..=one.max(other).as_millis())
    }

    pub(crate) fn draw(&self) -> RetryDelay {
        RetryDelay::from_millis(fastrand::u64(self.0.clone()))
    }
}

/// Ids for the events of a handler that writes none itself.
///
/// An event gets one if it has data and no id of its own; the first event that brings its own
/// id switches this off for its stream, so that two counters never mix. Only a handler that
/// goes on after the id it is given makes a stream resumable; ids alone do not.
///
/// # Examples
///
/// ```
/// use sse_tower::{EventId, Ids, SseLayer};
///
/// let per_stream = SseLayer::new().ids(Ids::sequence());
/// let by_hand = SseLayer::new().ids(Ids::by(|_| EventId::from(fastrand::u64(..))));
/// ```
#[derive(Clone)]
pub struct Ids(Kind);

#[derive(Clone)]
enum Kind {
    Sequence,
    Shared(Arc<AtomicU64>),
    By(Arc<dyn Fn(&IdContext<'_>) -> EventId + Send + Sync>),
}

impl Ids {
    /// 1, 2, 3 … in each stream, continuing after a numeric `Last-Event-ID`.
    ///
    /// A stream whose event type declares an id gets none.
    #[must_use]
    pub fn sequence() -> Self {
        Self(Kind::Sequence)
    }

    /// 1, 2, 3 … over all streams that share this value, such as those of one layer.
    #[must_use]
    pub fn shared() -> Self {
        Self(Kind::Shared(Arc::new(AtomicU64::new(1))))
    }

    /// Ids from a function, called once for each event that needs one.
    ///
    /// Make them visible ASCII of at most 512 bytes ([`EventId::portable`]); several clients
    /// never reconnect after an id that is not.
    #[must_use]
    pub fn by(next: impl Fn(&IdContext<'_>) -> EventId + Send + Sync + 'static) -> Self {
        Self(Kind::By(Arc::new(next)))
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Sequence => "Ids::sequence",
            Kind::Shared(_) => "Ids::shared",
            Kind::By(_) => "Ids::by",
        })
    }
}

/// What a function for [`Ids::by`] knows of the stream.
#[derive(Debug)]
pub struct IdContext<'a> {
    last_event_id: Option<&'a str>,
    assigned: u64,
}

impl IdContext<'_> {
    /// The id that the client continues after. It is the client's word and may hold anything.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id
    }

    /// How many ids this stream has been given.
    #[must_use]
    pub fn assigned(&self) -> u64 {
        self.assigned
    }
}

/// An id that was given to an event; a number needs no allocation.
pub(crate) enum AssignedId {
    Number(u64),
    Id(EventId),
}

impl fmt::Display for AssignedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// Gives the events of one stream their ids.
#[derive(Debug, Default)]
pub(crate) struct IdAssigner {
    ids: Option<Ids>,
    last_event_id: Option<String>,
    /// The last number given out, or the one the client continues after.
    last: u64,
    assigned: u64,
}

impl IdAssigner {
    pub(crate) fn new(ids: Option<Ids>, context: Option<&RequestContext>) -> Self {
        if ids.is_none() {
            return Self::default();
        }
        let last_event_id = context.and_then(RequestContext::last_event_id);
        Self {
            last: last_event_id
                .as_deref()
                .and_then(|id| id.parse().ok())
                .unwrap_or(0),
            ids,
            last_event_id,
            assigned: 0,
        }
    }

    /// The id for an event that has none.
    pub(crate) fn next(&mut self) -> Option<AssignedId> {
        let ids = self.ids.as_ref()?;
        let id = match &ids.0 {
            Kind::Sequence => {
                // Where it starts from came from the client, so it may be the largest number.
                self.last = self.last.saturating_add(1);
                AssignedId::Number(self.last)
            }
            Kind::Shared(next) => AssignedId::Number(next.fetch_add(1, Ordering::Relaxed)),
            Kind::By(next) => AssignedId::Id(next(&IdContext {
                last_event_id: self.last_event_id.as_deref(),
                assigned: self.assigned,
            })),
        };
        self.assigned += 1;
        Some(id)
    }

    /// The type of the events declares an id: numbers would be mixed up with it.
    pub(crate) fn type_has_id(&mut self) {
        if matches!(self.ids, Some(Ids(Kind::Sequence))) {
            self.stop();
        }
    }

    /// An event brought its own id: the stream's ids are the handler's business.
    pub(crate) fn stop(&mut self) {
        self.ids = None;
    }
}
