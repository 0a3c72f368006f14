//! What a client is told that comes back too late.

use sse_core::Gap;

use super::run::RunEvents;

/// A client came back to a run that does not have what the client has not seen.
///
/// Handed to the function of [`ResumeLayer::on_gap`](crate::ResumeLayer::on_gap).
#[derive(Debug)]
pub struct RunGap {
    pub(super) gap: Option<Gap>,
    pub(super) rest: RunEvents,
}

impl RunGap {
    /// What is missing; `None` if the client sent an id that is none of this layer's.
    #[must_use]
    pub fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }

    /// The events that are still there, and those that come: what belongs behind a snapshot.
    #[must_use]
    pub fn into_events(self) -> RunEvents {
        self.rest
    }
}
