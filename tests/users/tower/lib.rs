//! A crate that depends on `sse-tower` and on nothing else.

#![deny(warnings, clippy::pedantic, missing_docs, unused_qualifications)]

use sse_tower::{EventBuffer, FromSseEvent, RawEvent, SseEvent};

include!("../events.rs");
