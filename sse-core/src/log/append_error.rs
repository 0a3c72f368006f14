//! Why nothing was appended.

use std::error::Error;
use std::fmt::{self, Display};

use super::Cursor;
use crate::encode_error::EncodeError;

/// Why nothing was appended to a log.
#[derive(Debug)]
#[non_exhaustive]
pub enum AppendError {
    /// The event has an id of its own, but the ids of a log are its cursors.
    OwnId,
    /// The event could not be encoded.
    Encode(EncodeError),
    /// The log is closed.
    Closed,
    /// The log is detached, as it is while the server stops.
    Detached,
    /// Stored events do not follow the newest entry: somebody else appended too.
    NotNext {
        /// Where the next entry belongs.
        expected: Cursor,
    },
    /// The sequence numbers of the epoch are used up.
    Exhausted,
}

impl From<EncodeError> for AppendError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnId => f.write_str("the event has an id of its own, but a log gives the ids"),
            Self::Encode(_) => f.write_str("the event cannot be encoded"),
            Self::Closed => f.write_str("the log is closed"),
            Self::Detached => f.write_str("the log is detached from its readers"),
            Self::NotNext { expected } => {
                write!(f, "the next entry of the log is {expected}, not this one")
            }
            Self::Exhausted => f.write_str("the log has no more sequence numbers in this epoch"),
        }
    }
}

impl Error for AppendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Encode(error) => Some(error),
            _ => None,
        }
    }
}
