//! Where a topic stands, for everybody who has to do with it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sse_core::log::{GapCause, Log};
use sse_core::{Cursor, Gap};
use tokio::runtime::Handle;

use super::pages::Pages;
use super::places::Places;
use crate::store::TopicKey;

/// What the handles, the writer and the subscriptions of a topic share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) key: TopicKey,
    pub(super) log: Log,
    pub(super) runtime: Handle,
    /// The number of [`Opened::start`](crate::store::Opened::start).
    pub(super) start: AtomicU64,
    pub(super) pages: Pages,
    /// Of the subscriptions that read the store.
    pub(super) places: Places,
    /// Whether nothing is published here any more.
    pub(super) stopped: AtomicBool,
}

impl Shared {
    /// Ends the subscriptions: they had better come back.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.log.detach();
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Whether what follows a gap is of this history, and shown here.
    pub(super) fn knows(&self, gap: &Gap) -> bool {
        let (head, resume) = (self.log.head(), gap.resume());
        gap.cause() == GapCause::Evicted
            && resume.epoch() == head.epoch()
            && resume.seq() <= head.seq()
    }

    /// The place before the newest event, if that is still there.
    pub(super) fn before_latest(&self) -> Cursor {
        let (head, start) = (self.log.head(), self.start());
        let seq = head.seq().saturating_sub(1).max(start.seq());
        Cursor::new(head.epoch(), seq)
    }

    /// The oldest cursor after which nothing is missing, in the store or in the ring.
    pub(super) fn start(&self) -> Cursor {
        let ring = self.log.start();
        let store = self.start.load(Ordering::Acquire);
        Cursor::new(ring.epoch(), store.min(ring.seq()))
    }
}
