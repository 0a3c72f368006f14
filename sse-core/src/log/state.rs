//! What the log and its readers share, behind one lock.

use std::sync::PoisonError;
use std::task::Poll;
use std::time::Instant;

use super::batch::{Batch, Kept};
use super::ring::{Ring, Stand};
use super::stands::Stands;
use super::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use super::wakers::Wakers;
use super::{AppendError, Cursor, Read, ReadLimit, Retention};

pub(super) struct Shared {
    state: Mutex<State>,
    /// How often the list of wakers was taken. A reader that is on the list of this number has
    /// nothing to read.
    round: AtomicU64,
    pub(super) epoch: u64,
}

pub(super) struct State {
    pub(super) ring: Ring,
    pub(super) phase: Phase,
    pub(super) wakers: Wakers,
    pub(super) stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    Closed,
    Detached,
}

impl Shared {
    pub(super) fn new(head: Cursor, retention: Retention) -> Self {
        let state = State {
            ring: Ring::new(head, retention),
            phase: Phase::Open,
            wakers: Wakers::default(),
            stands: Stands::default(),
        };
        Self {
            state: Mutex::new(state),
            round: AtomicU64::new(0),
            epoch: head.epoch(),
        }
    }

    /// Ordered after everything that was done under the lock before the list was taken.
    pub(super) fn round(&self) -> u64 {
        self.round.load(Ordering::Acquire)
    }

    /// Says, under the lock, that the list is taken.
    pub(super) fn next_round(&self) {
        self.round.fetch_add(1, Ordering::Release);
    }

    /// A panic under the lock would be a bug of this crate; the others may go on.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Differs whenever a reader that has caught up has something to read.
    pub(super) fn version(&self) -> (u64, Phase) {
        (self.ring.appended(), self.phase)
    }

    pub(super) fn check_open(&self) -> Result<(), AppendError> {
        match self.phase {
            Phase::Open => Ok(()),
            Phase::Closed => Err(AppendError::Closed),
            Phase::Detached => Err(AppendError::Detached),
        }
    }

    pub(super) fn append(
        &mut self,
        batch: &Batch,
        now: Instant,
        then: Phase,
    ) -> Result<Option<Cursor>, AppendError> {
        self.check_open()?;
        let head = self.ring.head().seq();
        if head.checked_add(batch.len() as u64).is_none() {
            return Err(AppendError::Exhausted);
        }
        let closing = then == Phase::Closed;
        if closing {
            // From here on the newest entry stays however old it is, to tell how the log ended.
            self.ring.evict(now, false);
        }
        for piece in batch.pieces() {
            match piece.keep {
                Kept::Never if closing => self.ring.push(&piece, &Kept::All, now),
                Kept::Never if self.stands.len() == 0 => {}
                keep => self.ring.push(&piece, keep, now),
            }
        }
        self.phase = then;
        self.ring.evict(now, closing);
        let newest = self.ring.head();
        Ok((newest.seq() > head).then_some(newest))
    }

    /// What comes next for a reader.
    pub(super) fn read(&mut self, stand: &mut Stand, limit: ReadLimit) -> Poll<Read> {
        let read = self.ring.read(stand, limit);
        if read.is_ready() {
            return read;
        }
        match self.phase {
            Phase::Open => Poll::Pending,
            Phase::Closed => Poll::Ready(Read::Closed),
            Phase::Detached => Poll::Ready(Read::Detached),
        }
    }
}
