//! What is stored in one step, and whether it was.

use std::time::SystemTime;

use sse_core::Cursor;
use sse_core::log::{Batch, ReadLimit};

use crate::store::{BoxStore, Entry, EventStore, Read, StoreError, TopicKey};

/// Entries that a store has all of, or none.
#[derive(Debug)]
pub(super) struct Commit {
    /// The newest entry before them, and after them.
    before: Cursor,
    last: Cursor,
    entries: Vec<Entry>,
    /// Whether the topic is closed with them.
    close: bool,
}

impl Commit {
    /// What comes after `before`; `None` if there are not enough numbers left.
    pub(super) fn new<'a>(
        before: Cursor,
        batches: impl Iterator<Item = &'a Batch>,
        close: bool,
    ) -> Option<Self> {
        let (mut entries, mut last) = (Vec::new(), before);
        for batch in batches {
            let first = next(last)?;
            for (block, key) in batch.blocks(first).zip(batch.compaction_keys()) {
                let entry = Entry::new(block.bytes().clone(), SystemTime::now());
                let entry = entry.with_terminal(block.is_terminal());
                entries.push(match key {
                    Some(key) => entry.with_key(key),
                    None => entry,
                });
                last = next(last)?;
            }
        }
        Some(Self {
            before,
            last,
            entries,
            close,
        })
    }

    pub(super) fn events(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.iter().map(|it| it.bytes().len()).sum()
    }

    pub(super) async fn store(&self, store: &BoxStore, key: &TopicKey) -> Result<(), StoreError> {
        if self.entries.is_empty() && !self.close {
            return Ok(());
        }
        let first = Cursor::new(self.before.epoch(), self.before.seq().wrapping_add(1));
        match self.close {
            true => store.close(key, first, &self.entries).await,
            false => store.append(key, first, &self.entries).await,
        }
    }

    /// Whether the store has it, after a failure that left this open.
    ///
    /// Numbers alone do not tell: another writer may have used them. So what is stored is
    /// compared, and anything that is neither this nor nothing is a conflict.
    pub(super) async fn is_stored(
        &self,
        store: &BoxStore,
        key: &TopicKey,
    ) -> Result<bool, StoreError> {
        let opened = store.open(key).await?;
        if (opened.head, opened.closed) == (self.before, false) {
            return Ok(false);
        }
        let conflict = StoreError::Conflict { head: opened.head };
        if (opened.head, opened.closed) != (self.last, self.close) {
            return Err(conflict);
        }
        let mut at = self.before;
        while at != self.last {
            let stored = match store.read(key, at, ReadLimit::default()).await? {
                Read::Entries(stored) if !stored.is_empty() => stored,
                _ => return Err(conflict),
            };
            for (cursor, entry) in stored {
                if self.entry(cursor) != Some(&entry) {
                    return Err(conflict);
                }
                at = cursor;
            }
        }
        Ok(true)
    }

    fn entry(&self, at: Cursor) -> Option<&Entry> {
        let number = at.seq().checked_sub(self.before.seq())?;
        self.entries
            .get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

/// The number after this one.
pub(super) fn next(head: Cursor) -> Option<Cursor> {
    let seq = head.seq().checked_add(1)?;
    Some(Cursor::new(head.epoch(), seq))
}
