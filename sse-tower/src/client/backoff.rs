//! How long to wait before the next connection.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// How long an [`EventSource`](super::EventSource) waits before it comes back.
///
/// - It begins with the `retry` of the stream, or else with [`initial`](Self::initial).
/// - From the second failure in a row on, the time doubles, up to [`limit`](Self::limit). A
///   connection is no failure if it was open for 10 s, or brought an event before the server
///   ended it.
/// - A `Retry-After` is waited for.
/// - All of that is kept in [`range`](Self::range).
/// - A random part of it, up to [`jitter`](Self::jitter), comes on top, so that the clients of
///   a server that was restarted do not come back at once.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_tower::client::Backoff;
///
/// let hour = Duration::from_secs(60 * 60);
/// let patient = Backoff::new().initial(Duration::from_secs(10)).limit(hour);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    initial: Duration,
    limit: Duration,
    shortest: Duration,
    longest: Duration,
    jitter: f64,
}

/// Longer delays wrap around in the timers of other clients; nobody means them.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

impl Backoff {
    /// The defaults, which are named at each setting.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            initial: Duration::from_secs(3),
            limit: Duration::from_secs(60),
            shortest: Duration::from_millis(100),
            longest: LONGEST,
            jitter: 0.5,
        }
    }

    /// The delay until a stream says otherwise. Default: 3 s, as in Chromium.
    #[must_use]
    pub const fn initial(mut self, delay: Duration) -> Self {
        self.initial = delay;
        self
    }

    /// Where doubling ends; a longer `retry` of the stream is still waited for. Default: 60 s.
    #[must_use]
    pub const fn limit(mut self, delay: Duration) -> Self {
        self.limit = delay;
        self
    }

    /// The shortest and the longest delay, whoever asks for it, before the jitter.
    ///
    /// Default: from 100 ms to 2147483647 ms, which is 24 days and the longest there is; of an
    /// empty range, the end counts. With a range from zero, a server that says `retry: 0` and ends
    /// each stream after one event is asked without a pause.
    #[must_use]
    pub fn range(mut self, range: RangeInclusive<Duration>) -> Self {
        self.longest = LONGEST.min(*range.end());
        self.shortest = self.longest.min(*range.start());
        self
    }

    /// How much longer a delay may become by chance, as a share of it: 0.0 to 1.0. Default: 0.5.
    ///
    /// It is never shorter than it was asked for.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        // NaN is no share either.
        self.jitter = if share >= 0.0 { share.min(1.0) } else { 0.0 };
        self
    }

    /// The delay after so many failures in a row.
    pub(super) fn draw(
        &self,
        retry: Option<Duration>,
        failures: u32,
        retry_after: Option<Duration>,
    ) -> Duration {
        let base = self.clamp(retry.unwrap_or(self.initial));
        let doubled = match failures {
            0 | 1 => base,
            // Zero would stay zero.
            _ => base
                .max(Duration::from_millis(1))
                .saturating_mul(1 << (failures - 1).min(31))
                .min(self.limit),
        };
        let delay = base.max(doubled).max(retry_after.unwrap_or_default());
        self.clamp(delay)
            .mul_f64(1.0 + self.jitter * fastrand::f64())
    }

    fn clamp(&self, delay: Duration) -> Duration {
        delay.clamp(self.shortest, self.longest)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

/// The value of `Retry-After`, seconds or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
