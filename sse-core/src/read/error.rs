//! Why an event could not be read.

use std::error::Error;
use std::fmt;

use crate::raw::RawEvent;
use crate::typed::BoxError;

/// Why an event could not be read as a value.
///
/// It names the event and its id, so that a log line tells where in the stream it was.
///
/// # Examples
///
/// ```
/// use std::error::Error;
/// use sse_core::{Decoder, FromSseEvent, Json};
///
/// let mut decoder = Decoder::new();
/// decoder.push(b"id: 7\ndata: [1,\n\n");
/// let event = decoder.next_event()?.expect("a whole event");
/// let error = Json::<Vec<u8>>::from_event(&event).unwrap_err();
/// assert_eq!((error.event(), error.id()), ("message", Some("7")));
/// assert_eq!(error.to_string(), "the payload of the event \"message\" with the id \"7\" does not parse");
/// assert!(error.source().unwrap().to_string().starts_with("EOF"));
/// # Ok::<(), Box<dyn Error>>(())
/// ```
#[derive(Debug)]
pub struct DecodeError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    event: String,
    id: Option<String>,
    cause: DecodeCause,
}

/// What was wrong with an event.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeCause {
    /// No variant is for an event of this name or tag.
    Unknown,
    /// The payload does not parse.
    Payload(BoxError),
    /// The id does not parse.
    Id(BoxError),
    /// There is no id, and the variant has no `Option` for it.
    NoId,
    /// There is no reconnection time, and the variant has no `Option` for it.
    NoRetry,
    /// The name does not parse as the type of the `event` field.
    Name(BoxError),
}

impl DecodeError {
    /// No variant is for this event.
    #[must_use]
    pub fn unknown(event: &RawEvent<'_>) -> Self {
        Self::new(event, DecodeCause::Unknown)
    }

    /// The payload of this event does not parse.
    #[must_use]
    #[cold]
    pub fn payload(event: &RawEvent<'_>, cause: impl Into<BoxError>) -> Self {
        Self::new(event, DecodeCause::Payload(cause.into()))
    }

    /// Something of this event is wrong.
    #[must_use]
    #[cold]
    pub fn new(event: &RawEvent<'_>, cause: DecodeCause) -> Self {
        Self(Box::new(Inner {
            event: event.event().to_owned(),
            id: event.id().map(str::to_owned),
            cause,
        }))
    }

    /// The type of the event, `message` if it has no name.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.0.event
    }

    /// The id that the event itself carries.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// What was wrong.
    #[must_use]
    pub fn cause(&self) -> &DecodeCause {
        &self.0.cause
    }

    /// Whether nobody listens for such an event, which a browser would not even report.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.0.cause, DecodeCause::Unknown)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let event = Event(self);
        match self.0.cause {
            DecodeCause::Unknown => write!(f, "{event} is not known"),
            DecodeCause::Payload(_) => write!(f, "the payload of {event} does not parse"),
            DecodeCause::Id(_) => write!(f, "the id of {event} does not parse"),
            DecodeCause::NoId => write!(f, "{event} has no id"),
            DecodeCause::NoRetry => write!(f, "{event} has no reconnection time"),
            DecodeCause::Name(_) => write!(f, "the name of {event} does not parse"),
        }
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.cause {
            DecodeCause::Payload(cause) | DecodeCause::Id(cause) | DecodeCause::Name(cause) => {
                Some(&**cause)
            }
            DecodeCause::Unknown | DecodeCause::NoId | DecodeCause::NoRetry => None,
        }
    }
}

/// The event in a sentence. Name and id come from a peer: they are quoted and cut.
struct Event<'a>(&'a DecodeError);

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the event {:?}", cut(self.0.event()))?;
        match self.0.id() {
            Some(id) => write!(f, " with the id {:?}", cut(id)),
            None => Ok(()),
        }
    }
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(64).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
