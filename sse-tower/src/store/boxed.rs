//! A store that is chosen at run time.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use super::{Entry, EventStore, Opened, Read, StoreError, TopicKey};
use crate::log::ReadLimit;
use crate::{Cursor, Retention};

/// Any store, behind one type. Cloning shares it.
///
/// # Examples
///
/// ```
/// use sse_tower::store::{BoxStore, EventStore, MemoryStore};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = BoxStore::new(MemoryStore::new());
/// assert_eq!(store.open(&"news".into()).await?.head.seq(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BoxStore(Arc<dyn ErasedStore>);

impl BoxStore {
    /// Wraps a store.
    #[must_use]
    pub fn new(store: impl EventStore) -> Self {
        Self(Arc::new(store))
    }
}

impl EventStore for BoxStore {
    async fn open(&self, topic: &TopicKey) -> Result<Opened, StoreError> {
        self.0.open(topic).await
    }

    async fn append(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        self.0.append(topic, first, entries).await
    }

    async fn read(
        &self,
        topic: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Result<Read, StoreError> {
        self.0.read(topic, after, limit).await
    }

    async fn close(
        &self,
        topic: &TopicKey,
        first: Cursor,
        last: &[Entry],
    ) -> Result<(), StoreError> {
        self.0.close(topic, first, last).await
    }

    async fn trim(
        &self,
        topic: &TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Result<Cursor, StoreError> {
        self.0.trim(topic, retention, now).await
    }
}

impl fmt::Debug for BoxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxStore").finish_non_exhaustive()
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`EventStore`] with boxed futures, so that it can be a trait object.
trait ErasedStore: Send + Sync {
    fn open<'a>(&'a self, topic: &'a TopicKey) -> Answer<'a, Opened>;
    fn append<'a>(
        &'a self,
        topic: &'a TopicKey,
        first: Cursor,
        entries: &'a [Entry],
    ) -> Answer<'a, ()>;
    fn read<'a>(&'a self, topic: &'a TopicKey, after: Cursor, limit: ReadLimit)
    -> Answer<'a, Read>;
    fn close<'a>(&'a self, topic: &'a TopicKey, first: Cursor, last: &'a [Entry])
    -> Answer<'a, ()>;
    fn trim<'a>(
        &'a self,
        topic: &'a TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Answer<'a, Cursor>;
}

impl<S: EventStore> ErasedStore for S {
    fn open<'a>(&'a self, topic: &'a TopicKey) -> Answer<'a, Opened> {
        Box::pin(EventStore::open(self, topic))
    }

    fn append<'a>(
        &'a self,
        topic: &'a TopicKey,
        first: Cursor,
        entries: &'a [Entry],
    ) -> Answer<'a, ()> {
        Box::pin(EventStore::append(self, topic, first, entries))
    }

    fn read<'a>(
        &'a self,
        topic: &'a TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Answer<'a, Read> {
        Box::pin(EventStore::read(self, topic, after, limit))
    }

    fn close<'a>(
        &'a self,
        topic: &'a TopicKey,
        first: Cursor,
        last: &'a [Entry],
    ) -> Answer<'a, ()> {
        Box::pin(EventStore::close(self, topic, first, last))
    }

    fn trim<'a>(
        &'a self,
        topic: &'a TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Answer<'a, Cursor> {
        Box::pin(EventStore::trim(self, topic, retention, now))
    }
}
