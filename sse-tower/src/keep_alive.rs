//! `KeepAlive`: what is sent while a stream is silent.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use sse_core::{Block, EncodeError, Event, SseEvent};

/// What is sent while a stream is silent, so that proxies do not cut it.
///
/// The default is the comment line `:⏎` after 15 s of silence: proxies and load balancers
/// give up after 50 s or more. The time varies from one to the next, so that streams opened
/// together do not stay in step:
///
/// | The stream | Intervals of silence before a keep-alive | By default |
/// |---|---|---|
/// | is ours | 0.9 to 1.1 | 13.5 s to 16.5 s |
/// | is another library's | 1.2 to 1.4 | 18 s to 21 s |
/// | … and another layer seems to be inside | 1.6 to 2.0 | 24 s to 30 s |
///
/// A stream of another library may have a keep-alive of its own, which a layer cannot see before
/// it comes: of two equal ones, only the inner one is sent. That there is a layer inside shows in
/// the headers of the response, or when a comment follows its keep-alive, which then was one too
/// many.
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
    block: Block,
    advertised: bool,
}

impl KeepAlive {
    pub(crate) const DEFAULT: Self = Self {
        interval: Duration::from_secs(15),
        // One line and no empty one: some clients report an empty line as a message.
        block: Block::stored(Bytes::from_static(b":\n"), 0, None, false),
        advertised: false,
    };

    /// A comment after `interval` of silence; clamped to 1 ms ..= 1 day. The timer has a grain of
    /// about 2 ms.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            interval: interval.clamp(Duration::from_millis(1), DAY),
            ..Self::DEFAULT
        }
    }

    /// Sends `text` in the comment.
    #[must_use]
    pub fn comment(self, text: &str) -> Self {
        let comment = Event::new().comment(text.to_owned());
        self.event(&comment).expect("a comment may hold any text")
    }

    /// Sends an event instead of a comment.
    ///
    /// For clients that must see a sign of life, such as a page with a watchdog: comments never
    /// reach the code of the page. An event that its clients do not expect may break them. One
    /// that leaves no bytes, such as a skipped variant, changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be encoded, which is done once, here.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use sse_tower::{KeepAlive, SseEvent};
    ///
    /// #[derive(SseEvent)]
    /// enum Chat {
    ///     Ping, // event: ping | data: {}
    /// }
    ///
    /// let ping = KeepAlive::every(Duration::from_secs(10)).event(&Chat::Ping)?;
    /// # Ok::<(), sse_tower::EncodeError>(())
    /// ```
    pub fn event(mut self, event: &impl SseEvent) -> Result<Self, EncodeError> {
        let block = Block::encode(event)?;
        if !block.bytes().is_empty() {
            self.block = block;
        }
        Ok(self)
    }

    /// Tells clients the interval, once, at the beginning of the stream, so that they can tell
    /// a silent stream from a dead one.
    ///
    /// It is the event `sse-tower:keep-alive` with the data `{"interval_ms":15000}`. A client
    /// should allow for half as much again, which a layer that has told its interval never
    /// exceeds: it does not wait for another layer inside, whose keep-alive may then come as well.
    /// [`decode`](crate::decode) leaves the event out.
    #[must_use]
    pub fn advertise(mut self) -> Self {
        self.advertised = true;
        self
    }

    pub(crate) fn block(&self) -> Block {
        self.block.clone()
    }

    pub(crate) fn advertised(&self) -> Option<Duration> {
        self.advertised.then_some(self.interval)
    }

    /// The next interval, drawn from `share` of it.
    pub(crate) fn interval(&self, share: &Range<f64>) -> Duration {
        let width = share.end - share.start;
        self.interval.mul_f64(share.start + width * fastrand::f64())
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::DEFAULT
    }
}
