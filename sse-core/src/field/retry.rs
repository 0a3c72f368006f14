//! `RetryDelay`.

use std::time::Duration;

/// The value of a `retry:` field: how long a client waits before it reconnects.
///
/// Any number of milliseconds that fits into 64 bits, as in the standard (HTML §9.2.6).
/// Real clients are narrower, which is what [`hint`](Self::hint) is for.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_core::RetryDelay;
///
/// assert_eq!(RetryDelay::from_millis(0).as_millis(), 0);
/// assert_eq!(RetryDelay::hint(Duration::ZERO).as_millis(), 1);
/// assert_eq!(RetryDelay::hint(Duration::MAX).as_millis(), 2_147_483_647);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetryDelay(u64);

impl RetryDelay {
    /// A delay of exactly `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A delay that every client understands: `delay` clamped to 1..=2147483647 ms.
    ///
    /// Above that the timers of Node wrap to 1 ms, and 0 makes Chromium reconnect in 3 ms.
    #[must_use]
    pub const fn hint(delay: Duration) -> Self {
        let millis = delay.as_millis();
        if millis == 0 {
            Self(1)
        } else if millis > i32::MAX as u128 {
            Self(i32::MAX as u64)
        } else {
            Self(millis as u64)
        }
    }

    /// The delay in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl From<Duration> for RetryDelay {
    /// Takes whole milliseconds; what does not fit into 64 bits becomes the largest delay.
    fn from(delay: Duration) -> Self {
        Self(delay.as_millis().try_into().unwrap_or(u64::MAX))
    }
}
