//! Why an event was not published in a durable topic.

use std::error::Error;
use std::fmt;

use sse_core::log::AppendError;

use crate::store::StoreError;

/// Why an event was not published in a [`DurableTopic`](crate::DurableTopic).
#[derive(Debug)]
#[non_exhaustive]
pub enum DurableError {
    /// The topic does not take the event, as a plain topic would not.
    Refused(AppendError),
    /// The store does not have it. After [`StoreError::Conflict`] the topic takes nothing more.
    Store(StoreError),
    /// The store failed, and has not told since whether it has the event. If it turns out that
    /// it has, subscribers are sent it then.
    Unknown(StoreError),
    /// The topic was [stopped](crate::DurableTopic::stop), or its runtime. Then whether the event
    /// is in the store is not known.
    Stopped,
}

impl From<AppendError> for DurableError {
    fn from(error: AppendError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for DurableError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for DurableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused(_) => "the topic does not take the event",
            Self::Store(_) => "the event could not be stored",
            Self::Unknown(_) => "whether the event was stored is not known",
            Self::Stopped => "the topic has stopped",
        })
    }
}

impl Error for DurableError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Store(error) | Self::Unknown(error) => Some(error),
            Self::Stopped => None,
        }
    }
}
