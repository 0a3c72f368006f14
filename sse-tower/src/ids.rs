//! Ids for events that have none.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::BytesMut;
use sse_core::EventId;

use crate::context::RequestContext;

/// Ids for the events of a handler that writes none itself.
///
/// An event gets one if it has data and no id of its own; the first event that brings its own
/// id switches this off for its stream, so that two counters never mix.
///
/// **Ids alone do not make a stream resumable.** They make a client say what it has seen; if the
/// handler does not [go on after that](crate::Resume), it sends the same events again, with ids
/// that go on as if they were new ones.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use futures_util::{Stream, StreamExt, stream};
/// use sse_tower::{Ids, Json, Resume, SseLayer, sse_handler};
///
/// /// The ids count the lines, so the handler leaves out as many.
/// #[sse_handler]
/// async fn lines(resume: Resume<usize>) -> impl Stream<Item = Json<&'static str>> {
///     let seen = resume.after().unwrap_or(0);
///     stream::iter(["one", "two", "three"]).skip(seen).map(Json)
/// }
///
/// let layer = SseLayer::new().ids(Ids::sequence());
/// let app: Router = Router::new().route("/lines", get(lines)).layer(layer);
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
    ///
    /// It begins with 1 again when the process is restarted, and each process has its own: such an
    /// id tells events of one process apart, and is no place to go on from.
    #[must_use]
    pub fn shared() -> Self {
        Self(Kind::Shared(Arc::new(AtomicU64::new(1))))
    }

    /// A new UUID of version 7 for each event: unique everywhere, and they sort by time.
    /// Feature `uuid`.
    #[cfg(feature = "uuid")]
    #[must_use]
    pub fn uuid_v7() -> Self {
        Self::by(|_| {
            let id = uuid::Uuid::now_v7().to_string();
            EventId::new(id).expect("a UUID is visible ASCII")
        })
    }

    /// Ids from a function, called once for each event that needs one.
    ///
    /// Make them visible ASCII of at most 512 bytes ([`EventId::portable`]): after any other id,
    /// several clients never reconnect.
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
#[derive(Debug)]
pub(crate) enum AssignedId {
    Number(u64),
    Id(EventId),
}

impl AssignedId {
    /// Writes the `id` line.
    #[inline]
    pub(crate) fn put_line(&self, out: &mut BytesMut) {
        match self {
            // `Display` would cost more than everything else here.
            Self::Number(number) => put_line(itoa::Buffer::new().format(*number), out),
            Self::Id(id) => put_line(id.as_str(), out),
        }
    }
}

fn put_line(id: &str, out: &mut BytesMut) {
    out.reserve(id.len() + "id: \n".len());
    out.extend_from_slice(b"id: ");
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(b"\n");
}

impl From<AssignedId> for EventId {
    fn from(id: AssignedId) -> Self {
        match id {
            AssignedId::Number(number) => number.into(),
            AssignedId::Id(id) => id,
        }
    }
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
///
/// Most streams have none to give, so what it takes is not part of every body.
#[derive(Debug, Default)]
pub(crate) struct IdAssigner(Option<Box<Assigning>>);

#[derive(Debug)]
struct Assigning {
    ids: Ids,
    last_event_id: Option<String>,
    /// The last number given out, or the one the client continues after.
    last: u64,
    assigned: u64,
}

impl IdAssigner {
    pub(crate) fn new(ids: Option<Ids>, context: Option<&RequestContext>) -> Self {
        Self(ids.map(|ids| {
            let last_event_id = context.and_then(RequestContext::last_event_id);
            let last = last_event_id.as_deref().and_then(|id| id.parse().ok());
            Box::new(Assigning {
                ids,
                last_event_id,
                last: last.unwrap_or(0),
                assigned: 0,
            })
        }))
    }

    /// Whether events without an id are given one.
    pub(crate) fn are_given(&self) -> bool {
        self.0.is_some()
    }

    /// The id for an event that has none.
    pub(crate) fn next(&mut self) -> Option<AssignedId> {
        let this = self.0.as_deref_mut()?;
        let id = match &this.ids.0 {
            Kind::Sequence => {
                // Where it starts from came from the client, so it may be the largest number.
                this.last = this.last.saturating_add(1);
                AssignedId::Number(this.last)
            }
            Kind::Shared(next) => AssignedId::Number(next.fetch_add(1, Ordering::Relaxed)),
            Kind::By(next) => AssignedId::Id(next(&IdContext {
                last_event_id: this.last_event_id.as_deref(),
                assigned: this.assigned,
            })),
        };
        this.assigned += 1;
        Some(id)
    }

    /// The type of the events declares an id: numbers would be mixed up with it.
    pub(crate) fn type_has_id(&mut self) {
        let this = self.0.as_ref();
        if this.is_some_and(|this| matches!(this.ids.0, Kind::Sequence)) {
            self.stop();
        }
    }

    /// An event brought its own id: the stream's ids are the handler's business.
    pub(crate) fn stop(&mut self) {
        self.0 = None;
    }
}
