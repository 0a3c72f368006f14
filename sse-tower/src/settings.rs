//! What is written around the events of a stream, and who decides it.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use sse_core::{Event, EventBuffer, RetryDelay};

use crate::ids::Ids;

/// The settings of one stream; what is `None` may still be filled in from further out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// `Some(None)` is a decision too: no keep-alive.
    pub(crate) keep_alive: Option<Option<KeepAlive>>,
    pub(crate) retry: Option<Retry>,
    pub(crate) ids: Option<Ids>,
    pub(crate) end_marker: Option<bool>,
}

impl Settings {
    /// Takes from `outer` what is still open here.
    pub(crate) fn fill(&mut self, outer: &Self) {
        fn take<T: Clone>(mine: &mut Option<T>, outer: &Option<T>) {
            if mine.is_none() {
                mine.clone_from(outer);
            }
        }
        take(&mut self.keep_alive, &outer.keep_alive);
        take(&mut self.retry, &outer.retry);
        take(&mut self.ids, &outer.ids);
        take(&mut self.end_marker, &outer.end_marker);
    }

    /// The keep-alive in force: 15 s unless somebody decided otherwise.
    pub(crate) fn keep_alive(&self) -> Option<KeepAlive> {
        self.keep_alive
            .clone()
            .unwrap_or_else(|| Some(KeepAlive::default()))
    }
}

/// What is sent while a stream is silent, so that proxies do not cut it.
///
/// The default is the comment line `:⏎` after 15 s of silence: proxies and load balancers
/// give up after 50 s or more. The time varies by ±10 % from one to the next, so that streams
/// opened together do not stay in step.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_tower::{KeepAlive, SseLayer};
///
/// let layer = SseLayer::new().keep_alive(KeepAlive::every(Duration::from_secs(20)).comment("ping"));
/// ```
#[derive(Clone, Debug)]
pub struct KeepAlive {
    interval: Duration,
    bytes: Bytes,
}

impl KeepAlive {
    /// A comment after `interval` of silence; clamped to 1 ms ..= 1 day.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            interval: interval.clamp(Duration::from_millis(1), DAY),
            // One line and no empty one: some clients report an empty line as a message.
            bytes: Bytes::from_static(b":\n"),
        }
    }

    /// Sends `text` in the comment.
    #[must_use]
    pub fn comment(mut self, text: &str) -> Self {
        let mut buffer = EventBuffer::new();
        let comment = Event::new().comment(text.to_owned());
        buffer.write(&comment).expect("a comment may hold any text");
        self.bytes = buffer.take();
        self
    }

    pub(crate) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The next interval, ±10 %.
    pub(crate) fn interval(&self) -> Duration {
        self.interval.mul_f64(0.9 + 0.2 * fastrand::f64())
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::every(Duration::from_secs(15))
    }
}

/// How long clients are asked to wait before they reconnect.
///
/// It is the first line of a stream. Always within 1..=2147483647 ms, which all clients
/// understand.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_tower::{Retry, SseLayer};
///
/// // A range spreads the clients of a restarted server.
/// let spread = Retry::between(Duration::from_secs(2), Duration::from_secs(8));
/// let layer = SseLayer::new().retry(spread);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry(RangeInclusive<u64>);

impl Retry {
    /// The same delay for every connection.
    #[must_use]
    pub fn fixed(delay: Duration) -> Self {
        Self::between(delay, delay)
    }

    /// A delay drawn for each connection; the order of the bounds does not matter.
    #[must_use]
    pub fn between(one: Duration, other: Duration) -> Self {
        let (one, other) = (RetryDelay::hint(one), RetryDelay::hint(other));
        Self(one.min(other).as_millis()..=one.max(other).as_millis())
    }

    pub(crate) fn draw(&self) -> RetryDelay {
        RetryDelay::from_millis(fastrand::u64(self.0.clone()))
    }
}
