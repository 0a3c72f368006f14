//! What is read from the store, once for all who are behind.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use sse_core::log::ReadLimit;
use sse_core::{Block, Cursor, Gap};
use tokio::sync::oneshot;

use super::shared::Shared;
use crate::store::{BoxStore, Entry, EventStore, Read, StoreError};

/// How much is read at once, and how many pages wait for readers that are slower.
const PAGE: ReadLimit = ReadLimit::bytes(64 * 1024);
const PAGES: usize = 16;

/// The store, and the pages of it that were read last.
#[derive(Debug)]
pub(super) struct Pages {
    /// One read is under way at a time, whoever waits. `None` once the topic has stopped.
    store: tokio::sync::Mutex<Option<BoxStore>>,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    pages: VecDeque<Page>,
    /// How many reads failed, and how the last one did.
    failures: u64,
    failure: Option<StoreError>,
}

/// Events that follow each other in the store.
#[derive(Debug)]
struct Page {
    after: Cursor,
    bytes: Bytes,
    /// The number of each entry, and where its bytes end.
    ends: Vec<(u64, usize)>,
    terminal: bool,
}

/// Takes what a reader waits for.
pub(super) type Answer = oneshot::Sender<Result<Found, StoreError>>;

/// What comes after a cursor.
#[derive(Debug)]
pub(super) enum Found {
    Block(Block, Cursor),
    Gap(Gap),
    Closed,
    /// Nothing up to this newest entry of the ring, where what comes is read.
    Ring(Cursor),
    /// Nothing, and nothing ends there; or the topic has stopped.
    Nothing,
}

impl Pages {
    pub(super) fn new(store: BoxStore) -> Self {
        Self {
            store: tokio::sync::Mutex::new(Some(store)),
            recent: Mutex::default(),
        }
    }

    /// What comes after a cursor, if that was read.
    pub(super) fn find(&self, after: Cursor) -> Option<Found> {
        self.recent().find(after)
    }

    /// Lets go of the store, once nobody reads it.
    pub(super) async fn let_go(&self) {
        *self.store.lock().await = None;
    }

    /// Lets go of all pages, when nobody is behind any more.
    pub(super) fn clear(&self) {
        drop(mem::take(&mut self.recent().pages));
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what comes after a cursor from the store, or from a page that was read meanwhile.
///
/// For a task of its own: others wait for the same read, and a reader is not polled for as long
/// as its client takes nothing.
pub(super) async fn read_after(shared: Arc<Shared>, after: Cursor, reader: Answer) {
    let found = read(&shared, after, &reader).await;
    // It may have left meanwhile.
    let _: Result<(), _> = reader.send(found);
}

async fn read(shared: &Shared, after: Cursor, reader: &Answer) -> Result<Found, StoreError> {
    let pages = &shared.pages;
    let failures = pages.recent().failures;
    let store = pages.store.lock().await;
    let store = match &*store {
        Some(store) if !shared.has_stopped() && !reader.is_closed() => store,
        _ => return Ok(Found::Nothing),
    };
    {
        // While this reader waited, another one may have read the page, or in vain.
        let recent = pages.recent();
        if let Some(found) = recent.find(after) {
            return Ok(found);
        }
        if let Some(error) = recent
            .failure
            .clone()
            .filter(|_| recent.failures > failures)
        {
            return Err(error);
        }
    }
    let read = store.read(&shared.key, after, PAGE).await;
    // What is committed but not in the ring yet comes from there.
    let head = shared.log.head();
    let shown = |at: &Cursor| at.seq() <= head.seq();
    let mut recent = pages.recent();
    let found = match read {
        Ok(Read::Entries(entries)) if entries.first().is_some_and(|(at, _)| !shown(at)) => {
            Found::Ring(head)
        }
        Ok(Read::Entries(mut entries)) => {
            entries.retain(|(at, _)| shown(at));
            Page::new(after, &entries).map_or(Found::Nothing, |page| {
                let found = page.find(after).unwrap_or(Found::Nothing);
                // The last reader may have left, and cleared the pages.
                if shared.places.readers() > 0 {
                    recent.pages.push_back(page);
                }
                if recent.pages.len() > PAGES {
                    recent.pages.pop_front();
                }
                found
            })
        }
        Ok(Read::Gap(gap)) => {
            // The store has removed more than this process asked it to.
            if shared.knows(&gap) {
                let start = gap.resume().seq();
                shared.start.fetch_max(start, Ordering::Release);
            }
            Found::Gap(gap)
        }
        Ok(Read::Closed) => Found::Closed,
        Err(error) => {
            recent.failures += 1;
            recent.failure = Some(error.clone());
            return Err(error);
        }
    };
    Ok(found)
}

impl Recent {
    fn find(&self, after: Cursor) -> Option<Found> {
        self.pages.iter().find_map(|page| page.find(after))
    }
}

impl Page {
    /// The events up to the first that ends a stream; `None` if there are none.
    fn new(after: Cursor, entries: &[(Cursor, Entry)]) -> Option<Self> {
        let terminal = entries.iter().position(|(_, entry)| entry.is_terminal());
        let entries = &entries[..terminal.map_or(entries.len(), |last| last + 1)];
        let mut bytes =
            BytesMut::with_capacity(entries.iter().map(|(_, it)| it.bytes().len()).sum());
        let ends = entries.iter().map(|(at, entry)| {
            bytes.extend_from_slice(entry.bytes());
            (at.seq(), bytes.len())
        });
        let ends: Vec<_> = ends.collect();
        (!ends.is_empty()).then(|| Self {
            after,
            bytes: bytes.freeze(),
            ends,
            terminal: terminal.is_some(),
        })
    }

    /// What it has after this cursor, if that is within it.
    fn find(&self, after: Cursor) -> Option<Found> {
        let (last, end) = *self.ends.last()?;
        if after.epoch() != self.after.epoch() || !(self.after.seq()..last).contains(&after.seq()) {
            return None;
        }
        let skipped = self.ends.partition_point(|(seq, _)| *seq <= after.seq());
        let start = skipped.checked_sub(1).map_or(0, |n| self.ends[n].1);
        let last = Cursor::new(after.epoch(), last);
        let events = u32::try_from(self.ends.len() - skipped).unwrap_or(u32::MAX);
        let bytes = self.bytes.slice(start..end);
        Some(Found::Block(
            Block::stored(bytes, events, Some(last.into()), self.terminal),
            last,
        ))
    }
}
