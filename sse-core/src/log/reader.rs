//! Reading a log.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::ring::Stand;
use super::state::Shared;
use super::wakers::Slot;
use super::{Cursor, Gap, ReadLimit};
use crate::block::Block;
use crate::waker_id::WakerId;

/// Reads a log from a cursor on: what is kept first, then what comes.
///
/// It is no future and no stream of its own, but [`poll_next`](Self::poll_next) is made to be
/// called by one. Dropped, it leaves nothing behind in the log.
pub struct Reader {
    shared: Arc<Shared>,
    epoch: u64,
    /// Where the log keeps the place of this reader.
    index: usize,
    stand: Stand,
    limit: ReadLimit,
    waited: u64,
    slot: Option<Slot>,
    waiting: Option<Waiting>,
}

/// A waker of the reader is on the list of this round.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Waiting {
    round: u64,
    waker: WakerId,
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
    pub(super) fn new(shared: &Arc<Shared>, epoch: u64, index: usize, stand: Stand) -> Self {
        Self {
            shared: Arc::clone(shared),
            epoch,
            index,
            stand,
            limit: ReadLimit::default(),
            waited: 0,
            slot: None,
            waiting: None,
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
        let waker = WakerId::of(cx.waker());
        let round = self.shared.round();
        // Servers ask several times for each wake; all but one time the lock is not needed.
        if self.waiting == Some(Waiting { round, waker }) {
            return Poll::Pending;
        }
        let mut state = self.shared.lock();
        let before = self.stand.seq;
        if let Some(read) = state.read(&mut self.stand, self.limit) {
            self.waited = state.ring.head().seq().saturating_sub(before);
            state.stands.set(self.index, self.stand.seq);
            self.waiting = None;
            return Poll::Ready(read);
        }
        let replaced = state.wakers.register(&mut self.slot, cx.waker());
        // Under the lock, so that it is the round of the list.
        let round = self.shared.round();
        drop(state);
        self.waiting = Some(Waiting { round, waker });
        // Without the lock: a waker may own the task that owns this reader.
        drop(replaced);
        Poll::Pending
    }

    /// Gives what comes next, if it is there.
    #[must_use]
    pub fn next_ready(&mut self) -> Option<Read> {
        let mut state = self.shared.lock();
        let read = state.read(&mut self.stand, self.limit);
        state.stands.set(self.index, self.stand.seq);
        read
    }

    /// Leaves out what is not read yet but for the newest entry, and returns where that leads.
    pub fn skip_to_latest(&mut self) -> Cursor {
        let mut state = self.shared.lock();
        state.ring.skip(&mut self.stand);
        state.stands.set(self.index, self.stand.seq);
        self.cursor()
    }

    /// How many entries waited for this reader when [`poll_next`](Self::poll_next) last gave it
    /// some.
    #[must_use]
    pub fn waited(&self) -> u64 {
        self.waited
    }

    /// The last place that this reader was given: the id of its last event, where a
    /// [`Gap`] resumes, or else where it began.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.epoch, self.stand.seq)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.shared.lock();
            state.stands.remove(self.index);
            state.wakers.remove(self.slot.take())
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
