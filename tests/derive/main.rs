//! `#[derive(SseEvent)]`: every shape and attribute, as bytes.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod about;
mod cost;
mod generics;
mod names;
mod payloads;
mod renamed;
mod scalars;
mod serde_words;
mod surroundings;
mod values;

use serde::Serialize;
use sse_core::{EventBuffer, SseEvent};

#[track_caller]
fn check(event: &impl SseEvent, expected: &str) {
    assert_eq!(written(event), expected);
}

#[track_caller]
fn written(event: &impl SseEvent) -> String {
    let mut buffer = EventBuffer::new();
    buffer.write(event).unwrap();
    String::from_utf8(buffer.take().to_vec()).unwrap()
}

/// The payload is what serde writes for `value`.
#[track_caller]
fn check_payload(event: &impl SseEvent, value: &impl Serialize) {
    let bytes = written(event);
    let (_, payload) = bytes.split_once("data: ").unwrap();
    assert_eq!(payload.trim_end(), serde_json::to_string(value).unwrap());
}
