//! What several tests share: a client that only remembers.

use std::env;
use std::io::{self, Write as _};
use std::process::Command;

use serde::Deserialize;
use sse_core::{Decoder, LimitError};

/// What a client knows after some bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The events in order.
    pub events: Vec<Dispatched>,
    /// The last reconnection time in milliseconds.
    pub retry: Option<u128>,
    /// What a reconnect would send.
    pub last_event_id: String,
    /// Why it stopped reading, if it did.
    pub error: Option<LimitError>,
}

/// An event as a listener gets it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Dispatched {
    /// Its type, `message` by default.
    pub event: String,
    /// Its payload.
    pub data: String,
    /// The last event id when it was dispatched.
    pub id: String,
}

/// Reads `chunks` one after the other, taking every event as soon as it is there.
pub fn read<'a>(decoder: &mut Decoder, chunks: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut seen = Seen::default();
    for chunk in chunks {
        decoder.push(chunk);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => seen.events.push(Dispatched {
                    event: event.event().to_owned(),
                    data: event.data().to_owned(),
                    id: event.last_event_id().to_owned(),
                }),
                Ok(None) => break,
                Err(error) => assert_eq!(seen.error.replace(error), None, "one error, once"),
            }
        }
    }
    seen.retry = decoder.retry().map(|delay| delay.as_millis());
    seen.last_event_id = decoder.last_event_id().to_owned();
    seen
}

/// Cuts `bytes` at `offsets`, which are in order; a repeated one gives an empty chunk.
pub fn cut<'a>(bytes: &'a [u8], offsets: &[usize]) -> Vec<&'a [u8]> {
    let mut start = 0;
    let ends = offsets.iter().copied().chain([bytes.len()]);
    ends.map(|end| &bytes[std::mem::replace(&mut start, end)..end])
        .collect()
}

/// What `text` is after it went over the wire: every line break is an LF.
pub fn with_lf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The compiler whose messages and whose rustdoc format the tests know; others have their own.
const BLESSED: &str = "rustc 1.95.";

/// Whether `tests`, which depend on the compiler's version, can run; says so if they cannot,
/// and fails in CI.
///
/// # Panics
///
/// Panics in CI if the compiler is another one.
#[must_use]
pub fn is_blessed_compiler(tests: &str) -> bool {
    let compiler = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(compiler).arg("--version").output();
    let version = version.expect("the compiler tells its version").stdout;
    let version = String::from_utf8_lossy(&version);
    if version.starts_with(BLESSED) {
        return true;
    }
    let message =
        format!("{tests} TESTS DID NOT RUN: they are blessed on {BLESSED}x, this is {version}");
    assert!(env::var_os("CI").is_none(), "{message}");
    // Straight to the terminal: the output of a test that passes is hidden.
    let _ = io::stderr().write_all(message.as_bytes());
    false
}
