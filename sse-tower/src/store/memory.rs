//! A store in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::{Entry, EventStore, Kept, Opened, Read, StoreError, TopicKey};
use crate::log::ReadLimit;
use crate::topic::new_epoch;
use crate::{Cursor, Retention};

/// A store in memory, for tests. Cloning shares it: the clones are one store, opened again.
///
/// What it holds is gone when the last clone is; production code that needs no more than that
/// wants a plain topic.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    topics: Arc<Mutex<HashMap<TopicKey, Topic>>>,
}

#[derive(Debug)]
struct Topic {
    at: Opened,
    entries: BTreeMap<u64, Entry>,
    /// The number of the newest entry of each key.
    latest: HashMap<String, u64>,
    events: u64,
    bytes: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<TopicKey, Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        topic: &TopicKey,
        then: impl FnOnce(&mut Topic) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut topics = self.topics();
        then(topics.get_mut(topic).ok_or(StoreError::NotOpened)?)
    }
}

impl EventStore for MemoryStore {
    async fn open(&self, topic: &TopicKey) -> Result<Opened, StoreError> {
        let mut topics = self.topics();
        let topic = topics.entry(topic.clone()).or_insert_with(Topic::new);
        Ok(topic.at)
    }

    async fn append(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        self.with(topic, |topic| topic.append(first, entries, false))
    }

    async fn read(
        &self,
        topic: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Result<Read, StoreError> {
        self.with(topic, |topic| Ok(topic.read(after, limit)))
    }

    async fn close(
        &self,
        topic: &TopicKey,
        first: Cursor,
        last: &[Entry],
    ) -> Result<(), StoreError> {
        self.with(topic, |topic| topic.append(first, last, true))
    }

    async fn trim(
        &self,
        topic: &TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Result<Cursor, StoreError> {
        self.with(topic, |topic| {
            topic.trim(retention, now);
            Ok(topic.at.start)
        })
    }
}

impl Topic {
    fn new() -> Self {
        let start = Cursor::new(new_epoch(), 0);
        Self {
            at: Opened {
                start,
                head: start,
                closed: false,
            },
            entries: BTreeMap::new(),
            latest: HashMap::new(),
            events: 0,
            bytes: 0,
        }
    }

    fn append(&mut self, first: Cursor, entries: &[Entry], close: bool) -> Result<(), StoreError> {
        let last = self.at.check_append(first, entries.len())?;
        for (seq, entry) in (first.seq()..).zip(entries) {
            if let Some(key) = entry.key()
                && let Some(older) = self.latest.insert(key.to_owned(), seq)
                && let Some(replaced) = self.entries.remove(&older)
            {
                self.events -= 1;
                self.bytes -= replaced.bytes().len() as u64;
            }
            self.events += 1;
            self.bytes += entry.bytes().len() as u64;
            self.entries.insert(seq, entry.clone());
        }
        self.at.head = last;
        self.at.closed = close;
        Ok(())
    }

    fn read(&self, after: Cursor, limit: ReadLimit) -> Read {
        if let Some(read) = self.at.read_edge(after) {
            return read;
        }
        let mut room = limit.max_bytes();
        let behind = self.entries.range(after.seq() + 1..);
        let page = behind.take(limit.max_events() as usize).enumerate();
        let page = page.map_while(|(n, (seq, entry))| {
            let len = entry.bytes().len();
            if len > room && n > 0 {
                return None;
            }
            room = room.saturating_sub(len);
            Some((Cursor::new(after.epoch(), *seq), entry.clone()))
        });
        Read::Entries(page.collect())
    }

    fn trim(&mut self, retention: Retention, now: SystemTime) {
        while let Some(oldest) = self.entries.first_entry() {
            let kept = Kept {
                events: self.events,
                bytes: self.bytes,
                closed: self.at.closed,
            };
            if !kept.exceeds(retention, oldest.get().millis(), now) {
                break;
            }
            let (seq, entry) = oldest.remove_entry();
            self.at.start = Cursor::new(self.at.start.epoch(), seq);
            self.bytes -= entry.bytes().len() as u64;
            self.events -= 1;
            if let Some(key) = entry.key() {
                self.latest.remove(key);
            }
        }
    }
}
