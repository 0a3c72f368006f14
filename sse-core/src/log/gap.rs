//! Why a reader cannot go on where it stood.

use std::error::Error;
use std::fmt::{self, Display};

use super::Cursor;

/// Events that a reader was not sent, because the log does not have them any more.
///
/// Told only for what retention removed, never for entries that a newer one of their key
/// replaced or for live-only events. The bounds are exact: the newest entry that retention
/// removed is the one at [`resume`](Self::resume), and nothing after it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    requested: Cursor,
    resume: Cursor,
    cause: GapCause,
}

/// What is wrong with a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapCause {
    /// Entries after it were removed by retention.
    Evicted,
    /// It is of another epoch: a log that is gone, or none at all.
    Epoch,
    /// It lies after the newest entry, so this log never gave it out.
    Future,
}

impl Gap {
    /// A gap that a log of another kind tells, such as a store.
    #[must_use]
    pub const fn new(requested: Cursor, resume: Cursor, cause: GapCause) -> Self {
        Self {
            requested,
            resume,
            cause,
        }
    }

    /// Where the reader stood.
    #[must_use]
    pub fn requested(&self) -> Cursor {
        self.requested
    }

    /// Where to go on: everything that is still kept comes after it, the first entry at
    /// the next number or, if a newer one of its key replaced that, at a later one.
    #[must_use]
    pub fn resume(&self) -> Cursor {
        self.resume
    }

    /// What is wrong with the cursor.
    #[must_use]
    pub fn cause(&self) -> GapCause {
        self.cause
    }

    /// How many entries there were between the two, if both are of one history.
    ///
    /// Entries that were replaced before retention came to them are counted; a log without
    /// keys has none.
    #[must_use]
    pub fn lost(&self) -> Option<u64> {
        match self.cause {
            GapCause::Evicted => Some(self.resume.seq().saturating_sub(self.requested.seq())),
            GapCause::Epoch | GapCause::Future => None,
        }
    }
}

impl Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.requested;
        match self.cause {
            GapCause::Evicted => {
                write!(f, "the events from after {at} to {} are gone", self.resume)
            }
            GapCause::Epoch => write!(f, "the cursor {at} is of another epoch"),
            GapCause::Future => write!(f, "the cursor {at} is newer than the log"),
        }
    }
}

impl Error for Gap {}

/// Why a log has nothing to read after a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// Events are missing: decide, rather than skip them.
    Gap(Gap),
    /// The log is closed and everything in it was read.
    Closed,
}

impl From<Gap> for Missed {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

impl Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap(gap) => gap.fmt(f),
            Self::Closed => f.write_str("the log is closed and was read to its end"),
        }
    }
}

impl Error for Missed {}
