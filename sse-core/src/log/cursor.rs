//! Where a reader stands.

use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

use crate::field::EventId;

/// A place in a log: the epoch of its history and the sequence number of an entry.
///
/// As text it is `{epoch}.{seq}`, two decimal numbers. That is the `id` of the events of a log
/// and what a returning client sends, so reading it is strict: no sign, no blank, no leading
/// zero, nothing above 64 bits. Two cursors of different epochs have no order.
///
/// # Examples
///
/// ```
/// use sse_core::Cursor;
///
/// let cursor: Cursor = "7.42".parse()?;
/// assert_eq!((cursor.epoch(), cursor.seq()), (7, 42));
/// assert_eq!(cursor.to_string(), "7.42");
/// assert!("7.042".parse::<Cursor>().is_err());
/// # Ok::<(), sse_core::log::CursorError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    epoch: u64,
    seq: u64,
}

impl Cursor {
    /// The longest text of a cursor, in bytes: two numbers of twenty digits and the dot.
    pub const MAX_LEN: usize = 41;

    /// The place of the entry `seq`; the place before the first entry is 0.
    #[must_use]
    pub const fn new(epoch: u64, seq: u64) -> Self {
        Self { epoch, seq }
    }

    /// The history that the sequence number counts in. It changes when history may be lost.
    #[must_use]
    pub const fn epoch(self) -> u64 {
        self.epoch
    }

    /// The number of the entry within its epoch; entries have every number, beginning with 1.
    #[must_use]
    pub const fn seq(self) -> u64 {
        self.seq
    }
}

impl Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(itoa::Buffer::new().format(self.epoch))?;
        f.write_str(".")?;
        f.write_str(itoa::Buffer::new().format(self.seq))
    }
}

impl From<Cursor> for EventId {
    fn from(cursor: Cursor) -> Self {
        Self::new(cursor.to_string()).expect("digits and a dot are an id")
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (epoch, seq) = text.split_once('.').ok_or(CursorError)?;
        Ok(Self {
            epoch: number(epoch)?,
            seq: number(seq)?,
        })
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorError;

impl Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cursor is `epoch.seq`: two 64-bit numbers without sign or leading zeros")
    }
}

impl Error for CursorError {}

/// Reads what `Display` writes and nothing else, so that one place has one text.
fn number(digits: &str) -> Result<u64, CursorError> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    if !plain || digits.len() > 1 && digits.starts_with('0') {
        return Err(CursorError);
    }
    // Empty text and numbers above 64 bits end here; longer text is not looked at in vain.
    digits.parse().map_err(|_| CursorError)
}
