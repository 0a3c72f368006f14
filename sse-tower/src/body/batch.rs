//! `Batch`: what is collected for one frame.

use bytes::Bytes;
use sse_core::{Block, EventBuffer, SseEvent};

use super::source::Filled;
use crate::ids::IdAssigner;
use crate::life::{CloseReason, Life};

/// A stream that encodes nothing needs no batch, nor does one that has been quiet so far.
pub(crate) type MaybeBatch = Option<Box<Batch>>;

/// The events of one frame.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) buffer: EventBuffer,
    /// Follows what was written; it is a frame of its own, so that its bytes are not copied.
    block: Option<Block>,
    /// The last id in it, if that is somebody else's; empty if there is none.
    block_id: String,
    pub(crate) ids: IdAssigner,
    /// Events that went on the wire since the stream began.
    total: u64,
    /// Events since the last frame, with those that left no bytes.
    events: usize,
    most_events: usize,
    /// The size of the last frame, which the next one is likely to have.
    last_frame: usize,
    /// The largest frame since the stream was quiet: as much may still be held.
    largest_frame: usize,
    /// How many events of a topic waited for this client.
    pub(super) waited: Option<u64>,
    warned: bool,
    terminal: bool,
    /// The stream began with a retry hint, whose block has nothing else so far.
    hint: bool,
}

/// Ready events go out in one frame of at least this size; more would only add latency.
const FULL: usize = 8 * 1024;

/// A buffer of this size stays with a quiet stream, so that its next event needs no new one.
const SMALL: usize = 1024;

/// A stream whose events leave no bytes must let others run too.
const MOST_EVENTS: usize = 1024;

impl Batch {
    /// One event at a time.
    pub(crate) fn single() -> Self {
        Self {
            most_events: 1,
            ..Self::default()
        }
    }

    /// Whether it takes one event at a time, as its reader needs each for itself.
    pub(crate) fn is_single(&self) -> bool {
        self.most_events == 1
    }

    /// The next frame, entered into the record of its stream.
    pub(crate) fn take_frame(&mut self, life: &mut Life) -> Option<Bytes> {
        if let Some(events) = self.waited.take() {
            life.waited(events);
        }
        if self.buffer.is_empty() {
            let block = self.take_block()?;
            if !self.block_id.is_empty() {
                life.sent_id(&self.block_id);
            }
            return Some(life.sent_block(block, None));
        }
        self.events = 0;
        // The opening lines come only once.
        if self.buffer.events() > 0 {
            self.last_frame = self.buffer.len();
            self.largest_frame = self.largest_frame.max(self.last_frame);
        }
        if let Some(id) = self.buffer.last_id() {
            life.sent_id(id);
        }
        life.sent(self.buffer.events().into(), self.buffer.len());
        Some(self.buffer.take())
    }

    /// The bytes of the next frame as a block.
    pub(crate) fn take_block(&mut self) -> Option<Block> {
        self.events = 0;
        if self.buffer.is_empty() {
            return self.block.take();
        }
        Some(self.buffer.take_block())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.block.is_none()
    }

    /// Nothing is to be sent for now: gives a large buffer back, and that of the opening lines.
    /// Returns whether nothing of it is needed later.
    pub(crate) fn rest(&mut self) -> bool {
        if self.largest_frame > SMALL || self.last_frame == 0 {
            self.last_frame = 0;
            self.largest_frame = 0;
            self.buffer = EventBuffer::new();
        }
        !self.is_needed()
    }

    /// Whether something of it is needed later. A small buffer, or memory for an id, is not needed,
    /// but the next event needs no allocation then.
    pub(crate) fn is_needed(&self) -> bool {
        !self.is_empty()
            || self.last_frame > 0
            || self.ids.are_given()
            || self.warned
            || self.block_id.capacity() > 0
    }

    /// The buffer, to write behind everything else.
    pub(crate) fn behind(&mut self) -> &mut EventBuffer {
        if let Some(block) = self.block.take() {
            self.buffer
                .write(&block)
                .expect("a block is encoded already");
        }
        &mut self.buffer
    }

    /// The stream begins with a retry hint, whose block is not ended yet.
    pub(crate) fn begins_with_hint(&mut self) {
        self.hint = true;
    }

    /// Whether the block of the hint has nothing else so far; only before anything was sent.
    pub(crate) fn is_hint_alone(&self) -> bool {
        self.hint && self.total == 0
    }

    /// Whether a terminal event was added.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Adds one event; `None` if there is room for more.
    pub(crate) fn add(&mut self, event: &(impl SseEvent + ?Sized)) -> Option<Filled> {
        if let Some(block) = event.block() {
            return self.add_block(block, event.is_terminal());
        }
        self.events += 1;
        if self.buffer.is_empty() {
            self.buffer.reserve(self.last_frame.min(2 * FULL));
        }
        if self.total == 0 && event.declares_id() {
            self.ids.type_has_id();
        }
        let Self { buffer, ids, .. } = self;
        let written = match buffer.write_or_id(event, || ids.next()) {
            Ok(written) => written,
            Err(error) => return Some(Filled::Failed(error.into())),
        };
        self.total += u64::from(written.field);
        if written.id {
            self.ids.stop();
        }
        if written.odd_id && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                event = event.event_name(),
                "an event id is not visible ASCII of at most 512 bytes: some clients never reconnect after it"
            );
        }
        if event.is_terminal() {
            self.terminal = true;
            return Some(Filled::Over(CloseReason::Done));
        }
        let full = self.buffer.len() >= FULL || self.events >= self.most_events;
        full.then_some(Filled::More)
    }

    /// Adds events that are encoded already; `None` if there is room for more.
    pub(crate) fn add_block(&mut self, block: Block, terminal: bool) -> Option<Filled> {
        self.events += 1;
        self.total += u64::from(block.events());
        if block.last_id().is_some() {
            self.ids.stop();
        }
        let terminal = terminal || block.is_terminal();
        // An empty one is no frame: it would count as activity on a silent stream.
        let empty = block.bytes().is_empty();
        self.block = (!empty).then_some(block);
        if terminal {
            self.terminal = true;
            return Some(Filled::Over(CloseReason::Done));
        }
        (!empty || self.events >= self.most_events).then_some(Filled::More)
    }

    /// Adds whole events of somebody else as they are; `None` as above.
    pub(crate) fn add_foreign(
        &mut self,
        bytes: Bytes,
        events: u32,
        id: Option<&str>,
    ) -> Option<Filled> {
        self.block_id.clear();
        if let Some(id) = id {
            self.block_id.push_str(id);
        }
        self.add_block(Block::stored(bytes, events, None, false), false)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            buffer: EventBuffer::new(),
            block: None,
            block_id: String::new(),
            ids: IdAssigner::default(),
            total: 0,
            events: 0,
            most_events: MOST_EVENTS,
            last_frame: 0,
            largest_frame: 0,
            waited: None,
            warned: false,
            terminal: false,
            hint: false,
        }
    }
}
