//! What a returning client is sent: a log of encoded events that any number of readers share.
//!
//! A [`Log`] gives every event an id, its [`Cursor`]: the epoch of the log and a number without
//! holes. It keeps the newest events, as many as [`Retention`] says. A [`Reader`] is a cursor
//! and a waker, never a queue: replay and live are the same read, so there is no hand-over
//! between them, and a reader that stalls costs nothing but what it missed.
//!
//! - An event is encoded once, by [`Batch`]; readers are handed parts of the same bytes, as many
//!   events in one [`Block`](crate::Block) as were appended since the last read.
//! - What a log keeps of an event is for [`SseEvent::keep`] to say:
//!   everything, the newest of its kind and key, or nothing. `Latest` compacts: the older entry
//!   is removed at once. A `Never` event has no number and no `id` line, and goes to the readers
//!   that are attached at that moment; the log holds the last 256 of them, up to 64 KiB, for
//!   those that have not read it yet.
//! - A reader gets, in order and once, every kept event after its cursor, less those that a newer
//!   one of their key replaced, or a [`Gap`] with the exact bounds of what retention removed.
//! - [`close`](Log::close) is a state that stays: late readers get the rest, then the end.
//!   [`detach`](Log::detach), which dropping the log does too, ends readers that would come back.
//!
//! There is no clock in here: `now` is an argument. There is no I/O and no runtime either;
//! wakers are called without the lock, and the caller's code is not run under it.
//!
//! Memory: what is kept, up to twice of it while dead entries wait to be packed, a few segments
//! of 16 KiB, and 80 to 160 bytes for each entry. A block that a reader holds keeps the one
//! segment that it is part of. Packing copies what is kept, once for at least as many bytes
//! written.
//!
//! # Examples
//!
//! ```
//! use std::task::{Context, Poll, Waker};
//! use std::time::Instant;
//! use sse_core::log::{Log, Read};
//! use sse_core::{Cursor, Event, Missed, Retention};
//!
//! let log = Log::new(7, Retention::events(2));
//! let mut cx = Context::from_waker(Waker::noop());
//! let mut reader = log.reader();
//! assert!(reader.poll_next(&mut cx).is_pending());
//!
//! for text in ["a", "b"] {
//!     log.append(&Event::new().data(text), Instant::now())?;
//! }
//! let Poll::Ready(Read::Block(block)) = reader.poll_next(&mut cx) else { panic!() };
//! assert_eq!(&block.bytes()[..], b"id: 7.1\ndata: a\n\nid: 7.2\ndata: b\n\n");
//!
//! // A client that was sent the first event comes back.
//! let mut reader = log.reader_after("7.1".parse()?)?;
//! let Poll::Ready(Read::Block(block)) = reader.poll_next(&mut cx) else { panic!() };
//! assert_eq!(&block.bytes()[..], b"id: 7.2\ndata: b\n\n");
//!
//! // Another comes back too late.
//! log.append(&Event::new().data("c"), Instant::now())?;
//! let Err(Missed::Gap(gap)) = log.reader_after(Cursor::new(7, 0)) else { panic!() };
//! assert_eq!((gap.resume(), gap.lost()), (Cursor::new(7, 1), Some(1)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod append_error;
mod batch;
mod cursor;
mod gap;
#[cfg(test)]
mod model;
mod reader;
mod retention;
mod ring;
mod segments;
mod stands;
mod state;
mod sync;
mod wakers;

use std::fmt;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

pub use self::append_error::AppendError;
pub use self::batch::Batch;
pub use self::cursor::{Cursor, CursorError};
pub use self::gap::{Gap, GapCause, Missed};
pub use self::reader::{Read, Reader};
pub use self::retention::{ReadLimit, Retention};
pub use self::stands::Behind;
use self::state::{Phase, Shared, State};
use crate::typed::SseEvent;

/// A log of events, to which any thread appends and from which any number of readers read.
///
/// The [module](self) explains it. Dropping the log [detaches](Self::detach) its readers.
pub struct Log {
    shared: Arc<Shared>,
}

impl Log {
    /// An empty log, whose first entry will have the number 1.
    ///
    /// Choose an epoch that no log of the same name had before, such as the time of the start:
    /// a cursor of another epoch is told as a gap, and one of the same epoch is trusted.
    #[must_use]
    pub fn new(epoch: u64, retention: Retention) -> Self {
        Self::starting_after(Cursor::new(epoch, 0), retention)
    }

    /// An empty log that goes on after `head`: what came before is in a store, or gone.
    #[must_use]
    pub fn starting_after(head: Cursor, retention: Retention) -> Self {
        Self {
            shared: Arc::new(Shared::new(head, retention)),
        }
    }

    /// Appends one event and wakes the readers that have caught up.
    ///
    /// Returns its cursor; `None` if it has none, because it is live-only or has no data, which
    /// leaves nothing in the log. Everything that `now` makes too old goes.
    ///
    /// # Errors
    ///
    /// An [`AppendError`] if the event has an id of its own or cannot be encoded, or the log has
    /// ended. The log is then as it was.
    pub fn append<E: SseEvent + ?Sized>(
        &self,
        event: &E,
        now: Instant,
    ) -> Result<Option<Cursor>, AppendError> {
        let mut batch = Batch::new();
        batch.push(event)?;
        self.append_batch(&batch, now)
    }

    /// Appends the events of a batch next to each other and wakes the readers once.
    ///
    /// Returns the cursor of the last one that has a number.
    ///
    /// # Errors
    ///
    /// An [`AppendError`] if the log has ended; none of the events is then in it.
    pub fn append_batch(&self, batch: &Batch, now: Instant) -> Result<Option<Cursor>, AppendError> {
        self.change(|state| state.append(batch, now, Phase::Open))
    }

    /// Appends events that a store has committed, of which `first` is the first.
    ///
    /// # Errors
    ///
    /// As [`append_batch`](Self::append_batch), and [`NotNext`](AppendError::NotNext) if `first`
    /// does not follow the newest entry.
    pub fn append_stored(
        &self,
        first: Cursor,
        batch: &Batch,
        now: Instant,
    ) -> Result<Option<Cursor>, AppendError> {
        self.change(|state| {
            let head = state.ring.head();
            let next = head.seq().checked_add(1).ok_or(AppendError::Exhausted)?;
            let expected = Cursor::new(head.epoch(), next);
            if first != expected {
                return Err(AppendError::NotNext { expected });
            }
            state.append(batch, now, Phase::Open)
        })
    }

    /// Closes the log for good: readers get the rest, then [`Read::Closed`].
    pub fn close(&self) {
        self.end(Phase::Closed);
    }

    /// Appends the last events and closes the log, in one step.
    ///
    /// They are kept even if they are live-only: a reader that comes late is to learn how it
    /// ended. Returns the cursor of the newest entry.
    ///
    /// # Errors
    ///
    /// As [`append_batch`](Self::append_batch).
    pub fn close_with(&self, last: &Batch, now: Instant) -> Result<Option<Cursor>, AppendError> {
        self.change(|state| state.append(last, now, Phase::Closed))
    }

    /// Ends the readers, which get the rest and then [`Read::Detached`], and refuses new events.
    ///
    /// A log that is closed stays closed.
    pub fn detach(&self) {
        self.end(Phase::Detached);
    }

    /// Removes what is too old at `now`, for a log to which nobody appends.
    pub fn evict(&self, now: Instant) {
        let mut state = self.shared.lock();
        let closed = state.phase == Phase::Closed;
        state.ring.evict(now, closed);
    }

    /// A reader of what is appended from now on; of a log that is closed, of its newest entry, so
    /// that everybody learns how it ended.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let mut state = self.shared.lock();
        let at = match state.phase {
            Phase::Closed => state.ring.before_newest(),
            Phase::Open | Phase::Detached => state.ring.head(),
        };
        let reader = self.attach(&mut state, at);
        reader.expect("the newest entry is no gap")
    }

    /// A reader of everything that is kept and of what comes.
    #[must_use]
    pub fn reader_from_start(&self) -> Reader {
        let mut state = self.shared.lock();
        let start = state.ring.start();
        let reader = self.attach(&mut state, start);
        reader.expect("what is kept begins there")
    }

    /// A reader of what comes after `cursor`.
    ///
    /// # Errors
    ///
    /// [`Missed::Gap`] if something after `cursor` is gone or `cursor` is not of this log, and
    /// [`Missed::Closed`] if nothing comes after it.
    pub fn reader_after(&self, cursor: Cursor) -> Result<Reader, Missed> {
        let mut state = self.shared.lock();
        if state.phase == Phase::Closed && cursor == state.ring.head() {
            return Err(Missed::Closed);
        }
        Ok(self.attach(&mut state, cursor)?)
    }

    /// The newest cursor that the log has given out.
    #[must_use]
    pub fn head(&self) -> Cursor {
        self.shared.lock().ring.head()
    }

    /// The oldest cursor after which nothing is missing.
    #[must_use]
    pub fn start(&self) -> Cursor {
        self.shared.lock().ring.start()
    }

    /// How many readers there are.
    #[must_use]
    pub fn readers(&self) -> usize {
        self.shared.lock().stands.len()
    }

    /// How far the reader that is furthest behind is behind, at `now`; `None` without readers.
    ///
    /// It looks at every reader and at what is kept, so it is for a gauge and not for each
    /// append.
    #[must_use]
    pub fn slowest(&self, now: Instant) -> Option<Behind> {
        let state = self.shared.lock();
        let seq = state.stands.lowest()?;
        Some(state.ring.behind(seq, now))
    }

    /// How far a reader is behind at `now` that was sent everything up to `cursor`, which is of
    /// this log.
    #[must_use]
    pub fn behind(&self, cursor: Cursor, now: Instant) -> Behind {
        self.shared.lock().ring.behind(cursor.seq(), now)
    }

    /// How many readers were not sent everything up to `cursor`, which is of this log. With that
    /// of [`start`](Self::start) it is those that are to be told of a gap.
    #[must_use]
    pub fn readers_before(&self, cursor: Cursor) -> usize {
        self.shared.lock().stands.before(cursor.seq())
    }

    /// Whether the log is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().phase == Phase::Closed
    }

    fn attach(&self, state: &mut State, cursor: Cursor) -> Result<Reader, Gap> {
        let stand = state.ring.stand_after(cursor)?;
        let index = state.stands.add(cursor.seq());
        Ok(Reader::new(&self.shared, index, stand))
    }

    fn end(&self, phase: Phase) {
        let ended = self.change(|state| {
            state.check_open()?;
            state.phase = phase;
            Ok(())
        });
        // It has ended already, which is what was asked for.
        let _: Result<(), AppendError> = ended;
    }

    /// Changes the log and then, without the lock, wakes whoever waits for a change.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, AppendError>,
    ) -> Result<T, AppendError> {
        let (changed, mut waiting) = {
            let mut state = self.shared.lock();
            let before = state.version();
            let changed = change(&mut state)?;
            if state.version() == before {
                return Ok(changed);
            }
            self.shared.next_round();
            (changed, state.wakers.take())
        };
        if waiting.capacity() > 0 {
            waiting.drain(..).flatten().for_each(Waker::wake);
            self.shared.lock().wakers.give_back(waiting);
        }
        Ok(changed)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.detach();
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Log")
            .field("start", &state.ring.start())
            .field("head", &state.ring.head())
            .field("phase", &state.phase)
            .field("readers", &state.stands.len())
            .finish()
    }
}
