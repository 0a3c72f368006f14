//! `Retry`: how long clients wait before they reconnect.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use sse_core::RetryDelay;

/// How long clients are asked to wait before they reconnect.
///
/// It is sent as the first line of a stream, and is always within 1..=2147483647 ms, which all
/// clients understand.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_tower::{Retry, SseLayer};
///
/// // A range spreads the clients of a restarted server.
/// let spread = Retry::between(Duration::from_secs(2), Duration::from_secs(8));
/// // The more streams are open, the longer, and for each client another time: those that are
/// // sent away together must not come back together.
/// let by_load = Retry::by(|load| {
///     let longest = 1000 + 2 * load.open as u64;
///     Duration::from_millis(fastrand::u64(longest / 2..=longest))
/// });
/// let layer = SseLayer::new().retry(spread).reconnect(by_load);
/// ```
#[derive(Clone)]
pub struct Retry(Kind);

#[derive(Clone)]
enum Kind {
    Between(RangeInclusive<u64>),
    By(Arc<dyn Fn(&Load) -> Duration + Send + Sync>),
}

/// How busy a layer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// How many streams are open, this one included. 0 where there is no layer.
    pub open: usize,
    /// How many [may be](crate::SseLayer::max_streams).
    pub max: Option<usize>,
}

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
        let range = one.min(other).as_millis()..=one.max(other).as_millis();
        Self(Kind::Between(range))
    }

    /// A delay from a function of the load of the outermost layer, called for each connection.
    ///
    /// Clients that get the same delay come back at the same moment, so add a random part.
    #[must_use]
    pub fn by(delay: impl Fn(&Load) -> Duration + Send + Sync + 'static) -> Self {
        Self(Kind::By(Arc::new(delay)))
    }

    /// The delay for one connection.
    pub(crate) fn draw(&self, load: &Load) -> RetryDelay {
        match &self.0 {
            Kind::Between(range) => RetryDelay::from_millis(fastrand::u64(range.clone())),
            Kind::By(delay) => RetryDelay::hint(delay(load)),
        }
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Between(range) => f.debug_tuple("Retry::between").field(range).finish(),
            Kind::By(_) => f.write_str("Retry::by"),
        }
    }
}
