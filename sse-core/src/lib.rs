//! Server-sent events without I/O: the encoder, the decoder and the log of `sse-tower`.
//!
//! - Your enum implements [`SseEvent`], usually by `#[derive(SseEvent)]`. An [`Event`] is built by
//!   hand, [`Json`] wraps any serializable value, a [`Block`] holds encoded bytes.
//! - [`EventBuffer`] turns events into bytes, each whole or not at all. It lends each event an
//!   [`EventWriter`], to which the event writes its fields.
//! - [`EventName`], [`EventId`] and [`RetryDelay`] are the values of fields. They are checked
//!   when they are made, so writing one cannot start another field.
//! - [`Decoder`] turns bytes back into [`RawEvent`]s, however the bytes were cut, and
//!   [`FromSseEvent`] turns those into your enum.
//!
//! A [`log`] keeps encoded events for clients that come back, and for any number of readers.
//!
//! Nothing here does I/O, reads a clock or knows a runtime. Servers use the crate `sse-tower`,
//! which re-exports everything here.
//!
//! # Examples
//!
//! ```
//! use sse_core::{Decoder, EventBuffer, SseEvent};
//!
//! #[derive(SseEvent)]
//! enum Build {
//!     Started { #[sse(id)] seq: u64, target: String },
//!     #[sse(terminal)]
//!     Finished { success: bool },
//! }
//!
//! let mut buffer = EventBuffer::new();
//! buffer.write(&Build::Started { seq: 1, target: "x86".into() })?;
//! buffer.write(&Build::Finished { success: true })?;
//! assert_eq!(
//!     str::from_utf8(buffer.as_bytes())?,
//!     "event: started\nid: 1\ndata: {\"target\":\"x86\"}\n\n\
//!      event: finished\ndata: {\"success\":true}\n\n",
//! );
//!
//! let mut decoder = Decoder::new();
//! decoder.push(buffer.take());
//! let started = decoder.next_event()?.expect("a whole event");
//! assert_eq!((started.event(), started.id()), ("started", Some("1")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `derive` (default) re-exports the derives of `sse-macros`.

mod block;
mod buffer;
mod decode;
mod encode_error;
mod event;
mod field;
pub mod log;
mod raw;
mod read;
mod typed;
mod write;

#[doc(no_inline)]
pub use bytes::Bytes;

pub use crate::block::Block;
pub use crate::buffer::{END_ID, EventBuffer};
pub use crate::decode::{Decoder, LimitError, Limits};
pub use crate::encode_error::EncodeError;
pub use crate::event::Event;
pub use crate::field::{EventId, EventName, Field, FieldError, RetryDelay, Rule};
pub use crate::log::{Cursor, Gap, Missed, Retention};
pub use crate::raw::RawEvent;
pub use crate::read::{DecodeCause, DecodeError, FromSseEvent};
pub use crate::typed::{
    BoxError, DataFormat, Envelope, EventMeta, IntoItem, Json, Keep, SseEvent, SseEventExt,
};
pub use crate::write::{EventWriter, Written};
#[cfg(feature = "derive")]
pub use sse_macros::{FromSseEvent, SseEvent};

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
