//! What derived code writes besides JSON: names chosen at run time, lines, comments, keys.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::marker::PhantomData;

use super::{Payload, Text};
use crate::block::Block;
use crate::encode_error::EncodeError;
use crate::read::FromSseEvent;
use crate::typed::{EventMeta, Keep, SseEvent};
use crate::write::EventWriter;

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

/// Whether one of these types describes an event that has an id.
pub fn describe_ids(types: &[fn(&mut Vec<EventMeta>)]) -> bool {
    let mut events = Vec::new();
    types.iter().for_each(|describe| describe(&mut events));
    events.iter().any(|event| event.has_id)
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
    w.displayed_comment(value)
}

/// What a log keeps of an event of which only the newest matters.
pub fn latest<'a, T: LogKey + ?Sized>(kind: &'a str, key: &T) -> Keep<'a> {
    let mut text = String::new();
    match write!(text, "{key}") {
        Ok(()) => Keep::Latest {
            kind,
            key: Cow::Owned(text),
        },
        // A key that fails to format tells nothing apart: rather too much is kept than too little.
        Err(_) => Keep::All,
    }
}

/// A field marked `#[sse(key)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot tell events apart",
    label = "does not implement `Display`",
    note = "a log compares the `Display` form of an `#[sse(key)]` field"
)]
pub trait LogKey: Display {}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> LogKey for T {}

/// Writes one field under `data = "lines"` as it displays.
///
/// # Errors
///
/// Returns an error if `value` fails to format.
pub fn text_lines<T: Text + ?Sized>(
    w: &mut EventWriter,
    key: &str,
    value: &T,
) -> Result<(), EncodeError> {
    w.text_lines(key, value)
}

/// Writes one field under `data = "lines"` as JSON.
///
/// # Errors
///
/// As [`EventWriter::json`].
pub fn json_lines<T: Payload + ?Sized>(
    w: &mut EventWriter,
    key: &str,
    value: &T,
) -> Result<(), EncodeError> {
    w.json_lines(key, value)
}

/// Ends a payload of lines: without a field it is empty, so that the event fires.
pub fn end_lines(w: &mut EventWriter) {
    if !w.written().data {
        w.data("");
    }
}
