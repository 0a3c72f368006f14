//! What derived code writes besides JSON: names chosen at run time, lines, comments, keys.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::marker::PhantomData;

use super::{Payload, Text};
use crate::block::Block;
use crate::encode_error::{Cause, EncodeError};
use crate::read::FromSseEvent;
use crate::typed::{EventMeta, Keep, SseEvent};
use crate::write::{self, EventWriter};

/// A field marked `#[sse(event)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an event name",
    label = "does not implement `AsRef<str>`",
    note = "an `#[sse(event)]` field is written with `AsRef<str>`: `String`, `EventName`, …"
)]
pub trait Name: AsRef<str> {}

#[diagnostic::do_not_recommend]
impl<T: AsRef<str> + ?Sized> Name for T {}

/// The name of an event, chosen at run time.
pub fn name<T: Name + ?Sized>(value: &T) -> &str {
    value.as_ref()
}

/// Writes the event of a variant that holds one.
///
/// # Errors
///
/// As [`SseEvent::encode`].
pub fn inner<E: SseEvent + ?Sized>(w: &mut EventWriter, event: &E) -> Result<(), EncodeError> {
    event.encode(w)
}

/// The other methods of an event inside a variant.
///
/// For a type that is no event, [`NotAnEvent`] gives them, so that [`inner`] alone reports it.
#[derive(Debug)]
pub struct Inner<E>(PhantomData<E>);

#[expect(missing_docs, reason = "as in `SseEvent` and `FromSseEvent`")]
impl<E: SseEvent> Inner<E> {
    pub fn event_name(event: &E) -> Option<&str> {
        event.event_name()
    }

    pub fn is_terminal(event: &E) -> bool {
        event.is_terminal()
    }

    pub fn declares_id(event: &E) -> bool {
        event.declares_id()
    }

    pub fn block(event: &E) -> Option<Block> {
        event.block()
    }

    pub fn keep(event: &E) -> Keep<'_> {
        event.keep()
    }

    pub fn describe(out: &mut Vec<EventMeta>) {
        E::describe(out);
    }
}

#[expect(missing_docs, reason = "as in `SseEvent` and `FromSseEvent`")]
impl<E: FromSseEvent> Inner<E> {
    pub fn ends_stream(event: &E) -> bool {
        event.ends_stream()
    }
}

/// Inherent functions come first, so these are found only after an error.
#[expect(missing_docs, reason = "as in `SseEvent` and `FromSseEvent`")]
pub trait NotAnEvent {
    fn event_name<E>(_: &E) -> Option<&str> {
        None
    }

    fn is_terminal<E>(_: &E) -> bool {
        false
    }

    fn declares_id<E>(_: &E) -> bool {
        false
    }

    fn block<E>(_: &E) -> Option<Block> {
        None
    }

    fn keep<E>(_: &E) -> Keep<'_> {
        Keep::All
    }

    fn describe(_: &mut Vec<EventMeta>) {}

    fn ends_stream<E>(_: &E) -> bool {
        false
    }
}

impl<E> NotAnEvent for Inner<E> {}

/// Writes a comment.
///
/// # Errors
///
/// Returns an error if `value` fails to format.
pub fn comment<T: Text + ?Sized>(w: &mut EventWriter, value: &T) -> Result<(), EncodeError> {
    w.comment(&displayed(value, "comment")?);
    Ok(())
}

/// What a log keeps of an event of which only the newest matters.
pub fn latest<'a, T: Display + ?Sized>(kind: &'a str, key: &T) -> Keep<'a> {
    match displayed(key, "key") {
        Ok(key) => Keep::Latest {
            kind,
            key: Cow::Owned(key),
        },
        // A key that fails to format tells nothing apart: rather too much is kept than too little.
        Err(_) => Keep::All,
    }
}

/// One field under `data = "lines"`.
#[derive(Debug)]
pub struct Line {
    key: &'static str,
    value: Result<String, EncodeError>,
}

impl Line {
    /// As it displays.
    pub fn text<T: Text + ?Sized>(key: &'static str, value: &T) -> Self {
        Self {
            key,
            value: displayed(value, "data"),
        }
    }

    /// As JSON.
    pub fn json<T: Payload + ?Sized>(key: &'static str, value: &T) -> Self {
        Self {
            key,
            value: serde_json::to_string(value).map_err(|error| EncodeError(Cause::Json(error))),
        }
    }
}

/// Writes `key value` lines; the key stands before each line of a value.
///
/// # Errors
///
/// Returns the first error of a value.
pub fn lines<const N: usize>(
    w: &mut EventWriter,
    fields: [Option<Line>; N],
) -> Result<(), EncodeError> {
    let mut data = String::new();
    for field in fields.into_iter().flatten() {
        for line in write::lines(&field.value?) {
            if !data.is_empty() {
                data.push('\n');
            }
            data.extend([field.key, " ", line]);
        }
    }
    w.data(&data);
    Ok(())
}

fn displayed<T: Display + ?Sized>(value: &T, field: &'static str) -> Result<String, EncodeError> {
    let mut text = String::new();
    match write!(text, "{value}") {
        Ok(()) => Ok(text),
        Err(_) => Err(EncodeError(Cause::Display(field))),
    }
}
