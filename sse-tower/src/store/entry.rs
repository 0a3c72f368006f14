//! What a store keeps of an event.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// An event as a store keeps it: its bytes with the `id` line, and what is to be known of it.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sse_tower::store::Entry;
///
/// let at = SystemTime::UNIX_EPOCH + Duration::from_micros(1_500);
/// let entry = Entry::new("id: 7.1\ndata: x\n\n", at).with_key("price").with_terminal(true);
/// assert_eq!((entry.key(), entry.is_terminal()), (Some("price"), true));
/// assert_eq!(entry.millis(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    bytes: Bytes,
    key: Option<Arc<str>>,
    terminal: bool,
    millis: u64,
}

impl Entry {
    /// An entry of these bytes, one whole event, appended at this time.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>, at: SystemTime) -> Self {
        let since = at.duration_since(SystemTime::UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        Self {
            bytes: bytes.into(),
            key: None,
            terminal: false,
            millis: u64::try_from(millis).unwrap_or(u64::MAX),
        }
    }

    /// An entry as it was, with the time in milliseconds since the Unix epoch.
    #[cfg(feature = "redb")]
    pub(super) fn restored(bytes: Bytes, key: Option<&str>, terminal: bool, millis: u64) -> Self {
        Self {
            bytes,
            key: key.map(Arc::from),
            terminal,
            millis,
        }
    }

    /// Lets the entry replace the one before it that has this key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Says whether the event ends its stream.
    #[must_use]
    pub fn with_terminal(mut self, terminal: bool) -> Self {
        self.terminal = terminal;
        self
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What newer entries replace this one by.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Whether the event ends its stream.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// When the entry was appended, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn millis(&self) -> u64 {
        self.millis
    }

    /// When the entry was appended.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        let since = Duration::from_millis(self.millis);
        // Only a damaged time lies outside of what the system can tell.
        SystemTime::UNIX_EPOCH
            .checked_add(since)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
