//! The bytes of the entries, in pieces that readers share.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::Cursor;
use crate::field::EventId;

/// How much is written before it is packed, and how much a packed chunk holds.
pub(super) const SEGMENT: usize = 16 * 1024;

/// Bytes in chunks, of which only the last, the tail, is still written to.
///
/// The tail becomes a chunk when somebody reads from it: what was appended since the last read
/// is one piece. Every [`SEGMENT`] bytes these chunks, which share large buffers and may be
/// many, are packed: their live entries are copied into chunks of their own size. So a reader
/// that is far behind gets large blocks, and what is held stays below twice the live bytes and
/// a few segments.
#[derive(Debug, Default)]
pub(super) struct Segments {
    chunks: VecDeque<Chunk>,
    /// The number of the first chunk. The tail has the number after the last one.
    first: u64,
    /// The number of the first chunk that was not packed.
    loose: u64,
    tail: BytesMut,
    tail_live: usize,
    /// How much was written since the last packing.
    fresh: usize,
    /// Bytes of live entries, the tail included.
    live: usize,
    /// Bytes of chunks.
    held: usize,
}

#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    /// Bytes of entries that are still in the log.
    live: usize,
    /// The id that was handed out last: readers that replay often end at the same entry.
    id: Option<(u64, EventId)>,
}

/// Where the bytes of an entry are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) chunk: u64,
    pub(super) start: usize,
    pub(super) len: usize,
}

impl Place {
    pub(super) fn end(&self) -> usize {
        self.start + self.len
    }
}

impl Segments {
    /// Writes an entry.
    pub(super) fn push(&mut self, parts: &[&[u8]]) -> Place {
        let len = parts.iter().map(|part| part.len()).sum();
        self.reserve(len);
        let start = self.tail.len();
        for part in parts {
            self.tail.extend_from_slice(part);
        }
        self.tail_live += len;
        self.live += len;
        self.fresh += len;
        Place {
            chunk: self.end(),
            start,
            len,
        }
    }

    /// Lets go of the bytes of an entry.
    pub(super) fn release(&mut self, place: Place) {
        self.live -= place.len;
        if place.chunk == self.end() {
            self.tail_live -= place.len;
            return;
        }
        let chunk = &mut self.chunks[(place.chunk - self.first) as usize];
        chunk.live -= place.len;
        if chunk.live == 0 {
            self.held -= mem::take(&mut chunk.bytes).len();
        }
        while self.chunks.front().is_some_and(|chunk| chunk.live == 0) {
            self.chunks.pop_front();
            self.first += 1;
        }
    }

    /// Makes the tail a chunk, which can be shared.
    pub(super) fn seal(&mut self, chunk: u64) {
        if chunk == self.end() {
            self.seal_tail();
        }
    }

    /// A part of a chunk, shared.
    pub(super) fn slice(&self, chunk: u64, range: Range<usize>) -> Bytes {
        self.chunks[(chunk - self.first) as usize]
            .bytes
            .slice(range)
    }

    /// The id of `cursor`, the last in what is handed out of a chunk.
    pub(super) fn id(&mut self, chunk: u64, cursor: Cursor) -> EventId {
        let cached = &mut self.chunks[(chunk - self.first) as usize].id;
        match cached {
            Some((seq, id)) if *seq == cursor.seq() => id.clone(),
            _ => cached.insert((cursor.seq(), cursor.into())).1.clone(),
        }
    }

    /// The chunk from which on the live entries are to be packed, if it is time.
    ///
    /// All of them, once more than half of what is held is dead or there are many chunks for
    /// what is in them. Either takes as many bytes written as are then copied.
    pub(super) fn due(&self) -> Option<u64> {
        let packed = self.loose.saturating_sub(self.first);
        let many = 16 + 4 * (self.live / SEGMENT) as u64;
        if self.held > 2 * self.live + 2 * SEGMENT || packed > many {
            return Some(self.first);
        }
        (self.fresh >= SEGMENT).then_some(self.loose.max(self.first))
    }

    /// Copies the entries from chunk `from` on, whose places these are, close together, if they
    /// are live. The places of the others keep their order only.
    pub(super) fn pack<'a>(
        &mut self,
        from: u64,
        places: impl Iterator<Item = (&'a mut Place, bool)>,
    ) {
        self.seal_tail();
        let old = self.chunks.split_off((from - self.first) as usize);
        let mut left: usize = old.iter().map(|chunk| chunk.live).sum();
        self.held -= old.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
        let mut packed = Vec::new();
        for (place, live) in places {
            if !live {
                place.chunk = self.end();
                continue;
            }
            let bytes = &old[(place.chunk - from) as usize].bytes[place.start..place.end()];
            if packed.len() + bytes.len() > packed.capacity() {
                self.push_chunk(mem::take(&mut packed).into());
                packed = Vec::with_capacity(left.min(SEGMENT).max(bytes.len()));
            }
            *place = Place {
                chunk: self.end(),
                start: packed.len(),
                len: bytes.len(),
            };
            packed.extend_from_slice(bytes);
            left -= bytes.len();
        }
        self.push_chunk(packed.into());
        if self.fresh > 2 * SEGMENT {
            // The buffer of a large event would stay, even with no room left in it.
            self.tail = BytesMut::new();
        }
        self.loose = self.end();
        self.fresh = 0;
    }

    /// The number of the tail.
    fn end(&self) -> u64 {
        self.first + self.chunks.len() as u64
    }

    /// Makes room in the tail, which starts small: most logs of a process may be idle.
    fn reserve(&mut self, len: usize) {
        if self.tail.capacity() - self.tail.len() < len {
            let step = self.fresh.clamp(256, SEGMENT);
            let mut larger = BytesMut::with_capacity(self.tail.len() + step.max(len));
            larger.extend_from_slice(&self.tail);
            self.tail = larger;
        }
    }

    fn seal_tail(&mut self) {
        if self.tail_live > 0 {
            let live = mem::take(&mut self.tail_live);
            let bytes = self.tail.split().freeze();
            self.held += bytes.len();
            self.chunks.push_back(Chunk {
                bytes,
                live,
                id: None,
            });
        }
    }

    /// Adds a chunk in which everything is live.
    fn push_chunk(&mut self, bytes: Box<[u8]>) {
        if !bytes.is_empty() {
            self.held += bytes.len();
            self.chunks.push_back(Chunk {
                live: bytes.len(),
                bytes: bytes.into(),
                id: None,
            });
        }
    }
}
