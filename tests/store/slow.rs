//! A store that counts, waits and fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use sse_tower::log::ReadLimit;
use sse_tower::store::{Entry, EventStore, MemoryStore, Opened, Read, StoreError, TopicKey};
use sse_tower::{Cursor, Retention};
use tokio::time::sleep;

/// A memory store whose operations take a second of the test's clock, and may fail.
#[derive(Clone, Default)]
pub(crate) struct Slow {
    pub(crate) store: MemoryStore,
    pub(crate) seen: Arc<Seen>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) appends: AtomicUsize,
    pub(crate) reads: AtomicUsize,
    /// Nothing is done but trimming.
    pub(crate) fails: AtomicBool,
    /// Appends are not done.
    pub(crate) refuses: AtomicBool,
    /// Appends are done, and reported as failed.
    pub(crate) loses_answers: AtomicBool,
    /// Nobody is told where a topic stands.
    pub(crate) fails_to_open: AtomicBool,
    /// How much longer after an append its answer comes.
    pub(crate) answers_after: AtomicU64,
    /// How much later it is for the store, in seconds.
    pub(crate) clock: AtomicU64,
}

impl Seen {
    pub(crate) fn set(flag: &AtomicBool, to: bool) {
        flag.store(to, Ordering::Relaxed);
    }
}

impl Slow {
    async fn wait(&self, count: Option<&AtomicUsize>) -> Result<(), StoreError> {
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        sleep(Duration::from_secs(1)).await;
        if self.seen.fails.load(Ordering::Relaxed) {
            return Err(StoreError::failed("the disk is gone"));
        }
        Ok(())
    }

    fn take(&self) -> Result<(), StoreError> {
        match self.seen.refuses.load(Ordering::Relaxed) {
            true => Err(StoreError::failed("there is no room")),
            false => Ok(()),
        }
    }

    /// The entry, at the time that it is for the store.
    fn later(&self, entry: &Entry) -> Entry {
        let later = Entry::new(entry.bytes().clone(), entry.at() + self.clock());
        let later = later.with_terminal(entry.is_terminal());
        match entry.key() {
            Some(key) => later.with_key(key),
            None => later,
        }
    }

    fn clock(&self) -> Duration {
        Duration::from_secs(self.seen.clock.load(Ordering::Relaxed))
    }

    async fn answer(&self) -> Result<(), StoreError> {
        sleep(Duration::from_secs(
            self.seen.answers_after.load(Ordering::Relaxed),
        ))
        .await;
        if self.seen.loses_answers.load(Ordering::Relaxed) {
            return Err(StoreError::failed("the connection is gone"));
        }
        Ok(())
    }
}

impl EventStore for Slow {
    async fn open(&self, topic: &TopicKey) -> Result<Opened, StoreError> {
        self.wait(None).await?;
        if self.seen.fails_to_open.load(Ordering::Relaxed) {
            return Err(StoreError::failed("there is no connection"));
        }
        self.store.open(topic).await
    }

    async fn append(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        self.wait(Some(&self.seen.appends)).await?;
        self.take()?;
        let entries: Vec<_> = entries.iter().map(|entry| self.later(entry)).collect();
        self.store.append(topic, first, &entries).await?;
        self.answer().await
    }

    async fn read(
        &self,
        topic: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Result<Read, StoreError> {
        self.wait(Some(&self.seen.reads)).await?;
        self.store.read(topic, after, limit).await
    }

    async fn close(
        &self,
        topic: &TopicKey,
        first: Cursor,
        last: &[Entry],
    ) -> Result<(), StoreError> {
        self.wait(Some(&self.seen.appends)).await?;
        self.take()?;
        self.store.close(topic, first, last).await?;
        self.answer().await
    }

    async fn trim(
        &self,
        topic: &TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Result<Cursor, StoreError> {
        self.store.trim(topic, retention, now + self.clock()).await
    }
}
