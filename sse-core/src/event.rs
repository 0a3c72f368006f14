//! Events built by hand.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use serde::Serialize;

use crate::encode_error::{Cause, EncodeError};
use crate::field::RetryDelay;
use crate::typed::SseEvent;
use crate::write::EventWriter;

/// An event built by hand, for what no enum describes.
///
/// Its fields are checked when it is encoded. An event with a name but no data is sent with
/// an empty `data` line, because clients do not dispatch an event without one.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_core::{Event, EventBuffer};
///
/// let mut buffer = EventBuffer::new();
/// let event = Event::named("tick").comment("hi").id(7).retry(Duration::from_secs(2)).data("12:00");
/// buffer.write(&event)?;
/// assert_eq!(buffer.as_bytes(), b": hi\nevent: tick\nid: 7\nretry: 2000\ndata: 12:00\n\n");
/// # Ok::<(), sse_core::EncodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    comment: Option<Cow<'static, str>>,
    name: Option<Cow<'static, str>>,
    id: Option<Result<String, fmt::Error>>,
    retry: Option<RetryDelay>,
    data: Option<Cow<'static, str>>,
}

impl Event {
    /// An event without a name, which clients dispatch as `message`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An event with a name.
    #[must_use]
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Sets the payload to a text.
    #[must_use]
    pub fn data(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.data = Some(text.into());
        self
    }

    /// Sets the payload to `value` as JSON.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` cannot be serialized.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, EncodeError> {
        let json = serde_json::to_string(value).map_err(|error| EncodeError(Cause::Json(error)))?;
        Ok(self.data(json))
    }

    /// Sets the id.
    #[must_use]
    pub fn id(mut self, id: impl Display) -> Self {
        let mut text = String::new();
        self.id = Some(write!(text, "{id}").map(|()| text));
        self
    }

    /// Sets the time after which a client reconnects.
    #[must_use]
    pub fn retry(mut self, delay: impl Into<RetryDelay>) -> Self {
        self.retry = Some(delay.into());
        self
    }

    /// Adds a comment, which clients skip, above the event.
    #[must_use]
    pub fn comment(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.comment = Some(text.into());
        self
    }
}

impl SseEvent for Event {
    fn event_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        if let Some(text) = &self.comment {
            w.comment(text);
        }
        if let Some(name) = &self.name {
            w.event(name)?;
        }
        match &self.id {
            Some(Ok(id)) => w.id(id)?,
            Some(Err(_)) => return Err(EncodeError(Cause::Display("id"))),
            None => {}
        }
        if let Some(delay) = self.retry {
            w.retry(delay);
        }
        match &self.data {
            Some(text) => w.data(text),
            None if self.name.is_some() => w.data(""),
            None => {}
        }
        Ok(())
    }
}
