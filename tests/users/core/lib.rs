//! A crate that depends on `sse-tower-core` and on nothing else.

#![deny(warnings, clippy::pedantic, missing_docs, unused_qualifications)]

use sse_core::{EventBuffer, FromSseEvent, RawEvent, SseEvent};

include!("../events.rs");
