//! Reading a durable topic: the store first, then the ring.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use sse_core::log::{GapCause, Read, Reader};
use sse_core::{Cursor, Missed};
use tokio::sync::oneshot;

use super::pages::{Found, read_after};
use super::shared::Shared;
use crate::store::StoreError;

/// Reads a durable topic from a cursor on.
#[derive(Debug)]
pub(in crate::topic) struct DurableReader {
    stand: Stand,
    /// How many events waited when it was given the last page of the store.
    waited: Option<u64>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum Stand {
    Ring(Reader),
    Store(InStore),
}

/// A place that the ring has not any more. It is among [`Places`](super::places::Places) as long
/// as there is one.
#[derive(Debug)]
struct InStore {
    at: Cursor,
    reading: Option<oneshot::Receiver<Result<Found, StoreError>>>,
    shared: Arc<Shared>,
}

impl DurableReader {
    pub(super) fn live(shared: Arc<Shared>, reader: Reader) -> Self {
        let stand = Stand::Ring(reader);
        Self::new(stand, shared)
    }

    pub(super) fn behind(shared: Arc<Shared>, at: Cursor) -> Self {
        let stand = Stand::Store(InStore::new(Arc::clone(&shared), at));
        Self::new(stand, shared)
    }

    fn new(stand: Stand, shared: Arc<Shared>) -> Self {
        Self {
            stand,
            waited: None,
            shared,
        }
    }

    pub(in crate::topic) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        loop {
            let behind = match &mut self.stand {
                Stand::Ring(reader) => match ready!(reader.poll_next(cx)) {
                    Read::Gap(gap) => {
                        let behind = InStore::new(Arc::clone(&self.shared), gap.requested());
                        self.stand = Stand::Store(behind);
                        continue;
                    }
                    read => return Poll::Ready(read),
                },
                Stand::Store(behind) => behind,
            };
            if behind.reading.is_none() {
                match self.shared.log.reader_after(behind.at) {
                    Ok(reader) => {
                        self.stand = Stand::Ring(reader);
                        continue;
                    }
                    Err(Missed::Gap(gap)) if gap.cause() == GapCause::Evicted => {}
                    // Another writer goes on behind what this process knows.
                    Err(Missed::Gap(_)) => return Poll::Ready(Read::Detached),
                    Err(_) => return Poll::Ready(Read::Closed),
                }
            }
            return Poll::Ready(match ready!(behind.poll_read(cx)) {
                Ok(Found::Ring(at)) => {
                    behind.go_to(at);
                    continue;
                }
                Ok(Found::Block(block, last)) => {
                    let waited = self.shared.log.head().seq().saturating_sub(behind.at.seq());
                    self.waited = Some(waited.max(block.events().into()));
                    behind.go_to(last);
                    Read::Block(block)
                }
                Ok(Found::Gap(gap)) if self.shared.knows(&gap) => {
                    behind.go_to(gap.resume());
                    Read::Gap(gap)
                }
                Ok(Found::Gap(_)) => Read::Detached,
                Ok(Found::Closed) => Read::Closed,
                // The ring begins behind this place, so the store has lost something; or the
                // topic has stopped.
                Ok(Found::Nothing) => Read::Detached,
                Err(error) => {
                    // The client comes back with the id that it has.
                    tracing::error!(?error, "a subscription ends: its topic cannot be read");
                    Read::Detached
                }
            });
        }
    }

    /// Whether it reads the store, and not the ring.
    pub(in crate::topic) fn is_behind(&self) -> bool {
        matches!(self.stand, Stand::Store(_))
    }

    /// How many events waited for this reader, told once for each block.
    pub(in crate::topic) fn take_waited(&mut self) -> Option<u64> {
        let store = self.waited.take();
        match &mut self.stand {
            Stand::Ring(reader) => reader.take_waited().or(store),
            Stand::Store(_) => store,
        }
    }

    pub(in crate::topic) fn cursor(&self) -> Cursor {
        match &self.stand {
            Stand::Ring(reader) => reader.cursor(),
            Stand::Store(behind) => behind.at,
        }
    }

    pub(in crate::topic) fn skip_to_latest(&mut self) {
        let before = self.shared.before_latest();
        self.stand = match self.shared.log.reader_after(before) {
            Ok(reader) => Stand::Ring(reader),
            Err(_) => Stand::Store(InStore::new(Arc::clone(&self.shared), before)),
        };
    }
}

impl InStore {
    fn new(shared: Arc<Shared>, at: Cursor) -> Self {
        shared.places.add(at.seq());
        Self {
            at,
            reading: None,
            shared,
        }
    }

    fn go_to(&mut self, at: Cursor) {
        self.shared.places.add(at.seq());
        self.shared.places.remove(self.at.seq());
        self.at = at;
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Found, StoreError>> {
        let reading = match &mut self.reading {
            Some(reading) => reading,
            None => {
                if let Some(found) = self.shared.pages.find(self.at) {
                    return Poll::Ready(Ok(found));
                }
                let (answer, reading) = oneshot::channel();
                let read = read_after(Arc::clone(&self.shared), self.at, answer);
                self.shared.runtime.spawn(read);
                self.reading.insert(reading)
            }
        };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(read.unwrap_or_else(|error| Err(StoreError::failed(error))))
    }
}

impl Drop for InStore {
    fn drop(&mut self) {
        if self.shared.places.remove(self.at.seq()) {
            self.shared.pages.clear();
        }
    }
}
