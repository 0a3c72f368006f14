//! A memory store with habits of its own: what the odd stores of the tests have in common.

use std::time::SystemTime;

use sse_tower::log::ReadLimit;
use sse_tower::store::{Entry, EventStore, MemoryStore, Opened, Read, StoreError, TopicKey};
use sse_tower::{Cursor, Retention};

/// A memory store that does something around every operation.
#[derive(Clone, Default)]
pub(crate) struct Around<H> {
    pub(crate) store: MemoryStore,
    pub(crate) habits: H,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Op {
    Open,
    /// Or close.
    Append,
    Read,
    Trim,
}

/// What a store does besides what it is asked for. Default: nothing.
pub(crate) trait Habits: Send + Sync + 'static {
    /// Comes before an operation, which is not done if this fails.
    fn before(&self, _: Op) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// Comes after one that is done.
    fn after(&self, _: Op) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { Ok(()) }
    }

    /// The time that it is for the store.
    fn time(&self, at: SystemTime) -> SystemTime {
        at
    }

    /// What it keeps when it is asked to keep this much.
    fn retention(&self, asked: Retention) -> Retention {
        asked
    }
}

impl<H: Habits> Around<H> {
    async fn around<T>(
        &self,
        op: Op,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.habits.before(op).await?;
        let done = work.await?;
        self.habits.after(op).await?;
        Ok(done)
    }

    /// The entries at the time that it is for the store.
    fn timed(&self, entries: &[Entry]) -> Vec<Entry> {
        let timed = entries.iter().map(|entry| {
            let timed = Entry::new(entry.bytes().clone(), self.habits.time(entry.at()));
            let timed = timed.with_terminal(entry.is_terminal());
            match entry.key() {
                Some(key) => timed.with_key(key),
                None => timed,
            }
        });
        timed.collect()
    }
}

impl<H: Habits> EventStore for Around<H> {
    async fn open(&self, topic: &TopicKey) -> Result<Opened, StoreError> {
        self.around(Op::Open, self.store.open(topic)).await
    }

    async fn append(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        let entries = self.timed(entries);
        let append = self.store.append(topic, first, &entries);
        self.around(Op::Append, append).await
    }

    async fn read(
        &self,
        topic: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Result<Read, StoreError> {
        let read = self.store.read(topic, after, limit);
        self.around(Op::Read, read).await
    }

    async fn close(
        &self,
        topic: &TopicKey,
        first: Cursor,
        last: &[Entry],
    ) -> Result<(), StoreError> {
        let last = self.timed(last);
        let close = self.store.close(topic, first, &last);
        self.around(Op::Append, close).await
    }

    async fn trim(
        &self,
        topic: &TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Result<Cursor, StoreError> {
        let (retention, now) = (self.habits.retention(retention), self.habits.time(now));
        let trim = self.store.trim(topic, retention, now);
        self.around(Op::Trim, trim).await
    }
}
