//! `Lag`: what happens to a subscriber that falls behind what is kept.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sse_core::{Block, EncodeError, Gap, SseEvent};

/// What happens to a subscriber that falls behind what is kept.
///
/// A subscriber never holds up a publisher, and has no queue: it lags when
/// [`Retention`](sse_core::Retention) has removed what it was to read next.
#[derive(Clone, Default)]
pub struct Lag(pub(super) Policy);

type GapEvent = Arc<dyn Fn(&Gap) -> Result<Block, EncodeError> + Send + Sync>;

#[derive(Clone, Default)]
pub(super) enum Policy {
    #[default]
    Close,
    Tell(GapEvent),
    Skip,
}

impl Lag {
    /// The stream ends, and the client comes back with the last id it has seen: what it gets
    /// then is decided where it subscribes. The default.
    #[must_use]
    pub fn close() -> Self {
        Self(Policy::Close)
    }

    /// The client is sent this event, and then what is still kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_tower::{Lag, SseEvent};
    ///
    /// #[derive(SseEvent)]
    /// enum Feed {
    ///     Lost { events: Option<u64> },
    /// }
    ///
    /// let lag = Lag::tell(|gap| Feed::Lost { events: gap.lost() });
    /// ```
    #[must_use]
    pub fn tell<E: SseEvent>(event: impl Fn(&Gap) -> E + Send + Sync + 'static) -> Self {
        Self(Policy::Tell(Arc::new(move |gap| {
            Block::encode(&event(gap))
        })))
    }

    /// The client is sent the newest event that is kept and what comes then, and is not told.
    ///
    /// For states, each of which makes those before it worthless.
    #[must_use]
    pub fn skip_to_latest() -> Self {
        Self(Policy::Skip)
    }
}

impl fmt::Debug for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Policy::Close => "Lag::close",
            Policy::Tell(_) => "Lag::tell",
            Policy::Skip => "Lag::skip_to_latest",
        })
    }
}

/// The subscriber, or the connection of a [`ResumeLayer`](crate::ResumeLayer), fell behind what is
/// kept, so its stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged(pub(crate) Gap);

impl Lagged {
    /// What it missed.
    #[must_use]
    pub fn gap(&self) -> Gap {
        self.0
    }
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the subscriber fell behind what is kept")
    }
}

impl Error for Lagged {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
