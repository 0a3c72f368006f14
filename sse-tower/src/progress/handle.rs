//! `Handle`: how a reporter reaches its task.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::board::Board;

/// One task of a board; clones are the same.
#[derive(Clone)]
pub(super) struct Handle {
    board: Arc<Board>,
    counter: Arc<Counter>,
    task: u64,
}

/// What is written without a lock. Those of two threads are in different cache lines.
#[repr(align(64))]
pub(super) struct Counter {
    position: AtomicU64,
    /// [`UNKNOWN`] is no length.
    length: AtomicU64,
}

const UNKNOWN: u64 = u64::MAX;

impl Handle {
    pub(super) fn new(board: Arc<Board>, counter: Arc<Counter>, task: u64) -> Self {
        Self {
            board,
            counter,
            task,
        }
    }

    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    pub(super) fn task(&self) -> u64 {
        self.task
    }

    pub(super) fn inc(&self, delta: u64) {
        if delta > 0 {
            self.counter.add(delta);
            self.board.changed();
        }
    }

    pub(super) fn set_position(&self, position: u64) {
        if self.counter.position.swap(position, Ordering::SeqCst) != position {
            self.board.changed();
        }
    }

    pub(super) fn position(&self) -> u64 {
        let shown = self.board.shown(self.task);
        shown.map_or_else(|| self.counter.position(), |(position, _)| position)
    }

    pub(super) fn set_length(&self, length: Option<u64>) {
        let length = length.map_or(UNKNOWN, known);
        if self.counter.length.swap(length, Ordering::SeqCst) != length {
            self.board.changed();
        }
    }

    pub(super) fn inc_length(&self, delta: u64) {
        // Nothing to add to if it is unknown.
        let longer = |length| {
            (length != UNKNOWN && delta > 0).then(|| known(u64::saturating_add(length, delta)))
        };
        let length = &self.counter.length;
        if length
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, longer)
            .is_ok()
        {
            self.board.changed();
        }
    }

    pub(super) fn length(&self) -> Option<u64> {
        let shown = self.board.shown(self.task);
        shown.map_or_else(|| self.counter.length(), |(_, length)| length)
    }

    pub(super) fn set_message(&self, message: Cow<'static, str>) {
        self.board.set_message(self.task, message);
    }

    pub(super) fn add(&self, name: String, total: Option<u64>, part: bool) -> Self {
        let counter = Arc::new(Counter::new(total));
        let task = self.board.add(self.task, name, Arc::clone(&counter), part);
        Self::new(Arc::clone(&self.board), counter, task)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

impl Counter {
    pub(super) fn new(length: Option<u64>) -> Self {
        Self {
            position: AtomicU64::new(0),
            length: AtomicU64::new(length.map_or(UNKNOWN, known)),
        }
    }

    pub(super) fn add(&self, delta: u64) {
        // `SeqCst`, here and at the board: either the one who is about to wait sees the new
        // position, or `changed` sees that it waits. It costs no more than any addition.
        let before = self.position.fetch_add(delta, Ordering::SeqCst);
        if before.checked_add(delta).is_none() {
            self.position.store(u64::MAX, Ordering::SeqCst);
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.position.load(Ordering::SeqCst)
    }

    pub(super) fn length(&self) -> Option<u64> {
        let length = self.length.load(Ordering::SeqCst);
        (length != UNKNOWN).then_some(length)
    }
}

/// A length that is not taken for none.
fn known(length: u64) -> u64 {
    length.min(UNKNOWN - 1)
}
