//! Events that are encoded already.

use bytes::{Bytes, BytesMut};

use crate::buffer::EventBuffer;
use crate::decode::{Decoder, Limits};
use crate::encode_error::EncodeError;
use crate::field::EventId;
use crate::raw::RawEvent;
use crate::typed::SseEvent;
use crate::write::EventWriter;

/// Whole events, encoded and contiguous: one or more, or none but comments.
///
/// It is an event itself: a stream may carry blocks, and they are sent without a copy.
/// Cloning shares the bytes.
///
/// # Examples
///
/// ```
/// use sse_core::{Block, Event};
///
/// let block = Block::encode(&Event::new().id(7).data("x"))?;
/// assert_eq!(&block.bytes()[..], b"id: 7\ndata: x\n\n");
/// assert_eq!(block.last_id().map(|id| id.as_str()), Some("7"));
/// # Ok::<(), sse_core::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    bytes: Bytes,
    events: u32,
    last_id: Option<EventId>,
    terminal: bool,
}

impl Block {
    /// Encodes one event.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be encoded.
    pub fn encode<E: SseEvent + ?Sized>(event: &E) -> Result<Self, EncodeError> {
        if let Some(block) = event.block() {
            return Ok(block);
        }
        let mut buffer = EventBuffer::new();
        buffer.write(event)?;
        Ok(buffer.take_block())
    }

    pub(crate) const fn new(
        bytes: Bytes,
        events: u32,
        last_id: Option<EventId>,
        terminal: bool,
    ) -> Self {
        Self {
            bytes,
            events,
            last_id,
            terminal,
        }
    }

    /// The events for which `keep` is true, if there are any. If it is all of them, they are not
    /// copied.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_core::{EventBuffer, Event};
    ///
    /// let mut buffer = EventBuffer::new();
    /// for n in 1..=3 {
    ///     buffer.write(&Event::new().id(n).data(n.to_string()))?;
    /// }
    /// let block = buffer.take_block();
    /// let odd = block.filter(|event| event.data() != "2").expect("two are left");
    /// assert_eq!(&odd.bytes()[..], b"id: 1\ndata: 1\n\nid: 3\ndata: 3\n\n");
    /// # Ok::<(), sse_core::EncodeError>(())
    /// ```
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(&RawEvent<'_>) -> bool) -> Option<Self> {
        let mut kept = BytesMut::new();
        let (mut events, mut last_id, mut left_out) = (0, None, false);
        let mut ends_here = false;
        for bytes in self.each() {
            let mut decoder = Decoder::new().with_limits(Limits::none());
            decoder.push(bytes.clone());
            // Comments belong to the event behind them, and go with it.
            if let Ok(Some(event)) = decoder.next_event() {
                ends_here = keep(&event);
                if !ends_here {
                    left_out = true;
                    continue;
                }
                events += 1;
                last_id = event.id().map(str::to_owned).or(last_id);
            }
            kept.extend_from_slice(&bytes);
        }
        if !left_out {
            return Some(self.clone());
        }
        let last_id = last_id.and_then(|id| EventId::new(id).ok());
        let terminal = self.terminal && ends_here;
        (events > 0).then(|| Self::new(kept.freeze(), events, last_id, terminal))
    }

    /// The same events with other ids: `id` is given each and returns what stands there instead.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_core::{Block, Event, EventId};
    ///
    /// let block = Block::encode(&Event::new().id(7).data("id: x"))?;
    /// let mapped = block.map_ids(|id| EventId::new(format!("a{id}")).expect("no line break"));
    /// assert_eq!(&mapped.bytes()[..], b"id: a7\ndata: id: x\n\n");
    /// assert_eq!(mapped.last_id().map(EventId::as_str), Some("a7"));
    /// # Ok::<(), sse_core::EncodeError>(())
    /// ```
    #[must_use]
    pub fn map_ids(&self, mut id: impl FnMut(&str) -> EventId) -> Self {
        let mut bytes = BytesMut::with_capacity(self.bytes.len() + 64);
        let mut last_id = self.last_id.clone();
        // What we encode ends its lines with LF and has one space behind the colon.
        for line in self.bytes.split_inclusive(|b| *b == b'\n') {
            let value = line
                .strip_prefix(b"id: ")
                .and_then(|v| v.strip_suffix(b"\n"));
            let Some(value) = value.and_then(|value| str::from_utf8(value).ok()) else {
                bytes.extend_from_slice(line);
                continue;
            };
            let id = id(value);
            for part in ["id: ", id.as_str(), "\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
            last_id = Some(id);
        }
        Self::new(bytes.freeze(), self.events, last_id, self.terminal)
    }

    /// The bytes of each event: they end with the empty line.
    fn each(&self) -> impl Iterator<Item = Bytes> {
        let mut rest = self.bytes.clone();
        std::iter::from_fn(move || {
            let end = memchr::memmem::find(&rest, b"\n\n").map_or(rest.len(), |at| at + 2);
            (end > 0).then(|| rest.split_to(end))
        })
    }

    /// Whole events that were encoded once and come back out of a store, which is trusted.
    #[doc(hidden)]
    #[must_use]
    pub const fn stored(
        bytes: Bytes,
        events: u32,
        last_id: Option<EventId>,
        terminal: bool,
    ) -> Self {
        Self::new(bytes, events, last_id, terminal)
    }

    /// The same block, which ends its stream or not.
    #[doc(hidden)]
    #[must_use]
    pub fn with_terminal(mut self, terminal: bool) -> Self {
        self.terminal = terminal;
        self
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes on the wire, without the rest.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The bytes on the wire, and the id of the last event that has one.
    #[doc(hidden)]
    #[must_use]
    pub fn into_parts(self) -> (Bytes, Option<EventId>) {
        (self.bytes, self.last_id)
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.events
    }

    /// The id of the last event that has one.
    #[must_use]
    pub fn last_id(&self) -> Option<&EventId> {
        self.last_id.as_ref()
    }

    /// Whether the stream ends with the last event.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }
}

impl SseEvent for Block {
    fn event_name(&self) -> Option<&str> {
        None
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.block(self);
        Ok(())
    }

    fn is_terminal(&self) -> bool {
        self.terminal
    }

    fn block(&self) -> Option<Block> {
        Some(self.clone())
    }
}
