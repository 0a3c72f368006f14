//! Reading a durable topic: the store first, then the ring.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use sse_core::log::{GapCause, Read, Reader};
use sse_core::{Cursor, Missed};
use tokio::sync::oneshot;

use super::Shared;
use super::pages::{Found, read_after};
use crate::store::StoreError;

/// Reads a durable topic from a cursor on.
#[derive(Debug)]
pub(in crate::topic) struct DurableReader {
    stand: Stand,
    shared: Arc<Shared>,
}

#[derive(Debug)]
enum Stand {
    Ring(Reader),
    Behind(Behind),
}

/// A place that the ring has not any more. It is counted as long as there is one.
#[derive(Debug)]
struct Behind {
    at: Cursor,
    reading: Option<oneshot::Receiver<Result<Found, StoreError>>>,
    shared: Arc<Shared>,
}

impl DurableReader {
    pub(super) fn live(shared: Arc<Shared>, reader: Reader) -> Self {
        let stand = Stand::Ring(reader);
        Self { stand, shared }
    }

    pub(super) fn behind(shared: Arc<Shared>, at: Cursor) -> Self {
        let stand = Stand::Behind(Behind::new(Arc::clone(&shared), at));
        Self { stand, shared }
    }

    pub(in crate::topic) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        loop {
            let behind = match &mut self.stand {
                Stand::Ring(reader) => match ready!(reader.poll_next(cx)) {
                    Read::Gap(gap) => {
                        let behind = Behind::new(Arc::clone(&self.shared), gap.requested());
                        self.stand = Stand::Behind(behind);
                        continue;
                    }
                    read => return Poll::Ready(read),
                },
                Stand::Behind(behind) => behind,
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
                    behind.at = at;
                    continue;
                }
                Ok(Found::Block(block, last)) => {
                    behind.at = last;
                    Read::Block(block)
                }
                Ok(Found::Gap(gap)) if self.shared.knows(&gap) => {
                    behind.at = gap.resume();
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
        matches!(self.stand, Stand::Behind(_))
    }

    pub(in crate::topic) fn cursor(&self) -> Cursor {
        match &self.stand {
            Stand::Ring(reader) => reader.cursor(),
            Stand::Behind(behind) => behind.at,
        }
    }

    pub(in crate::topic) fn skip_to_latest(&mut self) {
        let before = self.shared.before_latest();
        self.stand = match self.shared.log.reader_after(before) {
            Ok(reader) => Stand::Ring(reader),
            Err(_) => Stand::Behind(Behind::new(Arc::clone(&self.shared), before)),
        };
    }
}

impl Behind {
    fn new(shared: Arc<Shared>, at: Cursor) -> Self {
        shared.behind.fetch_add(1, Ordering::Relaxed);
        Self {
            at,
            reading: None,
            shared,
        }
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

impl Drop for Behind {
    fn drop(&mut self) {
        if self.shared.behind.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.shared.pages.clear();
        }
    }
}
