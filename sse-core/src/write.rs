//! Fields become bytes.

use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::io;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;
use serde::Serialize;

use crate::block::Block;
use crate::field::{self, EventId, FieldError, RetryDelay};
use crate::typed::SseEvent;

macro_rules! end_id {
    () => {
        "sse-tower:end"
    };
}

/// Collects encoded events in one buffer.
///
/// [`write`](Self::write) puts a whole event into the buffer or nothing at all; the other
/// methods are for [`SseEvent::encode`], which writes one field after the other. Fields are
/// written in the order of the calls: comment, `event`, `id`, `retry`, `data` by custom.
///
/// # Examples
///
/// ```
/// use sse_core::{Event, EventWriter};
///
/// let mut writer = EventWriter::new();
/// writer.write(&Event::named("tick").id(7).data("a\nb"))?;
/// assert_eq!(writer.as_bytes(), b"event: tick\nid: 7\ndata: a\ndata: b\n\n");
///
/// let refused = writer.write(&Event::named("tick\n").data("x")).unwrap_err();
/// assert_eq!(refused.to_string(), "the `event` field cannot contain a line break");
/// assert_eq!(writer.take().len(), 35, "the refused event left nothing behind");
/// # Ok::<(), sse_core::EncodeError>(())
/// ```
#[derive(Debug, Default)]
pub struct EventWriter {
    buf: BytesMut,
    written: Written,
    /// Where the `id` line belongs: before the first `retry` or `data` line.
    id_slot: Option<usize>,
    /// Written there unless the event brings its own.
    spare: Spare,
    /// Where the value of the last `id` line stands in `buf`.
    id: Option<Range<usize>>,
    events: u32,
    terminal: bool,
}

/// What an event wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The event has an `id` of its own.
    pub id: bool,
    /// The event was given the id offered to [`EventWriter::write_or_id`].
    pub given_id: bool,
    /// An `id` of the event is not [portable](EventId::portable).
    pub odd_id: bool,
    /// The event has `data`, so clients dispatch it.
    pub data: bool,
    /// A field was written, so the block has its empty line. Comments are no fields.
    pub field: bool,
}

#[derive(Debug, Default)]
struct Spare {
    id: Option<EventId>,
    retry: Option<RetryDelay>,
}

impl EventWriter {
    /// Creates a writer with an empty buffer, which grows as it is written to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `additional` more bytes.
    pub fn reserve(&mut self, additional: usize) {
        self.buf.reserve(additional);
    }

    /// Appends `event`, whole or not at all.
    ///
    /// Blocks that are [already encoded](SseEvent::block) are copied.
    ///
    /// # Errors
    ///
    /// Returns what [`SseEvent::encode`] returned; the buffer is then as it was before.
    pub fn write<E: SseEvent + ?Sized>(&mut self, event: &E) -> Result<Written, EncodeError> {
        self.write_or_id(event, || None::<EventId>)
    }

    /// Appends `event`, with an id from `next` if it has data but no id of its own.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and if the id is refused.
    pub fn write_or_id<E: SseEvent + ?Sized, I: Display>(
        &mut self,
        event: &E,
        next: impl FnOnce() -> Option<I>,
    ) -> Result<Written, EncodeError> {
        let start = self.buf.len();
        let last_id = self.id.clone();
        self.written = Written::default();
        self.id_slot = None;
        self.spare = Spare::default();
        let done = event.encode(self).and_then(|()| self.end_block(next));
        if done.is_ok() {
            self.events += u32::from(self.written.field);
            self.terminal = event.is_terminal();
        } else {
            self.buf.truncate(start);
            self.id = last_id;
        }
        done.map(|()| self.written)
    }

    /// Writes the first line of a stream: a reconnection time, or a comment if there is none.
    ///
    /// No empty line follows, so a reconnection time stands in the block of the first event:
    /// some clients drop a block that holds nothing else.
    pub fn open_stream(&mut self, retry: Option<RetryDelay>) {
        match retry {
            Some(delay) => self.put_retry(delay),
            None => self.put(b":\n"),
        }
    }

    /// Writes an empty line, which ends the block of an [opening](Self::open_stream) that no
    /// event followed.
    pub fn empty_line(&mut self) {
        self.put(b"\n");
    }

    /// Writes the reserved event that tells an `EventSource` not to come back.
    ///
    /// The client stores its id, [`END_ID`], and sends it when it reconnects; the layer then
    /// answers 204, after which the client stops.
    pub fn end_stream(&mut self) {
        self.put(concat!("event: ", end_id!(), "\nid: ", end_id!(), "\ndata: {}\n\n").as_bytes());
    }

    /// Everything written since the last [`take`](Self::take).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.buf
    }

    /// The number of bytes written since the last [`take`](Self::take).
    #[must_use]
    pub fn len(&self) -> usize {
        self.buf.len()
    }

    /// Whether nothing was written since the last [`take`](Self::take).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    /// The last id written since the last [`take`](Self::take).
    #[must_use]
    pub fn last_id(&self) -> Option<EventId> {
        let id = str::from_utf8(&self.buf[self.id.clone()?]).expect("ids are written from `str`s");
        EventId::new(id.to_owned()).ok()
    }

    /// Takes what was written out of the writer, without a copy.
    #[must_use]
    pub fn take(&mut self) -> Bytes {
        self.id = None;
        self.events = 0;
        self.terminal = false;
        self.buf.split().freeze()
    }

    /// Takes what was written as a block, without a copy.
    #[must_use]
    pub fn take_block(&mut self) -> Block {
        let (events, last_id, terminal) = (self.events, self.last_id(), self.terminal);
        Block::new(self.take(), events, last_id, terminal)
    }
}

/// The name and the id of the event with which [`EventWriter::end_stream`] ends a stream.
pub const END_ID: &str = end_id!();

/// The fields of one event, for [`SseEvent::encode`].
impl EventWriter {
    /// Writes a comment, which clients skip: one `: text` line per line of `text`.
    pub fn comment(&mut self, text: &str) {
        for line in lines(text) {
            self.put(b":");
            if !line.is_empty() {
                self.put(b" ");
                self.put(line.as_bytes());
            }
            self.put(b"\n");
        }
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
        if text.is_empty() {
            self.put(b"data:\n");
            return;
        }
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
        self.payload(|out| write!(out, "{value}").map_err(|_| Cause::Display("data")))
    }

    /// Writes `value` as JSON, straight into the buffer.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` cannot be serialized, such as a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.payload(|out| serde_json::to_writer(out, value).map_err(Cause::Json))
    }

    /// Uses `id` unless the event writes one itself.
    pub(crate) fn id_unless_written(&mut self, id: &EventId) {
        self.spare.id = Some(id.clone());
    }

    /// Uses `delay` unless the event writes one itself.
    pub(crate) fn retry_unless_written(&mut self, delay: RetryDelay) {
        self.spare.retry = Some(delay);
    }

    /// Copies blocks that are already encoded.
    pub(crate) fn blocks(&mut self, bytes: &[u8], events: u32) {
        self.buf.extend_from_slice(bytes);
        self.spare = Spare::default();
        self.events += events;
    }

    fn put(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    fn put_retry(&mut self, delay: RetryDelay) {
        self.put(b"retry: ");
        self.put(itoa::Buffer::new().format(delay.as_millis()).as_bytes());
        self.put(b"\n");
        self.written.field = true;
    }

    fn end_id(&mut self, value: usize) {
        self.id = Some(value..self.buf.len());
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
        let before = self.written;
        self.begin_data();
        let line = self.buf.len();
        self.put(b"data: ");
        let start = self.buf.len();
        if let Err(cause) = write(&mut Raw(&mut self.buf)) {
            self.buf.truncate(line);
            self.written.data = before.data;
            return Err(EncodeError(cause));
        }
        if self.buf.len() == start || memchr2(b'\r', b'\n', &self.buf[start..]).is_some() {
            let payload = self.buf.split_off(start);
            self.buf.truncate(line);
            self.data(str::from_utf8(&payload).expect("only `str`s and JSON were written"));
        } else {
            self.put(b"\n");
        }
        Ok(())
    }

    fn end_block<I: Display>(
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
        self.written.id = false;
        self.written.given_id = true;
        self.id = self
            .id
            .take()
            .map(|at| at.start - end + slot..at.end - end + slot);
        let line = self.buf.len() - end;
        self.buf[slot..].rotate_right(line);
        Ok(())
    }
}

/// Why an event could not be encoded. Nothing of it was written.
#[derive(Debug)]
pub struct EncodeError(Cause);

#[derive(Debug)]
enum Cause {
    Field(FieldError),
    Json(serde_json::Error),
    Display(&'static str),
}

impl EncodeError {
    pub(crate) fn json(error: serde_json::Error) -> Self {
        Self(Cause::Json(error))
    }

    pub(crate) fn display(field: &'static str) -> Self {
        Self(Cause::Display(field))
    }

    /// The refused field and its rule, if that was the cause.
    #[must_use]
    pub fn as_field_error(&self) -> Option<&FieldError> {
        match &self.0 {
            Cause::Field(error) => Some(error),
            _ => None,
        }
    }
}

impl From<FieldError> for EncodeError {
    fn from(error: FieldError) -> Self {
        Self(Cause::Field(error))
    }
}

impl Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Field(error) => error.fmt(f),
            Cause::Json(_) => f.write_str("the `data` field cannot be serialized as JSON"),
            Cause::Display(field) => write!(f, "the value of the `{field}` field failed to format"),
        }
    }
}

impl Error for EncodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::Json(error) => Some(error),
            Cause::Field(_) | Cause::Display(_) => None,
        }
    }
}

/// Text and JSON go into the buffer as they are.
struct Raw<'a>(&'a mut BytesMut);

impl fmt::Write for Raw<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl io::Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

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
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
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
