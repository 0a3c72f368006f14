//! What makes the events of one subscriber differ from those of others.

use sse_core::{Block, Cursor, RawEvent};

#[cfg(feature = "sealed")]
use super::seal::Seal;

/// What makes the events of one subscriber differ from those of others.
#[derive(Default)]
pub(super) struct Edit {
    pub(super) filter: Option<Filter>,
    #[cfg(feature = "sealed")]
    pub(super) seal: Option<Seal>,
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
    /// The same without a seal, if anything is left of it.
    pub(super) fn only_filter(self) -> Option<Box<Self>> {
        let filter = Some(self.filter?);
        Some(Box::new(Self {
            filter,
            #[cfg(feature = "sealed")]
            seal: None,
        }))
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
