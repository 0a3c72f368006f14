//! Why a store did not do what it was asked for.

use std::error::Error;
use std::fmt::{self, Display};
use std::sync::Arc;

use crate::{BoxError, Cursor};

/// Why a store did not do what it was asked for.
///
/// Cloning shares the cause: what commits together fails together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The entries do not follow the newest one: somebody else writes to the topic too.
    Conflict {
        /// The newest entry.
        head: Cursor,
    },
    /// The topic is closed.
    Closed,
    /// The topic was never opened in this store.
    NotOpened,
    /// The store itself failed, and what was asked for may or may not have been done.
    Failed(Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    /// A failure of the store itself, with its cause.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::error::Error;
    /// use sse_tower::store::StoreError;
    ///
    /// let error = StoreError::failed("the disk is full");
    /// assert_eq!(error.to_string(), "the store failed");
    /// assert_eq!(error.source().unwrap().to_string(), "the disk is full");
    /// ```
    #[must_use]
    pub fn failed(cause: impl Into<BoxError>) -> Self {
        Self::Failed(Arc::from(cause.into()))
    }
}

impl Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { head } => {
                write!(
                    f,
                    "the newest entry is {head}: somebody else writes to the topic"
                )
            }
            Self::Closed => f.write_str("the topic is closed"),
            Self::NotOpened => f.write_str("the topic was never opened in this store"),
            Self::Failed(_) => f.write_str("the store failed"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(cause) => Some(&**cause),
            _ => None,
        }
    }
}
