//! Encoded events, one behind the other.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;

use crate::block::Block;
use crate::encode_error::EncodeError;
use crate::field::{EventId, RetryDelay};
use crate::typed::SseEvent;
use crate::write::{EventWriter, LastId, Written};

macro_rules! end_id {
    () => {
        "sse-tower:end"
    };
}

/// The name and the id of the event with which [`EventBuffer::end_stream`] ends a stream.
pub const END_ID: &str = end_id!();

/// Collects encoded events in one buffer, each whole or not at all.
///
/// # Examples
///
/// ```
/// use sse_core::{Event, EventBuffer};
///
/// let mut buffer = EventBuffer::new();
/// buffer.write(&Event::named("tick").id(7).data("a\nb"))?;
/// assert_eq!(buffer.as_bytes(), b"event: tick\nid: 7\ndata: a\ndata: b\n\n");
///
/// let refused = buffer.write(&Event::named("tick\n").data("x")).unwrap_err();
/// assert_eq!(refused.to_string(), "the `event` field cannot contain a line break");
/// assert_eq!(buffer.take().len(), 35, "the refused event left nothing behind");
/// # Ok::<(), sse_core::EncodeError>(())
/// ```
#[derive(Debug, Default)]
pub struct EventBuffer {
    writer: EventWriter,
    events: u32,
    terminal: bool,
}

impl EventBuffer {
    /// Creates an empty buffer, which grows as it is written to.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `additional` more bytes.
    pub fn reserve(&mut self, additional: usize) {
        self.writer.buf.reserve(additional);
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
        let draft = Draft::new(&mut self.writer);
        event.encode(draft.writer)?;
        draft.writer.end_block(next)?;
        let terminal = event.is_terminal();
        let written = draft.keep();
        self.events += u32::from(written.field);
        self.terminal = terminal;
        Ok(written)
    }

    /// Writes the first line of a stream: a reconnection time, or a comment if there is none.
    ///
    /// No empty line follows, so a reconnection time stands in the block of the first event:
    /// some clients drop a block that holds nothing else.
    pub fn open_stream(&mut self, retry: Option<RetryDelay>) {
        match retry {
            Some(delay) => self.writer.put_retry(delay),
            None => self.writer.put(b":\n"),
        }
    }

    /// Writes the reserved event `sse-tower:keep-alive`, which tells clients after how much
    /// silence they will hear a sign of life.
    pub fn announce_keep_alive(&mut self, interval: Duration) {
        self.writer
            .put(b"event: sse-tower:keep-alive\ndata: {\"interval_ms\":");
        let mut digits = itoa::Buffer::new();
        self.writer
            .put(digits.format(interval.as_millis()).as_bytes());
        self.writer.put(b"}\n\n");
    }

    /// Writes the reserved event `sse-tower:cursor`, which has an id and no payload: it tells a
    /// client where it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_core::{EventBuffer, EventId};
    ///
    /// let mut buffer = EventBuffer::new();
    /// buffer.checkpoint(&EventId::from_static("17.42"));
    /// assert_eq!(buffer.as_bytes(), b"event: sse-tower:cursor\nid: 17.42\ndata:\n\n");
    /// ```
    pub fn checkpoint(&mut self, id: &EventId) {
        for part in ["event: sse-tower:cursor\nid: ", id.as_str(), "\ndata:\n\n"] {
            self.writer.put(part.as_bytes());
        }
        self.writer.last_id = LastId::Known(id.clone());
        self.events += 1;
    }

    /// Writes an empty line, which ends the block of an [opening](Self::open_stream) that no
    /// event followed.
    pub fn empty_line(&mut self) {
        self.writer.put(b"\n");
    }

    /// Writes the reserved event that tells an `EventSource` not to come back.
    ///
    /// The client stores its id, [`END_ID`], and sends it when it reconnects; the layer then
    /// answers 204, after which the client stops.
    pub fn end_stream(&mut self) {
        self.writer
            .put(concat!("event: ", end_id!(), "\nid: ", end_id!(), "\ndata: {}\n\n").as_bytes());
    }

    /// Everything written since the last [`take`](Self::take).
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.writer.buf
    }

    /// The number of bytes written since the last [`take`](Self::take).
    #[must_use]
    pub fn len(&self) -> usize {
        self.writer.buf.len()
    }

    /// Whether nothing was written since the last [`take`](Self::take).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writer.buf.is_empty()
    }

    /// The number of events written since the last [`take`](Self::take); comments are none.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.events + self.writer.blocks
    }

    /// The last id of an event written since the last [`take`](Self::take).
    #[must_use]
    pub fn last_id(&self) -> Option<&str> {
        match &self.writer.last_id {
            LastId::None => None,
            LastId::Known(id) => Some(id.as_str()),
            LastId::At(value) => str::from_utf8(self.as_bytes().get(value.clone())?).ok(),
        }
    }

    /// Takes what was written out of the buffer, without a copy.
    #[must_use]
    pub fn take(&mut self) -> Bytes {
        self.writer.last_id = LastId::None;
        self.writer.blocks = 0;
        self.events = 0;
        self.terminal = false;
        self.writer.buf.split().freeze()
    }

    /// Takes what was written as a block, without a copy.
    #[must_use]
    pub fn take_block(&mut self) -> Block {
        let last_id = match &self.writer.last_id {
            LastId::Known(id) => Some(id.clone()),
            _ => self
                .last_id()
                .and_then(|id| EventId::new(id.to_owned()).ok()),
        };
        let (events, terminal) = (self.events(), self.terminal);
        Block::new(self.take(), events, last_id, terminal)
    }
}

/// An event that is not whole yet: dropped on an error or a panic, it leaves nothing behind.
struct Draft<'a> {
    writer: &'a mut EventWriter,
    start: usize,
    last_id: LastId,
    blocks: u32,
    is_kept: bool,
}

impl<'a> Draft<'a> {
    fn new(writer: &'a mut EventWriter) -> Self {
        writer.begin();
        Self {
            start: writer.buf.len(),
            last_id: writer.last_id.clone(),
            blocks: writer.blocks,
            is_kept: false,
            writer,
        }
    }

    fn keep(mut self) -> Written {
        self.is_kept = true;
        self.writer.written()
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.writer.buf.truncate(self.start);
            self.writer.last_id = std::mem::take(&mut self.last_id);
            self.writer.blocks = self.blocks;
        }
    }
}
