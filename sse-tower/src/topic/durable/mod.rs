//! `DurableTopic`: a topic whose events are in a store before anybody sees them.

mod commit;
mod error;
mod pages;
mod places;
mod reader;
mod shared;
mod subscribe;
mod trim;
mod writer;

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, SystemTime};

use sse_core::log::{AppendError, Batch, Log};
use sse_core::{Block, Cursor, Keep, Retention, SseEvent};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

pub use self::error::DurableError;
use self::pages::Pages;
use self::places::Places;
pub(super) use self::reader::DurableReader;
use self::shared::Shared;
use self::writer::{Publish, Request, Writer};
use crate::store::{BoxStore, EventStore, StoreError, TopicKey};

/// How many publishers wait in the queue; the next ones wait for a place in it.
const QUEUE: usize = 1024;

/// A [`Topic`](super::Topic) that outlives its process: its events are in an
/// [`EventStore`] before any subscriber is sent them.
///
/// - [`publish`](Self::publish) returns when the event is committed. Publishers that wait at the
///   same time are committed together.
/// - Subscribers read a ring in memory, as those of a plain topic do. One that is further behind
///   reads the store, in pages that it shares with all others who need them, until it has
///   reached the ring. All that it notices is that live-only events are not sent meanwhile.
/// - After a restart the topic has the same epoch, numbers and events, so clients read on.
/// - A topic has one writer. If another one appends to it in the store, this one notices at its
///   next commit, publishes nothing more, ends its subscriptions, and takes no new ones.
/// - A topic stays in its store for good: see [`store`](crate::store).
///
/// Clones are the same topic. When the last one is gone, what was published is still committed,
/// the subscriptions end, and the store is let go of; [`stop`](Self::stop) waits for that.
///
/// # Examples
///
/// ```
/// use sse_tower::store::MemoryStore;
/// use sse_tower::{DurableTopic, Json, Resume, Retention};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let (store, retention) = (MemoryStore::new(), Retention::events(100_000).bytes(64 << 20));
/// let orders = DurableTopic::open(store.clone(), ("orders", "42"), retention).await?;
/// let seen = orders.publish(Json("paid")).await?.expect("it is kept");
/// let newest = orders.publish(Json("sent")).await?;
/// orders.stop().await;
///
/// // The next process goes on where this one was.
/// let orders = DurableTopic::<Json<&str>>::open(store, ("orders", "42"), retention).await?;
/// assert_eq!(Some(orders.head()), newest);
/// let subscription = orders.subscribe(Resume::After(seen))?;
/// # let _ = subscription;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DurableTopic<E> {
    shared: Arc<Shared>,
    requests: mpsc::Sender<Request>,
    event: PhantomData<fn(E)>,
}

impl<E: SseEvent> DurableTopic<E> {
    /// Opens a topic in a store, which keeps as much of it as `retention` says.
    ///
    /// The store is trimmed now and then, so for a while it holds up to an eighth more. The
    /// ring in memory holds as much as [`Retention::default`] says, if the store does. Ages are by
    /// the clock of the system: one that is set back removes nothing early, and what it had
    /// stamped stays for as much longer.
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails, or if this is not called in a tokio runtime.
    ///
    /// # Panics
    ///
    /// If the runtime has no timer.
    pub async fn open(
        store: impl EventStore,
        key: impl Into<TopicKey>,
        retention: Retention,
    ) -> Result<Self, StoreError> {
        Self::open_with_ring(store, key, retention, Retention::default()).await
    }

    /// Opens a topic with a ring of another size in memory.
    ///
    /// The larger it is, the fewer clients that come back read the store.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Panics
    ///
    /// As [`open`](Self::open).
    pub async fn open_with_ring(
        store: impl EventStore,
        key: impl Into<TopicKey>,
        retention: Retention,
        ring: Retention,
    ) -> Result<Self, StoreError> {
        let runtime = Handle::try_current().map_err(StoreError::failed)?;
        // Panics without a timer: here, where it is seen, and not in the task that needs it.
        drop(tokio::time::sleep(Duration::ZERO));
        let (store, key) = (BoxStore::new(store), key.into());
        let opened = store.open(&key).await?;
        let start = store.trim(&key, retention, SystemTime::now()).await?;
        let shared = Arc::new(Shared {
            key,
            log: Log::starting_after(opened.head, within(ring, retention)),
            runtime: runtime.clone(),
            start: AtomicU64::new(start.seq()),
            pages: Pages::new(store.clone()),
            places: Places::default(),
            stopped: AtomicBool::new(false),
        });
        if opened.closed {
            shared.log.close();
        }
        let (requests, queue) = mpsc::channel(QUEUE);
        runtime.spawn(Writer::new(Arc::clone(&shared), store, retention).run(queue));
        Ok(Self {
            shared,
            requests,
            event: PhantomData,
        })
    }

    /// Publishes an event: returns when it is in the store and on its way to every subscriber.
    ///
    /// Returns its cursor; `None` for an event that has none, because only those who are
    /// connected now are sent it, and no store. An event is committed, or not, even if this
    /// future is dropped.
    ///
    /// # Errors
    ///
    /// Returns an error if the event brings its own id or cannot be encoded, if the topic is
    /// closed or has stopped, or if the store fails. A store that failed is asked at once whether
    /// it has the event all the same, which is then no error. If it does not answer either, the
    /// error is [`DurableError::Unknown`], and the store is asked again until it answers; after
    /// any other error nobody is sent the event.
    pub async fn publish(&self, event: impl Borrow<E>) -> Result<Option<Cursor>, DurableError> {
        self.publish_all([event]).await
    }

    /// Publishes events next to each other, in one commit, and wakes the subscribers once.
    ///
    /// Returns the last cursor. Futures of [`publish`](Self::publish) that are awaited together
    /// share commits too, but have no order.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); it is all of the events, or none.
    pub async fn publish_all<I>(&self, events: I) -> Result<Option<Cursor>, DurableError>
    where
        I: IntoIterator<Item: Borrow<E>>,
    {
        self.request(encode(events)?, false).await
    }

    /// Publishes the last event and closes the topic for good, in the store too, in one step: a
    /// crash leaves both or neither.
    ///
    /// Who comes late, also after a restart, is sent what is missing and this event, and then,
    /// when there is nothing left, is [answered 204](super::TopicClosed).
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn close(&self, last: impl Borrow<E>) -> Result<Option<Cursor>, DurableError> {
        let mut batch = Batch::new();
        batch.push(last.borrow())?;
        if matches!(last.borrow().keep(), Keep::Never) && !batch.is_empty() {
            // It is kept all the same: those who come late are to learn how it ended.
            batch.clear();
            let block = Block::encode(last.borrow()).map_err(AppendError::from)?;
            batch.push_block(&block);
        }
        drop(last);
        self.request(batch, true).await
    }

    async fn request(&self, batch: Batch, close: bool) -> Result<Option<Cursor>, DurableError> {
        let (done, answer) = oneshot::channel();
        let done = Some(done);
        let request = Request::Publish(Publish { batch, close, done });
        let sent = self.requests.send(request).await;
        sent.map_err(|_| DurableError::Stopped)?;
        answer.await.map_err(|_| DurableError::Stopped)?
    }

    /// Stops the topic in this process: commits what was published before, ends the
    /// subscriptions, and returns when the store was let go of.
    ///
    /// The topic stays as it is in the store, and can be opened again, here or elsewhere. Other
    /// clones publish nothing more: they get [`DurableError::Stopped`] and [`Missed::Stopped`](super::Missed::Stopped).
    pub async fn stop(self) {
        // If that fails, it has stopped already.
        let _: Result<(), _> = self.requests.send(Request::Stop).await;
        self.requests.closed().await;
    }
}

impl<E> Clone for DurableTopic<E> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            requests: self.requests.clone(),
            event: PhantomData,
        }
    }
}

impl<E> fmt::Debug for DurableTopic<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableTopic")
            .field("key", &self.shared.key)
            .field("log", &self.shared.log)
            .finish_non_exhaustive()
    }
}

fn encode<E: SseEvent>(events: impl IntoIterator<Item: Borrow<E>>) -> Result<Batch, AppendError> {
    let mut batch = Batch::new();
    for event in events {
        batch.push(event.borrow())?;
    }
    Ok(batch)
}

/// A ring that keeps nothing longer than its store does.
fn within(ring: Retention, store: Retention) -> Retention {
    let events = ring.max_events().min(store.max_events());
    let bytes = ring.max_bytes().min(store.max_bytes());
    let kept = Retention::events(events).bytes(bytes);
    let ages = ring.max_age().into_iter().chain(store.max_age());
    ages.min().map_or(kept, |age| kept.age(age))
}
