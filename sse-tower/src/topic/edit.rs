//! What makes the events of one subscriber differ from those of others.

use sse_core::{Block, Cursor, RawEvent};

#[cfg(feature = "sealed")]
use super::seal::Seal;

/// What makes the events of one subscriber differ from those of others.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) filter: Option<Filter>,
    pub(super) checkpoints: Option<Checkpoints>,
    #[cfg(feature = "sealed")]
    pub(super) seal: Option<Seal>,
}

/// The place that the client knows of, if it knows one.
pub(super) struct Checkpoints {
    pub(super) known: Option<Cursor>,
}

/// How many events a client may not know to be behind it.
pub(super) const CHECKPOINT: u64 = 64;

pub(super) type Filter = Box<dyn FnMut(&RawEvent<'_>) -> bool + Send>;

impl Edit {
    /// What is left for this subscriber, and whether its newest event is.
    pub(super) fn edit(&mut self, block: Block) -> (Option<Block>, bool) {
        let (left, whole) = match &mut self.filter {
            Some(filter) => {
                let left = block.filter(filter);
                let last_id = left.as_ref().and_then(Block::last_id);
                let whole = last_id == block.last_id();
                (left, whole)
            }
            None => (Some(block), true),
        };
        let last_id = left.as_ref().and_then(Block::last_id);
        if let (Some(checkpoints), Some(id)) = (&mut self.checkpoints, last_id) {
            checkpoints.known = id.as_str().parse().ok();
        }
        (left.map(|block| self.seal(block)), whole)
    }

    pub(super) fn seal(&self, block: Block) -> Block {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return block.map_ids(|id| seal.id(id));
        }
        block
    }
}
