//! An event as it stood on the wire.

mod text;

use std::fmt;
use std::time::Duration;

pub(crate) use self::text::Text;
use crate::buffer::END_ID;
use crate::encode_error::EncodeError;
use crate::field::{self, RetryDelay};
use crate::typed::SseEvent;
use crate::write::EventWriter;

/// An event that was read, with its fields as text.
///
/// It borrows from the [`Decoder`](crate::Decoder) that read it;
/// [`into_owned`](Self::into_owned) lets it outlive that. Encoding it gives an event that
/// reads the same. Only what a layer marks with the prefix `sse-tower:` is not passed on, as it
/// concerns its own clients: an event with such a name is left out, and so is such an id. The
/// event with which it [ended](crate::END_ID) its stream ends the stream here too.
#[derive(Clone, PartialEq, Eq)]
pub struct RawEvent<'a> {
    pub(crate) text: Text<'a>,
    /// The last event id is its own.
    pub(crate) has_id: bool,
    pub(crate) retry: Option<u64>,
}

impl RawEvent<'_> {
    /// The type that a client dispatches: the name, or `message` if there is none.
    #[must_use]
    #[inline]
    pub fn event(&self) -> &str {
        self.name().unwrap_or("message")
    }

    /// The value of the `event` field, unless it was absent or empty.
    #[must_use]
    #[inline]
    pub fn name(&self) -> Option<&str> {
        Some(self.text.name()).filter(|name| !name.is_empty())
    }

    /// The payload, its lines joined with LF.
    #[must_use]
    #[inline]
    pub fn data(&self) -> &str {
        self.text.data()
    }

    /// The id that this event itself carries.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.has_id.then_some(self.text.id())
    }

    /// The reconnection time that this event itself carries.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry.map(Duration::from_millis)
    }

    /// The id of this event, or of the last one before it that had one; empty if none had.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.text.id()
    }

    /// Copies what is borrowed, in one allocation.
    ///
    /// A large payload that the decoder has in a buffer of its own is not copied: the event
    /// takes the buffer.
    #[must_use]
    #[inline]
    pub fn into_owned(self) -> RawEvent<'static> {
        RawEvent {
            text: self.text.into_owned(),
            has_id: self.has_id,
            retry: self.retry,
        }
    }
}

impl fmt::Debug for RawEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEvent")
            .field("name", &self.text.name())
            .field("data", &self.text.data())
            .field("last_event_id", &self.text.id())
            .field("has_id", &self.has_id)
            .field("retry", &self.retry)
            .finish()
    }
}

impl SseEvent for RawEvent<'_> {
    fn event_name(&self) -> Option<&str> {
        self.name()
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        if self.name().is_some_and(field::is_reserved) {
            return Ok(());
        }
        if let Some(name) = self.name() {
            w.event(name)?;
        }
        if let Some(id) = self.id().filter(|id| !field::is_reserved(id)) {
            w.id(id)?;
        }
        if let Some(millis) = self.retry {
            w.retry(RetryDelay::from_millis(millis));
        }
        w.data(self.data());
        Ok(())
    }

    fn is_terminal(&self) -> bool {
        self.name() == Some(END_ID)
    }
}
