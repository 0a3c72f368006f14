//! What makes the events of one subscriber differ from those of others.

use sse_core::{Block, Cursor, RawEvent};

use super::lag::Lag;
#[cfg(feature = "sealed")]
use super::seal::Seal;

/// What makes the events of one subscriber differ from those of others.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) lag: Lag,
    pub(super) filter: Option<Filter>,
    #[cfg(feature = "sealed")]
    pub(super) seal: Option<Seal>,
    pub(super) checkpoints: Option<Checkpoints>,
}

/// The place that the client knows of, if it knows one.
#[derive(Clone, Copy)]
pub(super) struct Checkpoints {
    pub(super) known: Option<Cursor>,
}

/// How many events a client may not know to be behind it.
pub(super) const CHECKPOINT: u64 = 64;

pub(super) type Filter = Box<dyn FnMut(&RawEvent<'_>) -> bool + Send>;

impl Edit {
    /// Leaves to a combination of topics what is for all of them.
    pub(super) fn for_combined(&mut self) {
        self.checkpoints = None;
        #[cfg(feature = "sealed")]
        {
            self.seal = None;
        }
    }

    /// What is left for this subscriber, without a seal.
    pub(super) fn filter(&mut self, block: Block) -> Option<Block> {
        match &mut self.filter {
            Some(filter) => block.filter(filter),
            None => Some(block),
        }
    }

    pub(super) fn seal(&self, block: Block) -> Block {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return block.map_ids(|id| seal.id(id));
        }
        block
    }
}
