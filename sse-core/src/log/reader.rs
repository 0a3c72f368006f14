//! Reading a log.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::{fmt, mem};

use super::ring::Stand;
use super::state::Shared;
use super::wakers::Slot;
use super::{Cursor, Gap, ReadLimit};
use crate::block::Block;

/// Reads a log from a cursor on: what is kept first, then what comes.
///
/// It is no future and no stream of its own, but [`poll_next`](Self::poll_next) is made to be
/// called by one. Dropped, it leaves nothing behind in the log.
pub struct Reader {
    shared: Arc<Shared>,
    /// Where the log keeps the place of this reader.
    index: usize,
    stand: Stand,
    limit: ReadLimit,
    /// How many events waited when the last block was given, until that was told; or 0.
    waited: u64,
    /// How many waited at a gap, which the next block counts with its own; or 0.
    missed: u64,
    slot: Option<Slot>,
}

/// What a reader is given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Read {
    /// The next events, whole and in order.
    Block(Block),
    /// Events that retention removed before this reader came to them. Reading on gives
    /// what is still kept.
    Gap(Gap),
    /// The log is closed, and this reader was given everything. Nothing else follows.
    Closed,
    /// The log was [detached](super::Log::detach), and this reader was given everything.
    /// Nothing else follows here, but a log of the same epoch may go on elsewhere.
    Detached,
}

impl Reader {
    pub(super) fn new(shared: &Arc<Shared>, index: usize, stand: Stand) -> Self {
        Self {
            shared: Arc::clone(shared),
            index,
            stand,
            limit: ReadLimit::default(),
            waited: 0,
            missed: 0,
            slot: None,
        }
    }

    /// Bounds what one read hands out.
    #[must_use]
    pub fn with_limit(mut self, limit: ReadLimit) -> Self {
        self.limit = limit;
        self
    }

    /// Gives what comes next, or arranges for a wake-up by the append that brings it.
    ///
    /// Only the waker of the last call is woken. The end is given again by every later call.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        if self.waits(cx.waker()) {
            return Poll::Pending;
        }
        let mut state = self.shared.lock();
        let before = self.stand.seq;
        let read = state.read(&mut self.stand, self.limit);
        if let Poll::Ready(read) = &read {
            state.stands.set(self.index, self.stand.seq);
            let behind = state.ring.head().seq().saturating_sub(before);
            drop(state);
            self.note_waited(read, behind);
        } else {
            // Under the lock, so that it is the round of the list.
            let round = self.shared.round();
            let replaced = state.wakers.register(&mut self.slot, round, cx.waker());
            drop(state);
            // Without the lock: a waker may own the task that owns this reader.
            drop(replaced);
        }
        read
    }

    /// Whether there is nothing to read, and the next append wakes `waker`.
    ///
    /// Servers ask several times for each wake; all but one time the lock is not needed. A wake
    /// is ordered before the poll that it causes, so that one sees the new round.
    fn waits(&self, waker: &Waker) -> bool {
        let round = self.shared.round();
        self.slot
            .as_ref()
            .is_some_and(|slot| slot.holds(round, waker))
    }

    /// Gives what comes next, if it is there.
    #[must_use]
    pub fn next_ready(&mut self) -> Option<Read> {
        let mut state = self.shared.lock();
        let read = state.read(&mut self.stand, self.limit);
        state.stands.set(self.index, self.stand.seq);
        match read {
            Poll::Ready(read) => Some(read),
            Poll::Pending => None,
        }
    }

    /// Leaves out what is not read yet but for the newest entry, and returns where that leads.
    pub fn skip_to_latest(&mut self) -> Cursor {
        let mut state = self.shared.lock();
        state.ring.skip(&mut self.stand);
        state.stands.set(self.index, self.stand.seq);
        self.cursor()
    }

    /// How many events waited for this reader when [`poll_next`](Self::poll_next) gave it the
    /// last block, those that it missed before included. Told once.
    pub fn take_waited(&mut self) -> Option<u64> {
        let waited = mem::take(&mut self.waited);
        (waited > 0).then_some(waited)
    }

    /// Notes how many events waited.
    fn note_waited(&mut self, read: &Read, behind: u64) {
        self.waited = match read {
            Read::Block(block) => {
                let missed = mem::take(&mut self.missed);
                behind.max(missed).max(block.events().into())
            }
            Read::Gap(_) => {
                self.missed = behind;
                0
            }
            Read::Closed | Read::Detached => 0,
        };
    }

    /// The last place that this reader was given: the id of its last event, where a
    /// [`Gap`] resumes, or else where it began.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.shared.epoch, self.stand.seq)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.shared.lock();
            state.stands.remove(self.index);
            state.wakers.remove(self.slot.take(), self.shared.round())
        };
        // Without the lock, as above.
        drop(waker);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("cursor", &self.cursor())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
