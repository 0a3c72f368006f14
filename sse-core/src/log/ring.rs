//! The entries of a log: numbered, kept, superseded, removed, read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use super::batch::{Kept, Piece};
use super::segments::{Place, Segments};
use super::stands::Behind;
use super::{Cursor, Gap, GapCause, Read, ReadLimit, Retention};
use crate::block::Block;

/// How many live-only events, and bytes of them, wait for readers that are about to read.
const PASSING_EVENTS: usize = 256;
const PASSING_BYTES: usize = 64 * 1024;

/// A log without its lock and its readers.
///
/// An entry has a sequence number, which readers know, and a position, which orders it among
/// all entries, live-only ones too.
#[derive(Debug)]
pub(super) struct Ring {
    retention: Retention,
    epoch: u64,
    /// The newest sequence number.
    head: u64,
    /// The newest sequence number that retention removed, or that the log began after.
    lost: u64,
    /// The position of the next entry.
    next: u64,
    entries: VecDeque<Entry>,
    segments: Segments,
    /// Entries that count for retention, and their bytes.
    events: usize,
    bytes: usize,
    /// The positions of live-only entries, and their bytes.
    passing: VecDeque<u64>,
    passing_bytes: usize,
    /// Entries that are gone, but still stand among the others.
    dead: usize,
    /// The position of the newest entry of each kind and key.
    latest: BTreeMap<Arc<str>, u64>,
    given: Option<Given>,
    #[cfg(test)]
    pub(super) removed: Vec<u64>,
}

#[derive(Debug)]
struct Entry {
    position: u64,
    /// Of a live-only entry: the one before it.
    seq: u64,
    at: Instant,
    place: Place,
    key: Option<Arc<str>>,
    state: State,
    terminal: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Durable,
    Passing,
    Dead,
}

/// The block that was handed out last, for other readers at the same place: after a wake, most
/// are.
#[derive(Debug)]
struct Given {
    from: u64,
    limit: ReadLimit,
    block: Block,
    seq: u64,
    position: u64,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    /// The last entry that it was sent.
    pub(super) seq: u64,
    /// The next position to look at.
    position: u64,
    /// Live-only events before this position are not for it.
    attached: u64,
}

impl Ring {
    /// A log whose entries after `head` are still to come, and those before it are elsewhere.
    pub(super) fn new(head: Cursor, retention: Retention) -> Self {
        Self {
            retention,
            epoch: head.epoch(),
            head: head.seq(),
            lost: head.seq(),
            next: 0,
            entries: VecDeque::new(),
            segments: Segments::default(),
            events: 0,
            bytes: 0,
            passing: VecDeque::new(),
            passing_bytes: 0,
            dead: 0,
            latest: BTreeMap::new(),
            given: None,
            #[cfg(test)]
            removed: Vec::new(),
        }
    }

    pub(super) fn cursor(&self, seq: u64) -> Cursor {
        Cursor::new(self.epoch, seq)
    }

    pub(super) fn head(&self) -> Cursor {
        self.cursor(self.head)
    }

    /// How many entries there ever were, live-only ones too.
    pub(super) fn appended(&self) -> u64 {
        self.next
    }

    /// Where a reader that knows nothing begins: before everything that is kept.
    pub(super) fn start(&self) -> Cursor {
        self.cursor(self.lost)
    }

    /// Where a reader stands that was sent everything up to `cursor`.
    pub(super) fn stand_after(&self, cursor: Cursor) -> Result<Stand, Gap> {
        let cause = if cursor.epoch() != self.epoch {
            GapCause::Epoch
        } else if cursor.seq() > self.head {
            GapCause::Future
        } else if cursor.seq() < self.lost {
            GapCause::Evicted
        } else {
            let behind = self.entries.partition_point(|e| e.seq <= cursor.seq());
            return Ok(Stand {
                seq: cursor.seq(),
                position: self.entries.get(behind).map_or(self.next, |e| e.position),
                attached: self.next,
            });
        };
        Err(Gap::new(cursor, self.start(), cause))
    }

    /// The place before the newest entry, if that is kept, or else behind it.
    pub(super) fn before_newest(&self) -> Cursor {
        let before = self.head.saturating_sub(1);
        self.cursor(before.max(self.lost))
    }

    /// Moves on to before the newest entry.
    pub(super) fn skip(&self, stand: &mut Stand) {
        let before = self.before_newest();
        if before.seq() > stand.seq
            && let Ok(skipped) = self.stand_after(before)
        {
            // Live-only events that it was there for are still for it.
            let attached = stand.attached;
            *stand = Stand {
                attached,
                ..skipped
            };
        }
    }

    /// Appends one event; the caller made sure that there is a number for it.
    pub(super) fn push(&mut self, piece: &Piece<'_>, keep: &Kept, now: Instant) {
        let (state, key) = match keep {
            Kept::All => (State::Durable, None),
            Kept::Latest(key) => (State::Durable, Some(Arc::clone(key))),
            Kept::Never => (State::Passing, None),
        };
        let place = if state == State::Passing {
            self.segments.push(&[piece.head, piece.rest])
        } else {
            self.head += 1;
            let (mut epoch, mut seq) = (itoa::Buffer::new(), itoa::Buffer::new());
            let (epoch, seq) = (epoch.format(self.epoch), seq.format(self.head));
            let parts = [
                piece.head,
                b"id: ",
                epoch.as_bytes(),
                b".",
                seq.as_bytes(),
                b"\n",
                piece.rest,
            ];
            self.segments.push(&parts)
        };
        if let Some(key) = &key
            && let Some(older) = self.latest.insert(Arc::clone(key), self.next)
        {
            self.kill_at(older);
        }
        if state == State::Passing {
            self.passing.push_back(self.next);
            self.passing_bytes += place.len;
        } else {
            self.events += 1;
            self.bytes += place.len;
        }
        self.entries.push_back(Entry {
            position: self.next,
            seq: self.head,
            at: now,
            place,
            key,
            state,
            terminal: piece.terminal,
        });
        self.next += 1;
    }

    /// Removes what retention does not keep, and gives memory back. With `keep_last` the newest
    /// entry stays however old it is. Every change ends with this.
    pub(super) fn evict(&mut self, now: Instant, keep_last: bool) {
        self.given = None;
        let Retention { events, bytes, age } = self.retention;
        while let Some(oldest) = self.entries.front() {
            let last = self.events <= 1;
            let over = !last && (self.events > events || self.bytes > bytes);
            let aged = age.is_some_and(|age| now.saturating_duration_since(oldest.at) >= age);
            let spared = last && keep_last && oldest.state == State::Durable;
            if !(over || aged && !spared || oldest.state == State::Dead) {
                break;
            }
            if oldest.state == State::Durable {
                self.lost = oldest.seq;
                #[cfg(test)]
                self.removed.push(oldest.seq);
                if let Some(key) = &oldest.key {
                    self.latest.remove(key);
                }
            }
            self.kill(0);
            self.entries.pop_front();
            self.dead -= 1;
        }
        self.limit_passing();
        if self.dead > 64 + self.entries.len() / 2 {
            self.purge();
        }
        if let Some(from) = self.segments.due() {
            let first = self.entries.partition_point(|e| e.place.chunk < from);
            let entries = self.entries.range_mut(first..);
            let places = entries.map(|e| (&mut e.place, e.state != State::Dead));
            self.segments.pack(from, places);
        }
    }

    /// The next events for a reader, or what it missed; nothing if it was sent everything.
    pub(super) fn read(&mut self, stand: &mut Stand, limit: ReadLimit) -> Poll<Read> {
        if stand.seq < self.lost {
            let requested = self.cursor(stand.seq);
            stand.seq = self.lost;
            let gap = Gap::new(requested, self.start(), GapCause::Evicted);
            return Poll::Ready(Read::Gap(gap));
        }
        if let Some(given) = &self.given
            && given.from == stand.position
            && given.limit == limit
            && stand.attached <= given.from
        {
            (stand.seq, stand.position) = (given.seq, given.position);
            return Poll::Ready(Read::Block(given.block.clone()));
        }
        if stand.position == self.next {
            return Poll::Pending;
        }
        let wanted = |e: &Entry| match e.state {
            State::Durable => true,
            State::Passing => e.position >= stand.attached,
            State::Dead => false,
        };
        let from = self.index_of(stand.position);
        let mut entries = self.entries.range(from..).filter(|e| wanted(e));
        let Some(first) = entries.next() else {
            stand.position = self.next;
            return Poll::Pending;
        };
        let Place { chunk, start, .. } = first.place;
        let numbered = |e: &Entry| (e.state == State::Durable).then_some(e.seq);
        let (mut last, mut events, mut seq) = (first, 1, numbered(first));
        for next in entries {
            let adjacent =
                next.place.chunk == chunk && next.place.start == last.place.end() && !last.terminal;
            if !adjacent || next.place.end() - start > limit.max_bytes() || events >= limit.events {
                break;
            }
            last = next;
            events += 1;
            seq = numbered(next).or(seq);
        }
        let range = start..last.place.end();
        let from = stand.position;
        (stand.seq, stand.position) = (last.seq, last.position + 1);
        let terminal = last.terminal;

        self.segments.seal(chunk);
        let bytes = self.segments.slice(chunk, range);
        let id = seq.map(|seq| self.segments.id(chunk, Cursor::new(self.epoch, seq)));
        let block = Block::new(bytes, events, id, terminal);
        // A reader that came later is not sent some live-only events: its block is not for others.
        if stand.attached <= from {
            self.given = Some(Given {
                from,
                limit,
                block: block.clone(),
                seq: stand.seq,
                position: stand.position,
            });
        }
        Poll::Ready(Read::Block(block))
    }

    /// What a reader was not sent that was sent everything up to `seq`.
    pub(super) fn behind(&self, seq: u64, now: Instant) -> Behind {
        let from = self.entries.partition_point(|e| e.seq <= seq);
        let mut kept = self
            .entries
            .range(from..)
            .filter(|e| e.state == State::Durable)
            .peekable();
        let age = kept
            .peek()
            .map(|oldest| now.saturating_duration_since(oldest.at));
        Behind {
            events: self.head.saturating_sub(seq),
            bytes: kept.map(|e| e.place.len as u64).sum(),
            age: age.unwrap_or_default(),
        }
    }

    /// Live-only events wait within limits of their own: they must not push out what is kept.
    fn limit_passing(&mut self) {
        while self.passing.len() > PASSING_EVENTS
            || self.passing.len() > 1 && self.passing_bytes > PASSING_BYTES
        {
            self.kill_at(self.passing[0]);
        }
    }

    /// The first entry that is at `position` or behind it.
    fn index_of(&self, position: u64) -> usize {
        // Counted from the end, this is it unless dead entries behind it were purged.
        let behind = (self.next - position) as usize;
        let guess = self.entries.len().wrapping_sub(behind);
        match self.entries.get(guess) {
            Some(entry) if entry.position == position => guess,
            _ => self.entries.partition_point(|e| e.position < position),
        }
    }

    fn kill_at(&mut self, position: u64) {
        let at = self.index_of(position);
        self.kill(at);
    }

    /// Takes an entry out of the log and leaves its place to a later [`purge`](Self::purge).
    fn kill(&mut self, at: usize) {
        let entry = &mut self.entries[at];
        match entry.state {
            State::Durable => {
                self.events -= 1;
                self.bytes -= entry.place.len;
            }
            State::Passing => {
                // Live-only entries only ever go oldest first.
                self.passing.pop_front();
                self.passing_bytes -= entry.place.len;
            }
            State::Dead => return,
        }
        entry.state = State::Dead;
        entry.key = None;
        self.segments.release(entry.place);
        self.dead += 1;
    }

    fn purge(&mut self) {
        self.entries.retain(|e| e.state != State::Dead);
        self.dead = 0;
    }
}
