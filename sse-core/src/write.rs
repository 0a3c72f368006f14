//! Fields become bytes.

use std::fmt::{self, Display, Write as _};
use std::io;
use std::ops::Range;

use bytes::BytesMut;
use memchr::memchr2;
use serde::Serialize;

use crate::block::Block;
use crate::encode_error::{Cause, EncodeError};
use crate::field::{self, EventId, RetryDelay};

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

    /// Writes `text` as the payload: one `data: ` line per line of text.
    ///
    /// CR, LF and CRLF all end a line, and clients join the lines with LF. A text that ends
    /// with a line break keeps it, and an empty text is the one line `data:`, so that the
    /// event fires. A second call adds more lines to the same payload.
    pub fn data(&mut self, text: &str) {
        self.begin_data();
        self.end_data();
        if text.is_empty() {
            self.put(b"data:\n");
            return;
        }
        // Enough for lines of 80 bytes and more, which is most text.
        self.buf.reserve(text.len() + text.len() / 12 + 8);
        for line in lines(text) {
            self.put(b"data: ");
            self.put(line.as_bytes());
            self.put(b"\n");
        }
    }

    /// Writes what `value` displays as the payload, as [`data`](Self::data) does.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` fails to format itself.
    pub fn text(&mut self, value: impl Display) -> Result<(), EncodeError> {
        self.payload(|out| out.display(value))
    }

    /// Writes `value` as JSON, straight into the buffer.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` cannot be serialized, such as a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.payload(|out| out.json(value))
    }

    /// Writes what `value` displays as `key value` lines of the payload.
    pub(crate) fn text_lines(&mut self, key: &str, value: impl Display) -> Result<(), EncodeError> {
        self.key_value(key, |out| out.display(value))
    }

    /// Writes `value` as JSON as a `key value` line of the payload.
    pub(crate) fn json_lines<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.key_value(key, |out| out.json(value))
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

    fn begin_data(&mut self) {
        self.end_head();
        if let Some(delay) = self.spare.retry.take() {
            self.put_retry(delay);
        }
    }

    fn end_data(&mut self) {
        self.written.data = true;
        self.written.field = true;
    }

    /// Writes a payload in one piece and splits it only where that is needed.
    ///
    /// Almost every payload is one line: one pass finds that out, and only a line break,
    /// which JSON has in raw values alone, costs a copy.
    fn payload(
        &mut self,
        write: impl FnOnce(&mut Raw<'_>) -> Result<(), Cause>,
    ) -> Result<(), EncodeError> {
        self.begin_data();
        let line = self.buf.len();
        self.put(b"data: ");
        let text = self.buf.len();
        if let Err(cause) = write(&mut Raw(&mut self.buf)) {
            self.buf.truncate(line);
            return Err(EncodeError(cause));
        }
        self.end_data();
        if self.buf.len() == text {
            self.buf.truncate(line);
            self.put(b"data:\n");
        } else if memchr2(b'\r', b'\n', &self.buf[text..]).is_some() {
            self.split_lines(line, text, |out, _| out.extend_from_slice(b"data: "));
        } else {
            self.put(b"\n");
        }
        Ok(())
    }

    /// Writes a value that has its key before each line.
    fn key_value(
        &mut self,
        key: &str,
        write: impl FnOnce(&mut Raw<'_>) -> Result<(), Cause>,
    ) -> Result<(), EncodeError> {
        self.begin_data();
        let line = self.buf.len();
        if let Err(cause) = write(&mut Raw(&mut self.buf)) {
            self.buf.truncate(line);
            return Err(EncodeError(cause));
        }
        self.end_data();
        self.split_lines(line, line, |out, _| {
            for part in ["data: ", key, " "] {
                out.extend_from_slice(part.as_bytes());
            }
        });
        Ok(())
    }

    fn end_comment(&mut self, start: usize) {
        self.split_lines(start, start, |out, is_empty| {
            out.extend_from_slice(if is_empty { b":" } else { b": " });
        });
    }

    /// Puts the lines of the text that begins at `text` where `line` is, each behind what
    /// `begin` writes, which is told whether the line is empty.
    ///
    /// They are written behind the text first, so that the buffer is all the room they need.
    fn split_lines(&mut self, line: usize, text: usize, begin: impl Fn(&mut BytesMut, bool)) {
        let buf = &mut self.buf;
        let end = buf.len();
        let mut rest = text..end;
        loop {
            let line = &buf[rest.clone()];
            let len = memchr2(b'\r', b'\n', line).unwrap_or(line.len());
            let line_break = if line[len..].starts_with(b"\r\n") {
                2
            } else {
                1
            };
            begin(buf, len == 0);
            let copy = buf.len();
            buf.resize(copy + len, 0);
            buf.copy_within(rest.start..rest.start + len, copy);
            buf.extend_from_slice(b"\n");
            if rest.len() == len {
                break;
            }
            rest.start += len + line_break;
        }
        buf.copy_within(end.., line);
        buf.truncate(line + buf.len() - end);
    }

    /// Ends the block, with an id from `next` if it has data but no id of its own.
    pub(crate) fn end_block<I: Display>(
        &mut self,
        next: impl FnOnce() -> Option<I>,
    ) -> Result<(), EncodeError> {
        self.put_spare_id();
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

/// Text and JSON go into the buffer as they are.
struct Raw<'a>(&'a mut BytesMut);

impl Raw<'_> {
    fn display(&mut self, value: impl Display) -> Result<(), Cause> {
        write!(self, "{value}").map_err(|_| Cause::Display("data"))
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cause> {
        serde_json::to_writer(self, value).map_err(Cause::Json)
    }
}

impl fmt::Write for Raw<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl io::Write for Raw<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines of `text`, at least one; CR, LF and CRLF separate them, so a trailing line
/// break leaves an empty last line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = memchr2(b'\r', b'\n', text.as_bytes()) else {
            rest = None;
            return Some(text);
        };
        let crlf = text.as_bytes()[at..].starts_with(b"\r\n");
        rest = Some(&text[at + 1 + usize::from(crlf)..]);
        Some(&text[..at])
    })
}
