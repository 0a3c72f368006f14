//! When a store is trimmed.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use sse_core::Retention;
use tokio::time::Instant;

use super::commit::Commit;
use super::shared::Shared;
use crate::store::{BoxStore, EventStore};
use crate::topic::topic::now;

/// Trims a store whenever an eighth more than it is to keep has come, or an eighth of the time
/// has passed that it is to keep it for.
pub(super) struct Trim {
    retention: Retention,
    /// Events and bytes since it was trimmed.
    events: usize,
    bytes: usize,
    /// When it is trimmed in any case.
    pub(super) at: Option<Instant>,
}

/// A trim is a commit of its own, which is too much for every few events.
const LEAST: usize = 32;

impl Trim {
    pub(super) fn new(retention: Retention) -> Self {
        let mut new = Self {
            retention,
            events: 0,
            bytes: 0,
            at: None,
        };
        new.begin();
        new
    }

    pub(super) fn count(&mut self, commit: &Commit) {
        self.events += commit.events();
        self.bytes += commit.bytes();
    }

    pub(super) async fn trim_if_due(&mut self, store: &BoxStore, shared: &Shared) {
        let (events, bytes) = (self.retention.max_events(), self.retention.max_bytes());
        let much = self.events > (events / 8).max(LEAST) || self.bytes > bytes / 8;
        if !much && self.at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        let trimmed = store.trim(&shared.key, self.retention, SystemTime::now());
        match trimmed.await {
            Ok(start) => {
                shared.start.fetch_max(start.seq(), Ordering::Release);
                shared.log.evict(now());
            }
            Err(error) => tracing::warn!(?error, "a topic could not be trimmed"),
        }
        self.begin();
    }

    /// Counts anew; after a failure too, so that it is not tried again at every event.
    fn begin(&mut self) {
        (self.events, self.bytes) = (0, 0);
        let age = self.retention.max_age();
        let pause = age.map(|age| (age / 8).max(Duration::from_secs(1)));
        // An age that no clock reaches is none.
        self.at = pause.and_then(|pause| Instant::now().checked_add(pause));
    }
}
