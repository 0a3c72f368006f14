//! What is put between the events of a stream, and what is taken from its start.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use sse_core::EventBuffer;

use crate::body::ending::write_opening;
use crate::body::scan::{Blank, BlockScan};
use crate::ids::{AssignedId, IdAssigner};
use crate::life::Life;
use crate::native::Plan;

/// What happens to the bytes on their way.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub(super) scan: BlockScan,
    bom: Bom,
    ids: IdAssigner,
    /// Pieces that wait to be sent.
    pub(super) out: VecDeque<Bytes>,
    /// What follows them: short pieces, copied.
    joined: BytesMut,
    pub(super) events: u64,
    last_id: Option<LastId>,
    /// The stream began with a retry hint, whose block has nothing else so far.
    hint_alone: bool,
    /// Somebody wants to know of each event.
    counted: bool,
    pub(super) started: bool,
}

/// Where the last id of a frame is.
#[derive(Debug)]
enum LastId {
    /// It is ours.
    Assigned(AssignedId),
    /// The scan saw it.
    Scanned,
}

/// A piece of at most this size is copied to travel in one frame with what is around it.
const SHORT: usize = 1024;

/// What the line of an id needs, most often.
const LINE: usize = 64;

/// Copied pieces travel in one frame of at least this size.
const FULL: usize = 8 * 1024;

pub(super) fn begin(plan: &Plan, life: &mut Life) -> Edit {
    let mut opening = EventBuffer::new();
    let hint_alone = write_opening(&plan.settings, life, &mut opening);
    let mut edit = Edit {
        ids: IdAssigner::new(plan.settings.ids.clone(), plan.context.as_ref()),
        hint_alone,
        counted: life.is_watched(),
        ..Edit::default()
    };
    if !edit.counted {
        life.leave_uncounted();
    }
    push(&mut edit.out, opening.take());
    edit
}

impl Edit {
    /// Makes of `chunk` what is to be sent now, and returns whether that is anything; `out` has
    /// what follows it. `cut` drops what follows its last whole event.
    pub(super) fn pass(&mut self, chunk: &mut Bytes, cut: bool) -> bool {
        if !matches!(self.bom, Bom::Past) {
            self.begin(chunk);
        }
        if self.hint_alone || cut || self.ids.are_given() {
            self.split(chunk, cut);
        } else if !self.counted && chunk.ends_with(b"\n\n") {
            // Whatever came before, it ends a line and then the block: nothing has to be read.
            self.scan.begin_block();
        } else {
            self.follow(chunk);
        }
        !chunk.is_empty()
    }

    /// A frame of this length goes out, with all that was seen so far.
    #[inline]
    pub(super) fn sent(&mut self, len: usize, life: &mut Life) {
        self.started = true;
        if let Some(last) = self.last_id.take() {
            self.sent_id(last, life);
        }
        life.sent(mem::take(&mut self.events), len);
    }

    fn sent_id(&self, last: LastId, life: &mut Life) {
        match last {
            LastId::Assigned(id) => life.sent_assigned(id),
            LastId::Scanned => life.sent_id(self.scan.last_id().unwrap_or("")),
        }
    }

    /// Takes the byte order mark off.
    #[cold]
    fn begin(&mut self, chunk: &mut Bytes) {
        if let Some(held) = self.bom.strip(chunk)
            && !held.is_empty()
        {
            *chunk = [held, mem::take(chunk)].concat().into();
        }
    }

    /// Looks only, because there is nothing to add.
    fn follow(&mut self, chunk: &[u8]) {
        let mut at = 0;
        while let Some(Blank { fields, .. }) = self.scan.next_blank(chunk, &mut at) {
            self.events += u64::from(fields.data);
            if fields.id {
                self.last_id = Some(LastId::Scanned);
            }
        }
    }

    /// Takes `chunk` apart where something goes in between.
    fn split(&mut self, chunk: &mut Bytes, cut: bool) {
        // One buffer for the short pieces of many chunks.
        let room = chunk.len().min(SHORT) + LINE;
        if self.joined.capacity() < room {
            self.joined.reserve(room.max(SHORT));
        }
        // All are offsets in the chunk; `done` is what was taken out of it.
        let (mut at, mut done, mut whole) = (0, 0, None);
        while let Some(Blank { at: blank, fields }) = self.scan.next_blank(chunk, &mut at) {
            self.events += u64::from(fields.data);
            if self.hint_alone && !fields.any {
                // Some clients drop a block with nothing but a hint: it waits for an event.
                self.take(chunk, done..blank);
                done = at;
                self.scan.forget_cr();
            } else {
                self.hint_alone = false;
                if fields.id {
                    self.last_id = Some(LastId::Scanned);
                    self.ids.stop();
                } else if fields.data
                    && let Some(id) = self.ids.next()
                {
                    self.take(chunk, done..blank);
                    done = blank;
                    id.put_line(&mut self.joined);
                    self.last_id = Some(LastId::Assigned(id));
                }
            }
            whole = Some(at);
        }
        if cut && let Some(whole) = whole {
            chunk.truncate(whole);
            self.scan.begin_block();
        }
        if self.joined.is_empty() {
            chunk.advance(done);
        } else {
            self.take(chunk, done..chunk.len());
            *chunk = self.joined.split().freeze();
        }
        if let Some(first) = self.out.pop_front() {
            push(&mut self.out, mem::replace(chunk, first));
        }
    }

    /// Moves a part of `chunk` behind what waits already.
    // For a short piece the call would take as long as the copy.
    #[inline(always)]
    fn take(&mut self, chunk: &Bytes, part: Range<usize>) {
        if part.len() <= SHORT {
            self.joined.extend_from_slice(&chunk[part]);
        } else {
            self.flush();
            self.out.push_back(chunk.slice(part));
        }
        if self.joined.len() >= FULL {
            self.flush();
        }
    }

    fn flush(&mut self) {
        push(&mut self.out, self.joined.split().freeze());
    }

    /// Nothing is to be sent for now: gives the buffer back.
    pub(super) fn rest(&mut self) {
        self.joined = BytesMut::new();
    }

    /// Whatever follows begins a line.
    pub(super) fn end_line(&mut self) {
        if self.scan.is_in_line() {
            self.out.push_back(Bytes::from_static(b"\n"));
        }
    }

    pub(super) fn end(&mut self) {
        push(&mut self.out, self.bom.rest());
        if self.hint_alone && self.scan.is_between_events() {
            self.out.push_back(Bytes::from_static(b"\n"));
        }
    }
}

fn push(out: &mut VecDeque<Bytes>, bytes: Bytes) {
    if !bytes.is_empty() {
        out.push_back(bytes);
    }
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Removes the byte order mark, which counts at the very start of a stream only: we may put
/// a line before it.
#[derive(Debug)]
pub(crate) enum Bom {
    /// This many bytes of it were seen, and nothing else.
    Matching(usize),
    Past,
}

impl Default for Bom {
    fn default() -> Self {
        Self::Matching(0)
    }
}

impl Bom {
    /// Takes the mark off `chunk`; returns what was held back and is no mark after all.
    pub(crate) fn strip(&mut self, chunk: &mut Bytes) -> Option<Bytes> {
        let Self::Matching(seen) = *self else {
            return None;
        };
        let expected = &MARK[seen..];
        let len = expected.len().min(chunk.len());
        if chunk[..len] != expected[..len] {
            return Some(self.rest());
        }
        chunk.advance(len);
        *self = Self::Matching(seen + len);
        if seen + len == MARK.len() {
            *self = Self::Past;
        }
        None
    }

    /// What was held back when the stream turned out to have no mark.
    fn rest(&mut self) -> Bytes {
        match mem::replace(self, Self::Past) {
            Self::Matching(seen) => Bytes::from_static(&MARK[..seen]),
            Self::Past => Bytes::new(),
        }
    }
}
