//! A store in a file, on redb.

#[cfg(test)]
mod faults;
mod tables;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use redb::{Database, ReadableDatabase};
use tokio::task::spawn_blocking;

use self::tables::Snapshot;
use self::writer::{Op, Writer};
use super::{Entry, EventStore, Opened, Read, StoreError, TopicKey};
use crate::log::ReadLimit;
use crate::{Cursor, Retention};

/// A store in one file, which one process has open at a time.
///
/// - What was acknowledged is on the disk: every commit waits for the disk, and a file that a
///   killed process left behind opens with everything it acknowledged and the same epochs.
/// - Appends that wait at the same time, of one topic or of many, are committed together by one
///   thread: waiting for the disk once costs the same for a thousand of them.
/// - Reads run next to the commits, on the blocking threads of the tokio runtime.
///
/// After an I/O error, such as a full disk, everything fails until the file is opened again:
/// [stop](crate::DurableTopic::stop) its topics, drop the store, and open both anew, or begin a
/// new process.
///
/// Up to 32 MiB of the file are held in memory. A copy of the file that is put back while clients
/// hold ids of what came after it makes them miss events without being told: the numbers are
/// given out anew.
///
/// Cloning shares the file. Dropping the last clone finishes what was begun and closes it, which
/// waits for the disk as well. The file does not shrink; room that retention frees is used again.
///
/// # Examples
///
/// ```
/// use sse_tower::store::{EventStore, RedbStore};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let path = std::env::temp_dir().join(format!("sse-tower-doc-{}.redb", std::process::id()));
/// let store = RedbStore::open(&path)?;
/// let opened = store.open(&("orders", "42").into()).await?;
///
/// drop(store);
/// let again = RedbStore::open(&path)?.open(&("orders", "42").into()).await?;
/// assert_eq!(again, opened); // also after a crash
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedbStore {
    inner: Arc<Inner>,
}

/// The thread ends, and with it its share of the database, before ours does.
#[derive(Debug)]
struct Inner {
    writer: Writer,
    database: Arc<Database>,
}

/// What catching up reads is read once and by all; redb would hold a gigabyte of it.
const CACHE: usize = 32 << 20;

impl RedbStore {
    /// Opens the file, or creates it.
    ///
    /// This waits for the disk, and after a crash for a check of the whole file: call it at the
    /// start, before there is anybody to wait.
    ///
    /// # Errors
    ///
    /// [`StoreError::Failed`] if the file cannot be opened, is damaged or not a redb file, or if
    /// another process has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE);
        // redb panics on a page that it did not write.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = builder.create(path).map_err(StoreError::failed)?;
            tables::create(&database).map_err(StoreError::failed)?;
            Ok(database)
        }));
        let damaged = |_| Err(StoreError::failed("the file is damaged"));
        Self::start(opened.unwrap_or_else(damaged)?)
    }

    fn start(database: Database) -> Result<Self, StoreError> {
        let database = Arc::new(database);
        let writer = Writer::start(Arc::clone(&database))?;
        let inner = Arc::new(Inner { writer, database });
        Ok(Self { inner })
    }

    async fn put(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
        close: bool,
    ) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        let op = Op::Append {
            first,
            entries,
            close,
        };
        self.change(topic, op).await?;
        Ok(())
    }

    async fn change(&self, topic: &TopicKey, op: Op) -> Result<Opened, StoreError> {
        self.inner.writer.run(topic.clone(), op).await
    }
}

impl EventStore for RedbStore {
    async fn open(&self, topic: &TopicKey) -> Result<Opened, StoreError> {
        self.change(topic, Op::Open).await
    }

    async fn append(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        self.put(topic, first, entries, false).await
    }

    async fn read(
        &self,
        topic: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Result<Read, StoreError> {
        let (inner, topic) = (Arc::clone(&self.inner), topic.clone());
        let read = spawn_blocking(move || {
            let transaction = inner.database.begin_read().map_err(StoreError::failed)?;
            let snapshot = Snapshot::new(&transaction).map_err(StoreError::failed)?;
            let read = snapshot.read(&topic, after, limit);
            read.map_err(StoreError::failed)?
                .ok_or(StoreError::NotOpened)
        });
        read.await.map_err(StoreError::failed)?
    }

    async fn close(
        &self,
        topic: &TopicKey,
        first: Cursor,
        last: &[Entry],
    ) -> Result<(), StoreError> {
        self.put(topic, first, last, true).await
    }

    async fn trim(
        &self,
        topic: &TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Result<Cursor, StoreError> {
        let trimmed = self.change(topic, Op::Trim { retention, now }).await?;
        Ok(trimmed.start)
    }
}
