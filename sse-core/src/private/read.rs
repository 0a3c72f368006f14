//! What derived code reads with.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::tag::{self, Adjacent};
use crate::raw::RawEvent;
use crate::read::{DecodeCause, DecodeError, FromSseEvent, from_json};
use crate::typed::BoxError;

type Read<T> = Result<T, DecodeError>;

/// A payload that is read; separate from `Deserialize` for the sake of its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from JSON",
    label = "does not implement `Deserialize`",
    note = "derive `serde::Deserialize` for it, or read its text with `#[sse(data = \"text\")]`"
)]
pub trait FromPayload: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> FromPayload for T {}

/// Reads the payload.
///
/// # Errors
///
/// Returns an error if it does not parse.
#[inline]
pub fn read_json<T: FromPayload>(event: &RawEvent<'_>) -> Read<T> {
    from_json(event)
}

/// Stands in for `Deserialize::deserialize`, for the message's sake.
///
/// # Errors
///
/// As the deserializer.
pub fn payload_from<'de, T: FromPayload, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::deserialize(deserializer)
}

/// Reads a payload without the tag in it.
///
/// # Errors
///
/// Returns an error if it does not parse.
pub fn read_tagged<T: FromPayload>(event: &RawEvent<'_>, key: &'static str) -> Read<T> {
    tag::without(event.data(), key).map_err(|error| DecodeError::payload(event, error))
}

/// Reads the payload beside a tag.
///
/// # Errors
///
/// Returns an error if it does not parse.
pub fn read_content<T: FromPayload>(event: &RawEvent<'_>, adjacent: Adjacent) -> Read<T> {
    tag::content(event.data(), adjacent).map_err(|error| DecodeError::payload(event, error))
}

/// Reads the payload of a unit variant that nothing else tells apart.
///
/// # Errors
///
/// Returns an error unless it is `{}`.
pub fn read_empty(event: &RawEvent<'_>) -> Read<()> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Empty {}

    read_json::<Empty>(event).map(|Empty {}| ())
}

/// Something that is read from text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from text",
    label = "does not implement `FromStr`",
    note = "ids, run-time names and payloads under `data = \"text\"` are read with `FromStr`; the error of that must convert into `Box<dyn Error + Send + Sync>`"
)]
pub trait FromText: Sized {
    /// Reads the text.
    ///
    /// # Errors
    ///
    /// Returns the error of `FromStr`.
    fn from_text(text: &str) -> Result<Self, BoxError>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr<Err: Into<BoxError>>> FromText for T {
    fn from_text(text: &str) -> Result<Self, BoxError> {
        text.parse().map_err(Into::into)
    }
}

/// Reads a payload that is text.
///
/// # Errors
///
/// Returns an error if it does not parse.
pub fn read_text<T: FromText>(event: &RawEvent<'_>) -> Read<T> {
    T::from_text(event.data()).map_err(|error| DecodeError::payload(event, error))
}

/// Reads the id.
///
/// # Errors
///
/// Returns an error if there is none or it does not parse.
pub fn read_id<T: FromText>(event: &RawEvent<'_>) -> Read<T> {
    read_maybe_id(event)?.ok_or_else(|| DecodeError::new(event, DecodeCause::NoId))
}

/// Reads the id, if there is one.
///
/// # Errors
///
/// Returns an error if it does not parse.
pub fn read_maybe_id<T: FromText>(event: &RawEvent<'_>) -> Read<Option<T>> {
    match event.id().map(T::from_text).transpose() {
        // The empty id takes back the one before: it is none, unless the type knows better.
        Err(_) if event.id() == Some("") => Ok(None),
        id => id.map_err(|error| DecodeError::new(event, DecodeCause::Id(error))),
    }
}

/// Reads the name.
///
/// # Errors
///
/// Returns an error if it does not parse.
pub fn read_name<T: FromText>(event: &RawEvent<'_>) -> Read<T> {
    T::from_text(event.event()).map_err(|error| DecodeError::new(event, DecodeCause::Name(error)))
}

/// A field marked `#[sse(retry)]`.
#[diagnostic::on_unimplemented(
    message = "a `#[sse(retry)]` field is a `Duration` or an `Option<Duration>`, not `{Self}`",
    label = "not a duration"
)]
pub trait FromRetry: Sized {
    #[expect(missing_docs, reason = "see the trait")]
    fn from_retry(retry: Option<Duration>) -> Option<Self>;
}

impl FromRetry for Duration {
    fn from_retry(retry: Option<Duration>) -> Option<Self> {
        retry
    }
}

impl FromRetry for Option<Duration> {
    fn from_retry(retry: Option<Duration>) -> Option<Self> {
        Some(retry)
    }
}

/// Reads the reconnection time.
///
/// # Errors
///
/// Returns an error if there is none and there has to be one.
pub fn read_retry<T: FromRetry>(event: &RawEvent<'_>) -> Read<T> {
    T::from_retry(event.retry()).ok_or_else(|| DecodeError::new(event, DecodeCause::NoRetry))
}

/// A field that is not on the wire.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not on the wire, so reading needs a default for it",
    label = "does not implement `Default`"
)]
pub trait Absent: Default {}

#[diagnostic::do_not_recommend]
impl<T: Default> Absent for T {}

/// A field that is not on the wire.
#[must_use]
pub fn read_default<T: Absent>() -> T {
    T::default()
}

/// Whether a browser hands the event to the listeners for `message`.
#[must_use]
pub fn is_message(event: &RawEvent<'_>) -> bool {
    event.event() == "message"
}

/// What tells the variants apart: the name, or the tag if it is one of `tags` and the name is
/// not there to contradict it.
///
/// Proxies drop the `event` lines of some streams. But an event under a name of its own is what
/// the name says, whatever its payload looks like; only where no variant of ours has a name
/// (`names` is empty) does a name say nothing.
#[must_use]
pub fn key<'e>(event: &'e RawEvent<'_>, key: &str, names: &[&str], tags: &[&str]) -> Cow<'e, str> {
    let name = event.event();
    let is_taken = names.contains(&name);
    let by_tag = names.is_empty() || event.name().is_none() || is_message(event) && !is_taken;
    match by_tag.then(|| tag::find(event.data(), key)).flatten() {
        Some(tag) if tags.contains(&&*tag) => Cow::Owned(tag),
        // A tag may be `message` as well, but then it has to be there.
        _ if is_message(event) && !is_taken => Cow::Borrowed(""),
        _ => Cow::Borrowed(name),
    }
}

/// Whether the tag is one of `tags`.
#[must_use]
pub fn is_tagged(event: &RawEvent<'_>, key: &str, tags: &[&str]) -> bool {
    tag::find(event.data(), key).is_some_and(|tag| tags.contains(&&*tag))
}

/// Reads the event of a variant that holds one, if it is one of those.
///
/// # Errors
///
/// Returns an error if it is, and does not parse.
pub fn read_inner<E: FromSseEvent>(
    event: &RawEvent<'_>,
    failed: &mut Option<DecodeError>,
) -> Read<Option<E>> {
    match E::from_event(event) {
        Ok(event) => Ok(Some(event)),
        Err(error) if error.is_unknown() => Ok(None),
        // Without a name it may be an event of somebody else.
        Err(error) if is_message(event) => {
            failed.get_or_insert(error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What a variant marked `#[sse(other)]` holds.
#[diagnostic::on_unimplemented(
    message = "an `#[sse(other)]` variant takes any event, which `{Self}` does not",
    label = "does not take any event",
    note = "hold the event as it was read, `RawEvent<'static>`, or make it a unit variant"
)]
pub trait AnyEvent: FromSseEvent {}

impl AnyEvent for RawEvent<'static> {}
impl<E: AnyEvent> AnyEvent for Box<E> {}
impl<E: AnyEvent> AnyEvent for Arc<E> {}

/// Reads any event.
///
/// # Errors
///
/// Returns none: whatever it is, it fits.
pub fn read_any<E: AnyEvent>(event: &RawEvent<'_>) -> Read<E> {
    E::from_event(event)
}

/// Reads one of the variants that nothing but their payload tells apart.
pub fn attempt<T>(read: impl FnOnce() -> Read<T>, failed: &mut Option<DecodeError>) -> Option<T> {
    match read() {
        Ok(event) => Some(event),
        Err(error) => {
            failed.get_or_insert(error);
            None
        }
    }
}

/// The error for an event that no variant took.
#[must_use]
pub fn not_read(event: &RawEvent<'_>, failed: Option<DecodeError>) -> DecodeError {
    failed.unwrap_or_else(|| DecodeError::unknown(event))
}

/// The error for an event that no variant took, where events without a name have a tag.
#[must_use]
pub fn not_tagged(event: &RawEvent<'_>, key: &str, failed: Option<DecodeError>) -> DecodeError {
    if failed.is_none() && is_message(event) && tag::find(event.data(), key).is_none() {
        let cause = match serde_json::from_str::<serde::de::IgnoredAny>(event.data()) {
            Ok(_) => format!("the tag `{key}` is missing").into(),
            Err(error) => error.into(),
        };
        return DecodeError::new(event, DecodeCause::Payload(cause));
    }
    not_read(event, failed)
}
