//! The task that commits what is published, and then shows it.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use sse_core::log::{AppendError, Batch};
use sse_core::{Cursor, Retention};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::DurableError;
use super::commit::{Commit, next};
use super::shared::Shared;
use super::trim::Trim;
use crate::store::{BoxStore, StoreError};
use crate::topic::topic::now;

/// How many publishers are committed together at most.
const GROUP: usize = 256;
/// How soon a store that failed is asked again, and how long it is left alone at most.
const SOON: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) enum Request {
    Publish(Publish),
    /// Nothing that comes after it is published.
    Stop,
}

/// Events that somebody waits for.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) batch: Batch,
    pub(super) close: bool,
    /// `None` once it was used.
    pub(super) done: Option<oneshot::Sender<Outcome>>,
}

type Outcome = Result<Option<Cursor>, DurableError>;

/// The one that appends to the store and to the ring, in this order.
///
/// It is a task, so that a publisher that gives up does not leave a commit half known.
pub(super) struct Writer {
    shared: Arc<Shared>,
    store: BoxStore,
    trim: Trim,
    /// Set for good when somebody else has written to the topic.
    fenced: Option<StoreError>,
    /// A commit whose outcome the store did not tell.
    unsure: Option<Unsure>,
}

struct Unsure {
    commit: Commit,
    group: Vec<Publish>,
    error: StoreError,
    /// When the store is asked next, and how long after that again.
    ask_at: Instant,
    pause: Duration,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, store: BoxStore, retention: Retention) -> Self {
        Self {
            shared,
            store,
            trim: Trim::new(retention),
            fenced: None,
            unsure: None,
        }
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut group = Vec::new();
        loop {
            let asked = self.unsure.as_ref().map(|unsure| unsure.ask_at);
            let received = queue.recv_many(&mut group, GROUP);
            let due = match self.fenced {
                None => asked.or(self.trim.at),
                Some(_) => None,
            };
            let received = match due {
                None => Some(received.await),
                Some(due) => timeout_at(due, received).await.ok(),
            };
            let stop = self.publish(mem::take(&mut group)).await;
            if stop || received == Some(0) {
                break;
            }
            self.tend().await;
        }
        // The queue goes last: `DurableTopic::stop` waits for that.
        self.end().await;
    }

    /// Commits what a group asks for, and answers everybody in it. Returns whether that is all.
    async fn publish(&mut self, group: Vec<Request>) -> bool {
        let mut part = Vec::new();
        for request in group {
            let Request::Publish(publish) = request else {
                self.commit(part).await;
                return true;
            };
            let close = publish.close;
            part.push(publish);
            // What is behind a close is refused, so it is not committed with it.
            if close {
                self.commit(mem::take(&mut part)).await;
            }
        }
        self.commit(part).await;
        false
    }

    async fn commit(&mut self, mut group: Vec<Publish>) {
        let Some(Publish { close, .. }) = group.last() else {
            return;
        };
        if let Err(error) = self.settle().await {
            return refuse(&mut group, || error.clone().into());
        }
        let Shared { log, key, .. } = &*self.shared;
        if log.is_closed() {
            return refuse(&mut group, || AppendError::Closed.into());
        }
        let batches = group.iter().map(|publish| &publish.batch);
        let Some(commit) = Commit::new(log.head(), batches, *close) else {
            return refuse(&mut group, || AppendError::Exhausted.into());
        };
        match commit.store(&self.store, key).await {
            Ok(()) => self.show(&commit, group),
            Err(error @ StoreError::Failed(_)) => {
                tracing::error!(?error, "a topic could not store what was published");
                self.unsure = Some(Unsure {
                    commit,
                    group,
                    error,
                    ask_at: Instant::now(),
                    pause: SOON,
                });
                // Whatever it finds, it answers those who wait.
                let _: Result<(), StoreError> = self.settle().await;
            }
            Err(error) => {
                let error = self.fence(error);
                refuse(&mut group, || error.clone().into());
            }
        }
    }

    /// Appends what is stored to the ring, where the subscribers see it.
    fn show(&mut self, commit: &Commit, group: Vec<Publish>) {
        self.trim.count(commit);
        let log = &self.shared.log;
        for Publish { batch, close, done } in group {
            let shown = match next(log.head()) {
                _ if close => log.close_with(&batch, now()),
                Some(first) => log.append_stored(first, &batch, now()),
                None => Err(AppendError::Exhausted),
            };
            // Whoever published it may have given up waiting.
            let _ = done.map(|done| done.send(shown.map_err(DurableError::from)));
        }
    }

    /// Finds out what became of a commit that failed, before anything follows it.
    async fn settle(&mut self) -> Result<(), StoreError> {
        if let Some(error) = &self.fenced {
            return Err(error.clone());
        }
        let Some(mut unsure) = self.unsure.take() else {
            return Ok(());
        };
        match unsure.commit.is_stored(&self.store, &self.shared.key).await {
            Ok(true) => self.show(&unsure.commit, unsure.group),
            Ok(false) => refuse(&mut unsure.group, || unsure.error.clone().into()),
            Err(error) => {
                refuse(&mut unsure.group, || DurableError::Unknown(error.clone()));
                if !matches!(error, StoreError::Failed(_)) {
                    return Err(self.fence(error));
                }
                unsure.ask_at = Instant::now() + unsure.pause;
                unsure.pause = (2 * unsure.pause).min(LATE);
                self.unsure = Some(unsure);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Somebody else writes to the topic, so what is here is not the topic any more.
    fn fence(&mut self, error: StoreError) -> StoreError {
        self.shared.stop();
        tracing::error!(?error, "a topic ends here: somebody else writes to it");
        self.fenced.insert(error).clone()
    }

    /// Does what is due, also while much is published.
    async fn tend(&mut self) {
        let unsure = self.unsure.as_ref();
        if unsure.is_some_and(|it| it.ask_at <= Instant::now()) {
            // If it fails, it is tried again.
            let _: Result<(), StoreError> = self.settle().await;
        }
        // What an unsure commit is compared with has to be there, and what another one writes is
        // for that one to trim.
        if self.unsure.is_none() && self.fenced.is_none() {
            self.trim.trim_if_due(&self.store, &self.shared).await;
        }
    }

    /// Ends the subscriptions, and lets go of the store.
    async fn end(self) {
        let shared = Arc::clone(&self.shared);
        drop(self);
        shared.pages.let_go().await;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

fn refuse(group: &mut [Publish], error: impl Fn() -> DurableError) {
    for done in group.iter_mut().filter_map(|publish| publish.done.take()) {
        // Whoever published it may have given up waiting.
        let _: Result<(), Outcome> = done.send(Err(error()));
    }
}
