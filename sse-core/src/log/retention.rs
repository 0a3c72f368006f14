//! What a log keeps, and how much of it one read hands out.

use std::time::Duration;

/// How much a log keeps: the oldest entries go when one of three limits is exceeded.
///
/// The newest entry stays whatever its size, so that every event reaches the readers that have
/// caught up: an event above the byte limit is then the only one kept, until the next comes.
/// Only age takes the newest entry too, and not from a closed log, whose last event tells
/// late readers how it ended.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_core::Retention;
///
/// let retention = Retention::events(500).bytes(64 * 1024).age(Duration::from_secs(600));
/// assert_eq!(Retention::default(), Retention::events(4096).bytes(1024 * 1024));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub(super) events: usize,
    pub(super) bytes: usize,
    pub(super) age: Option<Duration>,
}

impl Retention {
    /// Keeps at most `events` events, at least one.
    ///
    /// Default: 4096, which is forty seconds at a hundred events a second. Clients are back
    /// within a few seconds, and within half a minute after a deploy.
    #[must_use]
    pub const fn events(events: usize) -> Self {
        Self {
            events: if events == 0 { 1 } else { events },
            bytes: 1024 * 1024,
            age: None,
        }
    }

    /// Keeps at most `bytes` bytes of encoded events. Default: 1 MiB, 256 bytes for each of
    /// the 4096 events.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Keeps events for at most `age`. Default: for ever, because the other limits bound the
    /// memory, and a quiet log should still know its last events.
    #[must_use]
    pub const fn age(mut self, age: Duration) -> Self {
        self.age = Some(age);
        self
    }

    /// The most events that are kept.
    #[must_use]
    pub const fn max_events(&self) -> usize {
        self.events
    }

    /// The most bytes that are kept.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.bytes
    }

    /// How long events are kept at most.
    #[must_use]
    pub const fn max_age(&self) -> Option<Duration> {
        self.age
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self::events(4096)
    }
}

/// How much one read hands out. Events stay whole, so the first one comes whatever its size.
///
/// # Examples
///
/// ```
/// use sse_core::log::ReadLimit;
///
/// assert_eq!(ReadLimit::default(), ReadLimit::bytes(16 * 1024).events(1024));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Small, because every reader has one.
    bytes: u32,
    pub(super) events: u32,
}

impl ReadLimit {
    /// At most `bytes` bytes, less than 4 GiB. Default: 16 KiB, the size of the log's segments,
    /// at whose end a block ends anyway.
    #[must_use]
    pub const fn bytes(bytes: usize) -> Self {
        Self {
            bytes: if bytes > u32::MAX as usize {
                u32::MAX
            } else {
                bytes as u32
            },
            events: 1024,
        }
    }

    /// At most `events` events, at least one. Default: 1024.
    #[must_use]
    pub const fn events(mut self, events: u32) -> Self {
        self.events = events;
        self
    }

    /// The most bytes of one read, unless its first event is larger.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.bytes as usize
    }

    /// The most events of one read.
    #[must_use]
    pub const fn max_events(&self) -> u32 {
        if self.events == 0 { 1 } else { self.events }
    }
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self::bytes(16 * 1024)
    }
}
