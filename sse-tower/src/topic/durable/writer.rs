//! The task that commits what is published, and then shows it.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use sse_core::log::{AppendError, Batch};
use sse_core::{Cursor, Retention};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{DurableError, Shared};
use crate::store::{Entry, EventStore, StoreError};
use crate::topic::topic::now;

/// How many publishers are committed together at most.
const GROUP: usize = 256;

/// Events that somebody waits for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) batch: Batch,
    pub(super) close: bool,
    pub(super) done: oneshot::Sender<Result<Option<Cursor>, DurableError>>,
}

/// The one that appends to the store and to the ring, in this order.
///
/// It is a task, so that a publisher that gives up does not leave a commit half known.
pub(super) struct Writer {
    shared: Arc<Shared>,
    retention: Retention,
    /// Set for good when somebody else has written to the topic.
    fenced: Option<StoreError>,
    /// A commit whose outcome the store did not tell.
    unsure: Option<Unsure>,
    /// Events and bytes since the store was trimmed.
    events: usize,
    bytes: usize,
}

struct Unsure {
    /// The newest entry, if it was committed.
    last: Cursor,
    batches: Vec<Batch>,
}

/// Why nothing of a group was published.
#[derive(Clone)]
enum Refusal {
    Closed,
    Exhausted,
    Store(StoreError),
    /// The store failed while it committed the entries up to this one.
    Unsure(StoreError, Cursor),
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, retention: Retention) -> Self {
        Self {
            shared,
            retention,
            fenced: None,
            unsure: None,
            events: 0,
            bytes: 0,
        }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut group = Vec::new();
        loop {
            // Those who are subscribed need not wait for the next event to learn of this one.
            let _: Result<(), StoreError> = self.make_sure().await;
            let received = queue.recv_many(&mut group, GROUP);
            let received = match self.retention.max_age() {
                None => Some(received.await),
                Some(age) => {
                    let pause = (age / 8).max(Duration::from_secs(1));
                    timeout(pause, received).await.ok()
                }
            };
            match received {
                Some(0) => return,
                Some(_) => self.publish(mem::take(&mut group)).await,
                None => self.trim().await,
            }
            let (events, bytes) = (self.retention.max_events(), self.retention.max_bytes());
            if self.events > events / 8 || self.bytes > bytes / 8 {
                self.trim().await;
            }
        }
    }

    /// Commits what a group asks for, and answers everybody in it.
    async fn publish(&mut self, group: Vec<Request>) {
        let mut group = group.into_iter().peekable();
        while group.peek().is_some() {
            // What is behind a close is refused, so it is not committed with it.
            let mut part = Vec::new();
            for request in group.by_ref() {
                part.push(request);
                if part.last().is_some_and(|request| request.close) {
                    break;
                }
            }
            match self.commit(&part).await {
                Ok(()) => self.show(part).await,
                Err(refusal) => self.refuse(part, &refusal),
            }
        }
    }

    /// Has the events of these requests stored.
    async fn commit(&mut self, requests: &[Request]) -> Result<(), Refusal> {
        self.make_sure().await.map_err(Refusal::Store)?;
        let Shared {
            log, store, key, ..
        } = &*self.shared;
        if log.is_closed() {
            return Err(Refusal::Closed);
        }
        let head = log.head();
        let (mut entries, mut last) = (Vec::new(), head);
        for Request { batch, .. } in requests {
            let first = next(last).ok_or(Refusal::Exhausted)?;
            for (block, key) in batch.blocks(first).zip(batch.compaction_keys()) {
                let entry = Entry::new(block.bytes().clone(), SystemTime::now());
                let entry = entry.with_terminal(block.is_terminal());
                entries.push(match key {
                    Some(key) => entry.with_key(key),
                    None => entry,
                });
                last = next(last).ok_or(Refusal::Exhausted)?;
            }
        }
        let Some(first) = next(head).filter(|_| last != head) else {
            return Ok(());
        };
        let stored = store.append(key, first, &entries).await;
        self.events += entries.len();
        self.bytes += entries.iter().map(|it| it.bytes().len()).sum::<usize>();
        stored.map_err(|error| {
            tracing::error!(?error, "a topic could not store what was published");
            match error {
                StoreError::Failed(_) => Refusal::Unsure(error, last),
                error => Refusal::Store(self.fence(error)),
            }
        })
    }

    /// Appends what is stored to the ring, where the subscribers see it.
    async fn show(&mut self, requests: Vec<Request>) {
        for Request { batch, close, done } in requests {
            let outcome = match self.append(&batch) {
                Ok(_) if close => self.close().await,
                shown => shown.map_err(DurableError::from),
            };
            // Whoever published it may have given up waiting.
            let _: Result<(), _> = done.send(outcome);
        }
    }

    fn append(&self, batch: &Batch) -> Result<Option<Cursor>, AppendError> {
        let log = &self.shared.log;
        let first = next(log.head()).ok_or(AppendError::Exhausted)?;
        log.append_stored(first, batch, now())
    }

    async fn close(&mut self) -> Result<Option<Cursor>, DurableError> {
        let Shared {
            log, store, key, ..
        } = &*self.shared;
        let last = log.head();
        match store.close(key, last).await {
            Ok(()) => {
                log.close();
                Ok(Some(last))
            }
            Err(error @ StoreError::Failed(_)) => {
                let batches = Vec::new();
                self.unsure = Some(Unsure { last, batches });
                Err(error.into())
            }
            Err(error) => Err(self.fence(error).into()),
        }
    }

    /// Tells everybody that nothing was published.
    fn refuse(&mut self, requests: Vec<Request>, refusal: &Refusal) {
        let (batches, waiting): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|it| (it.batch, it.done)).unzip();
        if let Refusal::Unsure(_, last) = *refusal {
            self.unsure = Some(Unsure { last, batches });
        }
        for done in waiting {
            let _: Result<(), _> = done.send(Err(refusal.clone().into()));
        }
    }

    /// Somebody else writes to the topic, so what is here is not the topic any more.
    fn fence(&mut self, error: StoreError) -> StoreError {
        self.shared.log.detach();
        self.fenced.insert(error).clone()
    }

    /// Finds out what became of a commit that failed, before anything follows it.
    async fn make_sure(&mut self) -> Result<(), StoreError> {
        if let Some(error) = &self.fenced {
            return Err(error.clone());
        }
        if self.unsure.is_none() {
            return Ok(());
        }
        let opened = self.shared.store.open(&self.shared.key).await?;
        let Some(Unsure { last, batches }) = self.unsure.take() else {
            return Ok(());
        };
        if opened.head == last {
            // It was committed, so it is shown, though whoever published it was told of a failure.
            let shown = batches
                .iter()
                .try_for_each(|batch| self.append(batch).map(drop));
            shown.map_err(StoreError::failed)?;
        } else if opened.head != self.shared.log.head() {
            return Err(self.fence(StoreError::Conflict { head: opened.head }));
        }
        if opened.closed {
            self.shared.log.close();
        }
        Ok(())
    }

    async fn trim(&mut self) {
        let Shared { store, key, .. } = &*self.shared;
        match store.trim(key, self.retention, SystemTime::now()).await {
            Ok(start) => {
                self.shared.start.store(start.seq(), Ordering::Release);
                (self.events, self.bytes) = (0, 0);
            }
            Err(error) => {
                tracing::warn!(?error, "a topic could not be trimmed");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Nothing comes any more: those who wait had better come back.
        self.shared.log.detach();
    }
}

impl From<Refusal> for DurableError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Closed => Self::Refused(AppendError::Closed),
            Refusal::Exhausted => Self::Refused(AppendError::Exhausted),
            Refusal::Store(error) | Refusal::Unsure(error, _) => Self::Store(error),
        }
    }
}

fn next(head: Cursor) -> Option<Cursor> {
    let seq = head.seq().checked_add(1)?;
    Some(Cursor::new(head.epoch(), seq))
}
