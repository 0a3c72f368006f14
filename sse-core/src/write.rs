//! Fields become bytes.

mod data;
mod json;

use std::fmt::{Display, Write as _};
use std::ops::Range;

use bytes::BytesMut;

use crate::block::Block;
use crate::encode_error::{Cause, EncodeError};
use crate::field::{self, EventId, RetryDelay};

use self::data::Raw;
pub use self::json::JsonWriter;

/// The fields of one event, for [`SseEvent::encode`](crate::SseEvent::encode).
///
/// They are written in the order of the calls: comment, `event`, `id`, `retry`, `data` by
/// custom. Whoever called `encode` ends the block, or takes all of it back if it failed.
/// An [`EventBuffer`](crate::EventBuffer) lends its writer to each event.
///
/// # Examples
///
/// ```
/// use sse_core::{EncodeError, EventBuffer, EventWriter, SseEvent};
///
/// struct Row<'a>(u64, &'a str);
///
/// impl SseEvent for Row<'_> {
///     fn event_name(&self) -> Option<&str> {
///         Some("row")
///     }
///
///     fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
///         w.event("row")?;
///         w.id(self.0)?;
///         w.data(self.1);
///         Ok(())
///     }
/// }
///
/// let mut buffer = EventBuffer::new();
/// buffer.write(&Row(7, "a\nb"))?;
/// assert_eq!(buffer.as_bytes(), b"event: row\nid: 7\ndata: a\ndata: b\n\n");
/// # Ok::<(), sse_core::EncodeError>(())
/// ```
#[derive(Debug, Default)]
pub struct EventWriter {
    pub(crate) buf: BytesMut,
    pub(crate) last_id: LastId,
    /// Events in blocks that were copied.
    pub(crate) blocks: u32,
    written: Written,
    /// Where the `id` line belongs: before the first `retry` or `data` line.
    id_slot: Option<usize>,
    /// Written there unless the event brings its own.
    spare: Spare,
}

/// What an event wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The event has an `id` of its own.
    pub id: bool,
    /// An `id` of the event is not [portable](EventId::portable).
    pub odd_id: bool,
    /// The event has `data`, so clients dispatch it.
    pub data: bool,
    /// A field was written, so the block has its empty line. Comments are no fields.
    pub field: bool,
}

/// The last id in a buffer.
#[derive(Clone, Debug, Default)]
pub(crate) enum LastId {
    #[default]
    None,
    /// Its value stands here.
    At(Range<usize>),
    /// It came with a block.
    Known(EventId),
}

#[derive(Debug, Default)]
struct Spare {
    id: Option<EventId>,
    retry: Option<RetryDelay>,
}

impl EventWriter {
    /// Writes a comment, which clients skip: one `: text` line per line of `text`.
    pub fn comment(&mut self, text: &str) {
        let start = self.buf.len();
        self.put(text.as_bytes());
        self.end_comment(start);
    }

    /// Writes what `value` displays as a comment.
    pub(crate) fn displayed_comment(&mut self, value: impl Display) -> Result<(), EncodeError> {
        let start = self.buf.len();
        if write!(Raw(&mut self.buf), "{value}").is_err() {
            self.buf.truncate(start);
            return Err(EncodeError(Cause::Display("comment")));
        }
        self.end_comment(start);
        Ok(())
    }

    /// Writes the `event` field.
    ///
    /// # Errors
    ///
    /// Refuses what [`EventName::new`](crate::EventName::new) refuses.
    pub fn event(&mut self, name: &str) -> Result<(), EncodeError> {
        field::check_name(name)?;
        self.put(b"event: ");
        self.put(name.as_bytes());
        self.put(b"\n");
        self.written.field = true;
        Ok(())
    }

    /// Writes a whole `event: name⏎` line that the derive has checked at compile time.
    pub(crate) fn event_line(&mut self, line: &'static str) {
        self.put(line.as_bytes());
        self.written.field = true;
    }

    /// Writes the `id` field.
    ///
    /// # Errors
    ///
    /// Refuses what [`EventId::new`] refuses.
    pub fn id(&mut self, id: impl Display) -> Result<(), EncodeError> {
        let line = self.buf.len();
        self.put(b"id: ");
        let value = self.buf.len();
        if write!(Raw(&mut self.buf), "{id}").is_err() {
            // What was displayed so far is not checked, and the caller may go on.
            self.buf.truncate(line);
            return Err(EncodeError(Cause::Display("id")));
        }
        let id = str::from_utf8(&self.buf[value..]).expect("only `str`s were written");
        if let Err(error) = field::check_id(id) {
            self.buf.truncate(line);
            return Err(error.into());
        }
        self.written.odd_id |= !field::is_portable(id.as_bytes());
        self.end_id(value);
        Ok(())
    }

    /// Writes the `id` field from an integer, which needs no check.
    pub(crate) fn integer_id(&mut self, id: impl itoa::Integer) {
        self.put(b"id: ");
        let value = self.buf.len();
        self.put(itoa::Buffer::new().format(id).as_bytes());
        self.end_id(value);
    }

    /// Writes the `retry` field.
    pub fn retry(&mut self, delay: impl Into<RetryDelay>) {
        self.end_head();
        self.spare.retry = None;
        self.put_retry(delay.into());
    }

    /// Forgets the event before.
    pub(crate) fn begin(&mut self) {
        self.written = Written::default();
        self.id_slot = None;
        self.spare = Spare::default();
    }

    pub(crate) fn written(&self) -> Written {
        self.written
    }

    /// Uses `id` unless the event writes one itself.
    pub(crate) fn id_unless_written(&mut self, id: &EventId) {
        self.spare.id = Some(id.clone());
    }

    /// Uses `delay` unless the event writes one itself.
    pub(crate) fn retry_unless_written(&mut self, delay: RetryDelay) {
        self.spare.retry = Some(delay);
    }

    /// Copies a block that is encoded already, and adds nothing to it.
    pub(crate) fn block(&mut self, block: &Block) {
        self.put(block.bytes());
        self.spare = Spare::default();
        self.blocks += block.events();
        if let Some(id) = block.last_id() {
            self.last_id = LastId::Known(id.clone());
            self.written.id = true;
        }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    pub(crate) fn put_retry(&mut self, delay: RetryDelay) {
        self.put(b"retry: ");
        self.put(itoa::Buffer::new().format(delay.as_millis()).as_bytes());
        self.put(b"\n");
        self.written.field = true;
    }

    fn end_id(&mut self, value: usize) {
        self.last_id = LastId::At(value..self.buf.len());
        self.put(b"\n");
        self.written.id = true;
        self.written.field = true;
        self.spare.id = None;
    }

    /// The next line is `retry` or `data`: what stands before them is written now.
    fn end_head(&mut self) {
        if self.id_slot.is_none() {
            self.put_spare_id();
            self.id_slot = Some(self.buf.len());
        }
    }

    fn put_spare_id(&mut self) {
        if let Some(id) = self.spare.id.take() {
            self.id(id).expect("an `EventId` is checked");
        }
    }

    fn end_comment(&mut self, start: usize) {
        self.split_lines(start, start, &[": "], &[":"]);
    }

    /// Ends the block, with an id from `next` if it has data but no id of its own.
    pub(crate) fn end_block<I: Display>(
        &mut self,
        next: impl FnOnce() -> Option<I>,
    ) -> Result<(), EncodeError> {
        if self.written.field {
            self.put_spare_id();
        }
        // What clients do not see moves no cursor.
        self.spare.id = None;
        if let Some(delay) = self.spare.retry.take() {
            self.put_retry(delay);
        }
        if self.written.data
            && !self.written.id
            && let (Some(slot), Some(id)) = (self.id_slot, next())
        {
            self.insert_id(slot, id)?;
        }
        if self.written.field {
            self.put(b"\n");
        }
        Ok(())
    }

    /// Writes an `id` line where it belongs, behind which the payload stands already.
    fn insert_id(&mut self, slot: usize, id: impl Display) -> Result<(), EncodeError> {
        let end = self.buf.len();
        self.id(id)?;
        // The stream's own business, not the event's.
        self.written.id = false;
        let line = self.buf.len() - end;
        let value = slot + "id: ".len()..slot + line - 1;
        self.last_id = LastId::At(value);
        self.buf[slot..].rotate_right(line);
        Ok(())
    }
}
