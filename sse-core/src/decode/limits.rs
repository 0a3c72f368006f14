//! How much the peer may make us keep.

use std::error::Error;
use std::fmt;

/// How much a [`Decoder`](super::Decoder) keeps in memory before it gives up, in bytes.
///
/// # Examples
///
/// ```
/// use sse_core::{Decoder, LimitError, Limits};
///
/// let mut decoder = Decoder::new().with_limits(Limits::default().with_line(16));
/// decoder.push("data: more than sixteen bytes");
/// assert_eq!(decoder.next_event().unwrap_err(), LimitError::Line { limit: 16 });
/// assert_eq!(decoder.next_event(), Ok(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(super) line: usize,
    pub(super) event: usize,
}

impl Limits {
    /// No limits, for peers that are trusted.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            line: usize::MAX,
            event: usize::MAX,
        }
    }

    /// The longest line, without its end. Default: 1 MiB.
    #[must_use]
    pub const fn with_line(mut self, bytes: usize) -> Self {
        self.line = bytes;
        self
    }

    /// The largest payload of one event, line breaks included. Default: 1 MiB.
    #[must_use]
    pub const fn with_event(mut self, bytes: usize) -> Self {
        self.event = bytes;
        self
    }

    pub(super) fn line_error(&self) -> LimitError {
        LimitError::Line { limit: self.line }
    }

    pub(super) fn event_error(&self) -> LimitError {
        LimitError::Event { limit: self.event }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 1 << 20,
            event: 1 << 20,
        }
    }
}

/// The peer sent more than the [`Limits`] allow; the stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// A line is too long.
    Line {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
    /// The payload of an event is too large.
    Event {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { limit } => write!(f, "a line is longer than {limit} bytes"),
            Self::Event { limit } => write!(f, "the data of an event exceeds {limit} bytes"),
        }
    }
}

impl Error for LimitError {}
