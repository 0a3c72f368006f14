//! Stores: where a [`DurableTopic`](crate::DurableTopic) keeps its events across restarts.
//!
//! An [`EventStore`] holds topics, each a list of encoded events with numbers in an epoch, as a
//! [log](crate::log) does. It answers four questions: where a topic stands, whether these
//! entries may follow, what comes after a cursor, and what retention leaves. It never has to
//! wake anybody: readers that have caught up read the ring of their topic.
//!
//! Retention removes events and never a topic: that one was closed, or where its numbers go on, is
//! kept for good. So a store grows a little with each key, and a key for every request, say, makes
//! it grow for ever: for those there is [`ResumeLayer`](crate::ResumeLayer), which forgets.
//!
//! - [`MemoryStore`] is for tests, and shows how little a store has to do.
//! - `RedbStore` (feature `redb`) is a file on this machine.
//! - Your own for an engine that others host: implement the trait, and run the tests of
//!   `store::contract` (feature `store-contract`) on it.
//!
//! # Examples
//!
//! ```
//! use std::time::SystemTime;
//! use sse_tower::Cursor;
//! use sse_tower::log::ReadLimit;
//! use sse_tower::store::{Entry, EventStore, MemoryStore, Read, StoreError};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let (store, topic) = (MemoryStore::new(), ("orders", "42").into());
//! let before = store.open(&topic).await?.head;
//! let first = Cursor::new(before.epoch(), 1);
//! let entry = Entry::new(format!("id: {first}\ndata: paid\n\n"), SystemTime::now());
//! store.append(&topic, first, &[entry.clone()]).await?;
//!
//! let read = store.read(&topic, before, ReadLimit::default()).await?;
//! assert_eq!(read, Read::Entries(vec![(first, entry.clone())]));
//!
//! // Somebody who has not seen that entry cannot write in its place.
//! let late = store.append(&topic, first, &[entry]).await;
//! assert!(matches!(late, Err(StoreError::Conflict { head }) if head == first));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod boxed;
#[cfg(feature = "store-contract")]
pub mod contract;
mod entry;
mod error;
mod key;
mod memory;
#[cfg(feature = "redb")]
mod redb;

use std::time::{Duration, SystemTime};

pub use self::boxed::BoxStore;
pub use self::entry::Entry;
pub use self::error::StoreError;
pub use self::key::TopicKey;
pub use self::memory::MemoryStore;
#[cfg(feature = "redb")]
pub use self::redb::RedbStore;
use crate::log::{GapCause, ReadLimit};
use crate::{Cursor, Gap, Retention};

/// Keeps the events of topics.
///
/// Implementations may write `async fn`. A future that is dropped must leave the operation done
/// or not done, and both are allowed. A topic waits for each operation for as long as it takes,
/// so a store at the other end of a connection needs a time limit of its own. The
/// [module](self) shows a use.
pub trait EventStore: Send + Sync + 'static {
    /// Makes the topic ready and says where it stands.
    ///
    /// The first call for a topic chooses its epoch, which stays as long as nothing of its
    /// history is lost. A store that has lost acknowledged entries, as an engine without
    /// persistence does when it restarts, has to choose another.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the store fails.
    fn open(&self, topic: &TopicKey) -> impl Future<Output = Result<Opened, StoreError>> + Send;

    /// Appends entries, of which the first gets the number `first`, all or none of them.
    ///
    /// Returns when they are as safe as the store makes them. An entry with a
    /// [key](Entry::key) replaces the one before it that has the same key.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] unless `first` follows the newest entry, and
    /// [`StoreError::Closed`] if the topic is closed: nothing was appended. After
    /// [`StoreError::Failed`] it may have been; [`open`](Self::open) and [`read`](Self::read) tell.
    /// What they have told stays so: an append that was given up, by its time limit or by
    /// dropping the future, must not take effect after a later `open` has answered.
    fn append(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Reads the entries after a cursor: at least one if there is one, and up to `limit`.
    ///
    /// They are as they were appended, their times too: that is how a topic knows its own after
    /// a failure.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the store fails. Entries that are gone are no error but a
    /// [`Read::Gap`].
    fn read(
        &self,
        topic: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> impl Future<Output = Result<Read, StoreError>> + Send;

    /// Appends the last entries, which may be none, and closes the topic for good, in one step:
    /// a crash leaves both or neither.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    fn close(
        &self,
        topic: &TopicKey,
        first: Cursor,
        last: &[Entry],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes the oldest entries until the rest is within `retention`, and returns the cursor
    /// after which nothing is missing.
    ///
    /// The store knows sizes and times, so it decides; one that removes whole portions, or cannot
    /// count bytes or look at times, may keep more, and never less. The newest entry stays, unless
    /// it is too old and the topic is open.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] if the store fails.
    fn trim(
        &self,
        topic: &TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> impl Future<Output = Result<Cursor, StoreError>> + Send;
}

/// Where a topic stands in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "stores build it")]
pub struct Opened {
    /// The oldest cursor after which nothing is missing. Its epoch is that of the topic.
    pub start: Cursor,
    /// The newest entry; the number 0 if there never was one.
    pub head: Cursor,
    /// Whether the topic is closed.
    pub closed: bool,
}

impl Opened {
    /// The cursor of the last of `count` entries that are to be appended from `first` on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`] or [`StoreError::Conflict`] if they must not be.
    pub fn check_append(&self, first: Cursor, count: usize) -> Result<Cursor, StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        let (epoch, head) = (self.head.epoch(), self.head.seq());
        let last = head.checked_add(count as u64);
        match last {
            Some(last) if first.epoch() == epoch && first.seq().checked_sub(1) == Some(head) => {
                Ok(Cursor::new(epoch, last))
            }
            _ => Err(StoreError::Conflict { head: self.head }),
        }
    }

    /// What a read after this cursor gives, if that is no entry.
    #[must_use]
    pub fn read_edge(&self, after: Cursor) -> Option<Read> {
        let cause = if after.epoch() != self.head.epoch() {
            GapCause::Epoch
        } else if after.seq() > self.head.seq() {
            GapCause::Future
        } else if after.seq() < self.start.seq() {
            GapCause::Evicted
        } else if after != self.head {
            return None;
        } else if self.closed {
            return Some(Read::Closed);
        } else {
            return Some(Read::Entries(Vec::new()));
        };
        Some(Read::Gap(Gap::new(after, self.start, cause)))
    }
}

/// What a store has after a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "stores build it, and every reader must answer it"
)]
pub enum Read {
    /// The next entries, in order. None if the cursor is that of the newest one.
    Entries(Vec<(Cursor, Entry)>),
    /// Entries after the cursor are gone, or it is not of this topic.
    Gap(Gap),
    /// The topic is closed, and nothing comes after the cursor.
    Closed,
}

/// Entries, of which retention may remove the oldest.
#[derive(Clone, Copy, Debug)]
struct Kept {
    events: u64,
    bytes: u64,
    closed: bool,
}

impl Kept {
    /// Whether the oldest entry, which has this time, is to go.
    fn exceeds(self, retention: Retention, millis: u64, now: SystemTime) -> bool {
        let last = self.events <= 1;
        let over = self.events > retention.max_events() as u64
            || self.bytes > retention.max_bytes() as u64;
        let aged = retention.max_age().is_some_and(|age| {
            let now = now
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            now.saturating_sub(Duration::from_millis(millis)) >= age
        });
        over && !last || aged && !(last && self.closed)
    }
}
