//! What derived code may name. Exempt from semantic versioning.

#[path = "private/content.rs"]
mod content;
#[path = "private/json.rs"]
mod json;
#[path = "private/map_key.rs"]
mod map_key;
#[path = "private/read.rs"]
mod read;
#[path = "private/tag.rs"]
mod tag;

pub use core::concat;
pub use core::default::Default;
pub use core::fmt::Display;
pub use core::marker::PhantomData;
pub use core::module_path;
pub use core::option::Option;
pub use core::primitive::{bool, str};
pub use core::result::Result;
pub use core::time::Duration;
pub use std::string::String;
pub use std::vec::Vec;

pub use ::serde::de::DeserializeOwned;
pub use ::serde::{self, Deserialize, Serialize};

pub use self::content::*;
pub use self::json::*;
pub use self::read::*;
pub use self::tag::Adjacent;
pub use crate::__items as items;
pub use crate::block::Block;
pub use crate::encode_error::EncodeError;
pub use crate::field::RetryDelay;
pub use crate::raw::RawEvent;
pub use crate::read::{DecodeError, FromSseEvent};
pub use crate::typed::{DataFormat, EventMeta, Keep, SseEvent};
pub use crate::write::{EventWriter, JsonWriter};

/// The items as they are. Where this name leads nowhere, the compiler does not look at them.
#[doc(hidden)]
#[macro_export]
macro_rules! __items {
    ($($item:tt)*) => { $($item)* };
}

/// The payload of a variant; separate from `Serialize` for the sake of its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as JSON",
    label = "does not implement `Serialize`",
    note = "derive `serde::Serialize` for it, or send its `Display` form with `#[sse(data = \"text\")]`"
)]
pub trait Payload: ::serde::Serialize {}

#[diagnostic::do_not_recommend]
impl<T: ::serde::Serialize + ?Sized> Payload for T {}

/// Stands in for `Serialize::serialize` in the code of serde's derive, for the message's sake.
///
/// # Errors
///
/// As the serializer.
pub fn payload<T: Payload + ?Sized, S: ::serde::Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.serialize(serializer)
}

/// The functions that serde's derives would have made, had they not reported a mistake.
///
/// Inherent functions come first, so these are found only after an error.
#[expect(missing_docs, reason = "as in serde")]
pub trait SerdeFailed {
    fn serialize<T, S: ::serde::Serializer>(_: T, serializer: S) -> Result<S::Ok, S::Error>
    where
        Self: Sized,
    {
        serializer.serialize_unit()
    }

    fn deserialize<'de, D: ::serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error>
    where
        Self: Sized,
    {
        Err(::serde::de::Error::custom("serde's derive failed"))
    }
}

impl<R> SerdeFailed for R {}

/// Writes a payload that is one text.
///
/// # Errors
///
/// As [`EventWriter::text`].
pub fn text<T: Text + ?Sized>(w: &mut EventWriter, value: &T) -> Result<(), EncodeError> {
    w.text(value)
}

/// What is written as it displays: a text, a field among lines, a comment.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as text",
    label = "does not implement `Display`",
    note = "a text, a comment and a field among lines are written as they display; `data = \"json\"`, or `json` on a field among lines, writes JSON"
)]
pub trait Text: Display {}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> Text for T {}

/// Writes the id of a field.
///
/// # Errors
///
/// As [`EventWriter::id`].
pub fn id<T: Id + ?Sized>(w: &mut EventWriter, value: &T) -> Result<(), EncodeError> {
    w.id(value)
}

/// A field marked `#[sse(id)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an event id",
    label = "does not implement `Display`",
    note = "an `#[sse(id)]` field is written with `Display`; an `Option` of one may be absent"
)]
pub trait Id: Display {}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> Id for T {}

/// Writes an `event: name⏎` line that was checked at compile time.
pub fn event_line(w: &mut EventWriter, line: &'static str) {
    w.event_line(line);
}

/// Writes the id of a field whose type is an integer.
pub fn integer_id(w: &mut EventWriter, id: impl itoa::Integer) {
    w.integer_id(id);
}

/// Writes the reconnection time of a field, clamped to what every client understands.
pub fn retry(w: &mut EventWriter, delay: impl IntoRetry) {
    if let Some(delay) = delay.into_retry() {
        w.retry(RetryDelay::hint(delay));
    }
}

/// Writes the reconnection time of a variant.
pub fn retry_millis(w: &mut EventWriter, millis: u64) {
    w.retry(RetryDelay::hint(Duration::from_millis(millis)));
}

/// A field marked `#[sse(retry)]`.
#[diagnostic::on_unimplemented(
    message = "a `#[sse(retry)]` field is a `Duration` or an `Option<Duration>`, not `{Self}`",
    label = "not a duration"
)]
pub trait IntoRetry {
    fn into_retry(self) -> Option<Duration>;
}

impl IntoRetry for Duration {
    fn into_retry(self) -> Option<Duration> {
        Some(self)
    }
}

impl IntoRetry for Option<Duration> {
    fn into_retry(self) -> Option<Duration> {
        self
    }
}
