//! Every dialect of server-sent events in use, as exact bytes.
//!
//! Each is written, and, where it can be, read back into the same value.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod agents;
mod composed;
mod llm;
mod pages;
mod protocols;

use std::fmt::Debug;

use sse_core::{DecodeError, Decoder, EventBuffer, FromSseEvent, SseEvent};

/// The event is these bytes.
#[track_caller]
fn writes(event: &impl SseEvent, bytes: &str) {
    let mut writer = EventBuffer::new();
    writer.write(event).unwrap();
    assert_eq!(str::from_utf8(writer.as_bytes()).unwrap(), bytes);
}

/// The event is these bytes, and these bytes are the event.
#[track_caller]
fn both<E: SseEvent + FromSseEvent + PartialEq + Debug>(event: &E, bytes: &str) {
    writes(event, bytes);
    assert_eq!(&reads::<E>(bytes).unwrap(), event);
    assert_eq!(event.ends_stream(), event.is_terminal());
    let crlf = bytes.replace('\n', "\r\n");
    assert_eq!(&reads::<E>(&crlf).unwrap(), event);
}

/// The one event in these bytes.
#[track_caller]
fn reads<E: FromSseEvent>(bytes: &str) -> Result<E, DecodeError> {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let event = E::from_event(&decoder.next_event().unwrap().expect("a whole event"));
    assert_eq!(decoder.next_event().unwrap(), None);
    event
}
