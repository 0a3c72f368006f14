//! Events on their way into a log.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memchr;

use super::{AppendError, Cursor};
use crate::block::Block;
use crate::field::EventId;
use crate::typed::{Keep, SseEvent};
use crate::write::EventWriter;

/// Encoded events that wait for their ids, to be appended together.
///
/// Encoding runs the caller's code, so it happens here, before the log is locked. What clients
/// would not dispatch, because it has no `data` line, does not get in.
///
/// # Examples
///
/// ```
/// use std::time::Instant;
/// use sse_core::{Event, Retention};
/// use sse_core::log::{Batch, Log};
///
/// let mut batch = Batch::new();
/// batch.push(&Event::new().data("a"))?;
/// batch.push(&Event::new().comment("a comment is no event"))?;
/// batch.push(&Event::new().data("b"))?;
///
/// let log = Log::new(7, Retention::default());
/// let cursor = log.append_batch(&batch, Instant::now())?;
/// assert_eq!(cursor.unwrap().to_string(), "7.2");
/// # Ok::<(), sse_core::log::AppendError>(())
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    writer: EventWriter,
    drafts: Vec<Draft>,
}

/// One encoded event; it begins where the one before it ends.
#[derive(Debug)]
struct Draft {
    end: usize,
    /// Where the `id` line belongs.
    id_slot: usize,
    keep: Kept,
    terminal: bool,
}

/// [`Keep`], owned.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    All,
    /// The newest with this kind and key.
    Latest(Arc<str>),
    Never,
}

/// An event of a batch in two parts, between which the `id` line belongs.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) head: &'a [u8],
    pub(super) rest: &'a [u8],
    pub(super) keep: &'a Kept,
    pub(super) terminal: bool,
}

impl Batch {
    /// Creates an empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `event`, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`OwnId`](AppendError::OwnId) if the event writes an id, and
    /// [`Encode`](AppendError::Encode) if it cannot be encoded.
    pub fn push<E: SseEvent + ?Sized>(&mut self, event: &E) -> Result<(), AppendError> {
        let start = self.len_bytes();
        // An event that panicked may have left half of itself.
        self.writer.buf.truncate(start);
        if self.drafts.is_empty() {
            self.writer.buf.reserve(256);
        }
        self.writer.begin();
        self.writer.blocks = 0;
        let encoded = event
            .encode(&mut self.writer)
            .and_then(|()| self.writer.end_block(|| None::<EventId>));
        let written = self.writer.written();
        if encoded.is_err() || written.id || !written.data {
            let bytes = self.writer.buf.split_off(start);
            encoded?;
            if written.id {
                return Err(AppendError::OwnId);
            }
            // No data of its own: nothing, or blocks that were copied.
            if self.writer.blocks > 0 {
                self.push_encoded(&bytes, event.is_terminal());
            }
            return Ok(());
        }
        let keep = match event.keep() {
            Keep::All => Kept::All,
            Keep::Never => Kept::Never,
            // The length keeps kind and key apart, whatever is in them.
            Keep::Latest { kind, key } => {
                Kept::Latest(format!("{}:{kind}{key}", kind.len()).into())
            }
        };
        self.end_draft(start, keep, event.is_terminal());
        Ok(())
    }

    /// Adds every event of a block, each without the id that it may have: the log gives it
    /// another.
    pub fn push_block(&mut self, block: &Block) {
        self.writer.buf.truncate(self.len_bytes());
        self.push_encoded(block.bytes(), block.is_terminal());
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.drafts.len()
    }

    /// Whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Removes the events and keeps the memory.
    pub fn clear(&mut self) {
        self.writer.buf.clear();
        self.drafts.clear();
    }

    /// The events with ids, one block each, the first of them at `first`: what a store
    /// commits before [`append_stored`](super::Log::append_stored). Live-only events are left
    /// out.
    pub fn blocks(&self, first: Cursor) -> impl Iterator<Item = Block> {
        let durable = self
            .pieces()
            .filter(|piece| !matches!(piece.keep, Kept::Never));
        durable.enumerate().map(move |(n, piece)| {
            // Wraps only past the last number there is, which `append_stored` refuses.
            let seq = first.seq().wrapping_add(n as u64);
            let cursor = Cursor::new(first.epoch(), seq);
            let id = format!("id: {cursor}\n");
            let bytes = Bytes::from([piece.head, id.as_bytes(), piece.rest].concat());
            Block::new(bytes, 1, Some(cursor.into()), piece.terminal)
        })
    }

    /// For each of those [`blocks`](Self::blocks), what compacts it: of the blocks with the
    /// same text here only the newest need be kept. `None` keeps the block.
    pub fn compaction_keys(&self) -> impl Iterator<Item = Option<&str>> {
        self.pieces().filter_map(|piece| match piece.keep {
            Kept::All => Some(None),
            Kept::Latest(key) => Some(Some(&**key)),
            Kept::Never => None,
        })
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut start = 0;
        self.drafts.iter().map(move |draft| {
            let piece = Piece {
                head: &self.writer.buf[start..draft.id_slot],
                rest: &self.writer.buf[draft.id_slot..draft.end],
                keep: &draft.keep,
                terminal: draft.terminal,
            };
            start = draft.end;
            piece
        })
    }

    fn len_bytes(&self) -> usize {
        self.drafts.last().map_or(0, |draft| draft.end)
    }

    fn end_draft(&mut self, start: usize, keep: Kept, terminal: bool) {
        let bytes = &self.writer.buf[start..];
        let head: usize = lines(bytes)
            .take_while(|line| !is_field(line, b"data") && !is_field(line, b"retry"))
            .map(<[u8]>::len)
            .sum();
        self.drafts.push(Draft {
            end: self.writer.buf.len(),
            id_slot: start + head,
            keep,
            terminal,
        });
    }

    /// Cuts bytes that an [`EventWriter`] wrote into events.
    fn push_encoded(&mut self, bytes: &[u8], terminal: bool) {
        let before = self.drafts.len();
        let (mut start, mut has_data) = (self.len_bytes(), false);
        for line in lines(bytes) {
            if line != b"\n" {
                has_data |= is_field(line, b"data");
                if !is_field(line, b"id") {
                    self.writer.buf.extend_from_slice(line);
                }
            } else if has_data {
                self.writer.buf.extend_from_slice(line);
                self.end_draft(start, Kept::All, false);
                (start, has_data) = (self.writer.buf.len(), false);
            } else {
                self.writer.buf.truncate(start);
            }
        }
        self.writer.buf.truncate(start);
        if let Some(last) = self.drafts[before..].last_mut() {
            last.terminal = terminal;
        }
    }
}

/// The lines of encoded events, each with its LF.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest)? + 1;
        let (line, behind) = rest.split_at(end);
        rest = behind;
        Some(line)
    })
}

fn is_field(line: &[u8], name: &[u8]) -> bool {
    line.strip_prefix(name)
        .is_some_and(|rest| matches!(rest.first(), Some(b':' | b'\n')))
}
