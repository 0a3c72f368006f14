//! The trait that events implement, and the small types around it.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use serde::Serialize;

use crate::block::Block;
use crate::encode_error::EncodeError;
use crate::field::{EventId, FieldError, RetryDelay};
use crate::write::EventWriter;

/// A type whose values are server-sent events.
///
/// Usually derived: an enum has one event per variant. The trait is object-safe, so a stream
/// may also carry `Box<dyn SseEvent + Send>`.
///
/// # Examples
///
/// ```
/// use sse_core::{EncodeError, EventBuffer, EventWriter, SseEvent};
///
/// struct Tick(u64);
///
/// impl SseEvent for Tick {
///     fn event_name(&self) -> Option<&str> {
///         Some("tick")
///     }
///
///     fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
///         w.event("tick")?;
///         w.id(self.0)?;
///         w.json(&self.0)
///     }
/// }
///
/// let mut buffer = EventBuffer::new();
/// buffer.write(&Tick(3))?;
/// assert_eq!(buffer.as_bytes(), b"event: tick\nid: 3\ndata: 3\n\n");
/// # Ok::<(), sse_core::EncodeError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a server-sent event",
    label = "not an event",
    note = "derive it: `#[derive(SseEvent)]` on an enum with one variant per event",
    note = "or send any `Serialize` value as `Json(value)`"
)]
pub trait SseEvent {
    /// The value of the `event` field; `None` leaves the line out.
    fn event_name(&self) -> Option<&str>;

    /// Writes the fields of one event; whoever called ends the block.
    ///
    /// # Errors
    ///
    /// Returns an error if a field was refused or the payload could not be serialized.
    /// Nothing of the event reaches the wire then.
    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError>;

    /// Whether the stream ends with this event. Default: no.
    fn is_terminal(&self) -> bool {
        false
    }

    /// Whether events of this type bring ids of their own, as far as the type says.
    ///
    /// A server that counts events gives the events of such a type no numbers. Default: no.
    fn declares_id(&self) -> bool {
        false
    }

    /// Whole blocks that are encoded already; they are sent as they are, without a copy.
    fn block(&self) -> Option<Block> {
        None
    }

    /// What a log keeps of this event. Default: everything.
    fn keep(&self) -> Keep<'_> {
        Keep::All
    }

    /// Lists the events that this type can produce, for documentation and schemas.
    fn describe(out: &mut Vec<EventMeta>)
    where
        Self: Sized,
    {
        let _ = out;
    }
}

/// What a log keeps of an event, so that a returning client can be sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep<'a> {
    /// Every event.
    #[default]
    All,
    /// Only the newest of its kind and key; older ones may be dropped.
    Latest {
        /// The event's variant with the path of its enum, which no other one has.
        kind: &'a str,
        /// What tells events of one kind apart; empty if nothing does.
        key: Cow<'a, str>,
    },
    /// Nothing: only clients that are connected now get it.
    Never,
}

/// What is known of an event without a value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "derived code builds it")]
pub struct EventMeta {
    /// The value of the `event` field, `None` if there is none or it is chosen at run time.
    pub name: Option<&'static str>,
    /// The name of the variant on the wire, also where the `event` line is left out.
    pub tag: &'static str,
    /// The form of the payload.
    pub format: DataFormat,
    /// Whether the stream ends with it.
    pub terminal: bool,
    /// Whether it brings an id of its own.
    pub has_id: bool,
    /// The doc comment of the variant.
    pub doc: &'static str,
}

/// The form of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataFormat {
    /// JSON.
    Json,
    /// Text, a `data` line for each of its lines.
    Text,
    /// One `key value` pair per `data` line.
    Lines,
    /// An empty `data` line.
    Empty,
    /// Always this text.
    Literal(&'static str),
    /// No payload: a comment, which no listener sees.
    Comment,
}

/// Sends any serializable value as an event without a name.
///
/// # Examples
///
/// ```
/// use sse_core::{EventBuffer, Json, SseEventExt};
///
/// let mut buffer = EventBuffer::new();
/// buffer.write(&Json([1, 2]).with_id(7))?;
/// assert_eq!(buffer.as_bytes(), b"id: 7\ndata: [1,2]\n\n");
/// # Ok::<(), sse_core::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> SseEvent for Json<T> {
    fn event_name(&self) -> Option<&str> {
        None
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.json(&self.0)
    }
}

/// An event with an id or a reconnection time added from outside.
///
/// Made by [`SseEventExt`]. What the event itself writes wins, a [`Block`] stays as it is, and an
/// event without a field, such as a comment, gets no id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<E> {
    event: E,
    id: Option<EventId>,
    retry: Option<RetryDelay>,
}

/// Adds fields to any event.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_core::{Event, EventBuffer, EventId, SseEventExt};
///
/// let event = Event::new().data("x").with_id(EventId::new("a-1")?).with_retry(Duration::from_secs(2));
/// let mut buffer = EventBuffer::new();
/// buffer.write(&event)?;
/// assert_eq!(buffer.as_bytes(), b"id: a-1\nretry: 2000\ndata: x\n\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SseEventExt: SseEvent + Sized {
    /// Adds an id, unless the event writes one itself, or no field at all.
    fn with_id(self, id: impl Into<EventId>) -> Envelope<Self> {
        Envelope {
            event: self,
            id: Some(id.into()),
            retry: None,
        }
    }

    /// Adds an id that may be refused, unless the event writes one itself.
    ///
    /// # Errors
    ///
    /// Returns an error if `id` cannot stand in an `id` field.
    fn try_with_id(self, id: impl Into<Cow<'static, str>>) -> Result<Envelope<Self>, FieldError> {
        Ok(self.with_id(EventId::new(id)?))
    }

    /// Adds a reconnection time, unless the event writes one itself.
    fn with_retry(self, delay: impl Into<RetryDelay>) -> Envelope<Self> {
        Envelope {
            event: self,
            id: None,
            retry: Some(delay.into()),
        }
    }
}

impl<E: SseEvent> SseEventExt for E {}

impl<E> Envelope<E> {
    /// The event inside.
    #[must_use]
    pub fn into_inner(self) -> E {
        self.event
    }
}

impl<E: SseEvent> Envelope<E> {
    /// Replaces the id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<EventId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Replaces the reconnection time.
    #[must_use]
    pub fn with_retry(mut self, delay: impl Into<RetryDelay>) -> Self {
        self.retry = Some(delay.into());
        self
    }
}

impl<E: SseEvent> SseEvent for Envelope<E> {
    fn event_name(&self) -> Option<&str> {
        self.event.event_name()
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        if let Some(id) = &self.id {
            w.id_unless_written(id);
        }
        if let Some(delay) = self.retry {
            w.retry_unless_written(delay);
        }
        self.event.encode(w)
    }

    fn is_terminal(&self) -> bool {
        self.event.is_terminal()
    }

    fn keep(&self) -> Keep<'_> {
        self.event.keep()
    }

    fn declares_id(&self) -> bool {
        self.event.declares_id()
    }

    fn describe(out: &mut Vec<EventMeta>) {
        E::describe(out);
    }
}

/// A shared or boxed event is the event itself.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<E: SseEvent + ?Sized> SseEvent for $pointer {
            fn event_name(&self) -> Option<&str> {
                (**self).event_name()
            }

            fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
                (**self).encode(w)
            }

            fn is_terminal(&self) -> bool {
                (**self).is_terminal()
            }

            fn declares_id(&self) -> bool {
                (**self).declares_id()
            }

            fn block(&self) -> Option<Block> {
                (**self).block()
            }

            fn keep(&self) -> Keep<'_> {
                (**self).keep()
            }
        }
    )*};
}

forward!(&E, Box<E>, Arc<E>);

/// Any error that may cross threads.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// An item of a stream that can be sent: an event, or a `Result` of one.
///
/// An error ends the stream; it never reaches the client.
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` cannot be sent as server-sent events",
    label = "its items are no events",
    note = "derive it: `#[derive(SseEvent)]` on an enum with one variant per event",
    note = "for any `Serialize` value yield `Json(value)`",
    note = "in a `Result` the error must implement `std::error::Error`"
)]
pub trait IntoItem {
    /// The event.
    type Event: SseEvent;

    /// Turns the item into an event or the error that ends the stream.
    ///
    /// # Errors
    ///
    /// Returns the error of a `Result`.
    fn into_item(self) -> Result<Self::Event, BoxError>;
}

#[diagnostic::do_not_recommend]
impl<E: SseEvent> IntoItem for E {
    type Event = E;

    fn into_item(self) -> Result<E, BoxError> {
        Ok(self)
    }
}

impl<E: SseEvent, X: Into<BoxError>> IntoItem for Result<E, X> {
    type Event = E;

    fn into_item(self) -> Result<E, BoxError> {
        self.map_err(Into::into)
    }
}
