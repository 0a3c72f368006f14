//! Events that are encoded already.

use bytes::Bytes;

use crate::buffer::EventBuffer;
use crate::encode_error::EncodeError;
use crate::field::EventId;
use crate::typed::SseEvent;
use crate::write::EventWriter;

/// One or more whole events, encoded and contiguous.
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

    pub(crate) fn new(bytes: Bytes, events: u32, last_id: Option<EventId>, terminal: bool) -> Self {
        Self {
            bytes,
            events,
            last_id,
            terminal,
        }
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
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
