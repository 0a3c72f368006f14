//! `#[derive(FromSseEvent)]`: which variant an event is read as, and what goes wrong.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod fields;
mod generics;
mod hostile;
mod inside;
mod names;
mod tagged;
mod tags;

use std::error::Error;
use std::fmt::Debug;

use sse_core::{DecodeCause, DecodeError, Decoder, EventBuffer, FromSseEvent, SseEvent};

#[track_caller]
fn read<E: FromSseEvent>(bytes: &str) -> Result<E, DecodeError> {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    E::from_event(&decoder.next_event().unwrap().expect("a whole event"))
}

#[track_caller]
fn check<E: FromSseEvent + PartialEq + Debug>(bytes: &str, expected: E) {
    assert_eq!(read::<E>(bytes).unwrap(), expected);
}

#[track_caller]
fn unknown<E: FromSseEvent + Debug>(bytes: &str) {
    let error = read::<E>(bytes).unwrap_err();
    assert!(error.is_unknown(), "{error}: {:?}", error.source());
}

/// A payload that does not parse, with the end of the reason.
#[track_caller]
fn broken<E: FromSseEvent + Debug>(bytes: &str, reason: &str) {
    let error = read::<E>(bytes).unwrap_err();
    assert!(matches!(error.cause(), DecodeCause::Payload(_)), "{error}");
    let source = error.source().unwrap().to_string();
    assert!(source.contains(reason), "{source}");
}

#[track_caller]
fn round<E: SseEvent + FromSseEvent + PartialEq + Debug>(event: E) {
    let mut writer = EventBuffer::new();
    writer.write(&event).unwrap();
    check(str::from_utf8(writer.as_bytes()).unwrap(), event);
}
