//! `Topic`: publish once, read by many.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use sse_core::log::{AppendError, Batch, Behind, Log};
use sse_core::{Cursor, Retention, SseEvent};

use super::{Missed, Subscription, TopicClosed};
use crate::extract::Resume;

/// Events of the type `E`, published once and sent to every subscriber.
///
/// Clones are the same topic. An event's id is its cursor, so an event must not bring an id of
/// its own. What a returning client can still be sent is bounded by [`Retention`], and by what
/// `#[sse(replay = "…")]` says of each event.
///
/// A topic lives in the memory of one process. Its epoch is part of every cursor, so for a client
/// that comes back after a restart, or to
/// [another process](crate::guide::resuming#several-processes), there is a [gap](Missed::Gap).
///
/// # Examples
///
/// ```
/// use axum::{Router, extract::State, routing::get};
/// use sse_tower::{Cursor, Missed, Resume, Retention, SseEvent, Subscription, Topic, sse_handler};
///
/// #[derive(SseEvent)]
/// enum Feed {
///     Added { name: String },
/// }
///
/// #[sse_handler]
/// async fn feed(
///     resume: Resume<Cursor>,
///     State(topic): State<Topic<Feed>>,
/// ) -> Result<Subscription<Feed>, Missed> {
///     match topic.subscribe(resume) {
///         // Away for too long, or with an id of before a restart or of an older version: a 410
///         // would end a browser for good.
///         Err(Missed::Gap(_) | Missed::Unreadable) => Ok(topic.from_start()),
///         subscribed => subscribed,
///     }
/// }
///
/// let topic = Topic::new(Retention::events(4096));
/// let cursor = topic.publish(Feed::Added { name: "x".into() })?;
/// assert_eq!(cursor, Some(topic.head()));
/// let app: Router = Router::new().route("/feed", get(feed)).with_state(topic);
/// # Ok::<(), sse_tower::PublishError>(())
/// ```
pub struct Topic<E> {
    log: Arc<Log>,
    event: PhantomData<fn(E)>,
}

impl<E: SseEvent> Topic<E> {
    /// An empty topic of a new epoch.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        Self::starting_after(Cursor::new(new_epoch(), 0), retention)
    }

    /// An empty topic that goes on after `head`.
    pub(crate) fn starting_after(head: Cursor, retention: Retention) -> Self {
        Self {
            log: Arc::new(Log::starting_after(head, retention)),
            event: PhantomData,
        }
    }

    /// Publishes an event: it gets the next cursor and goes to every subscriber.
    ///
    /// Returns the cursor; `None` for an event that has none, because only those who are
    /// connected now are sent it (`#[sse(replay = "never")]`). Nothing waits: a subscriber that
    /// does not keep up [lags](super::Lag).
    ///
    /// # Errors
    ///
    /// Returns an error if the event brings its own id or cannot be encoded, or if the topic is
    /// closed. Nobody is then sent anything.
    pub fn publish(&self, event: impl Borrow<E>) -> Result<Option<Cursor>, AppendError> {
        self.log.append(event.borrow(), now())
    }

    /// Publishes events next to each other, and wakes the subscribers once.
    ///
    /// Returns the last cursor.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); then none of the events is published.
    pub fn publish_all<I>(&self, events: I) -> Result<Option<Cursor>, AppendError>
    where
        I: IntoIterator<Item: Borrow<E>>,
    {
        let mut batch = Batch::new();
        for event in events {
            batch.push(event.borrow())?;
        }
        self.log.append_batch(&batch, now())
    }

    /// Publishes the last event and closes the topic for good.
    ///
    /// A latecomer is sent what it is missing and this event, and then, when there is nothing
    /// left, is [answered 204](TopicClosed).
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish); the topic then stays open.
    pub fn close(&self, last: impl Borrow<E>) -> Result<Option<Cursor>, AppendError> {
        let mut batch = Batch::new();
        batch.push(last.borrow())?;
        self.log.close_with(&batch, now())
    }

    /// Subscribes where `resume` says: after the cursor that the client has seen, or, if it has
    /// seen nothing, to what is published from now on. Of a closed topic, that is its last
    /// event.
    ///
    /// A client that was connected but was not sent an event has no cursor, so it comes back as
    /// if it were new: what was published while it was away is not sent to it. Where that
    /// matters, begin with a snapshot, with [`from_start`](Self::from_start), or have
    /// [`checkpoints`](Subscription::checkpoints).
    ///
    /// # Errors
    ///
    /// Returns what keeps the client from going on where it was: decide what it gets instead,
    /// such as a snapshot and [`live`](Self::live). As a response it is 410, or 204 for a topic
    /// that is closed and was read to its end.
    pub fn subscribe(&self, resume: Resume<Cursor>) -> Result<Subscription<E>, Missed> {
        self.log.evict(now());
        match resume {
            Resume::Fresh => {
                let live = self.live();
                match self.is_closed() && live.cursor() == self.head() {
                    true => Err(Missed::Closed(TopicClosed)),
                    false => Ok(live),
                }
            }
            Resume::After(cursor) => {
                let reader = self.log.reader_after(cursor)?;
                Ok(Subscription::new(reader).resumed())
            }
            Resume::Unreadable(_) => Err(Missed::Unreadable),
        }
    }

    /// Subscribes to what is published from now on. Of a topic that is closed, that is its last
    /// event.
    ///
    /// With a snapshot, subscribe first and then take the snapshot: what is published in between
    /// may be in both, and the other way round would be in neither.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_util::stream;
    /// use sse_tower::{Sse, SseEvent, Topic};
    ///
    /// #[derive(SseEvent)]
    /// enum Feed {
    ///     Snapshot { names: Vec<String> },
    ///     Added { name: String },
    /// }
    ///
    /// async fn from_now_on(topic: Topic<Feed>) -> Sse<Feed> {
    ///     let tail = topic.live();
    ///     let names = vec!["all that there are".to_owned()];
    ///     tail.behind(stream::iter([Feed::Snapshot { names }]))
    /// }
    /// # let _ = from_now_on;
    /// ```
    pub fn live(&self) -> Subscription<E> {
        Subscription::new(self.log.reader())
    }

    /// Subscribes to everything that is kept, and what is published from now on.
    pub fn from_start(&self) -> Subscription<E> {
        self.log.evict(now());
        Subscription::new(self.log.reader_from_start())
    }

    /// The newest cursor that was given out.
    #[must_use]
    pub fn head(&self) -> Cursor {
        self.log.head()
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.log.readers()
    }

    /// How far the slowest subscriber is behind; `None` without subscribers.
    ///
    /// A client that stopped reading is seen here and in [`lagging`](Self::lagging), and nowhere
    /// else: nobody polls its stream, so the stream cannot tell. This looks at every subscriber and
    /// every event that is kept: call it when metrics are collected, not for each event.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_tower::{Json, Retention, Topic};
    ///
    /// let topic = Topic::<Json<u32>>::new(Retention::events(16));
    /// assert_eq!(topic.slowest(), None);
    /// let stalled = topic.live();
    /// topic.publish_all([Json(1), Json(2)])?;
    /// assert_eq!(topic.slowest().map(|behind| behind.events), Some(2));
    /// # drop(stalled);
    /// # Ok::<(), sse_tower::PublishError>(())
    /// ```
    #[must_use]
    pub fn slowest(&self) -> Option<Behind> {
        self.log.slowest(now())
    }

    /// How many subscribers are behind what is kept: they [lag](super::Lag), whether they are
    /// polled or not, and what they missed is gone.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_tower::{Json, Retention, Topic};
    ///
    /// let topic = Topic::<Json<u32>>::new(Retention::events(1));
    /// let stalled = topic.live();
    /// topic.publish(Json(1))?;
    /// assert_eq!(topic.lagging(), 0);
    /// topic.publish(Json(2))?;
    /// assert_eq!(topic.lagging(), 1);
    /// # drop(stalled);
    /// # Ok::<(), sse_tower::PublishError>(())
    /// ```
    #[must_use]
    pub fn lagging(&self) -> usize {
        self.log.evict(now());
        self.log.readers_before(self.log.start())
    }

    /// Closes the topic without a last event, which it had in another life.
    pub(super) fn close_as_it_is(&self) {
        self.log.close();
    }

    /// Whether somebody subscribes or holds another clone.
    pub(super) fn is_used(&self) -> bool {
        Arc::strong_count(&self.log) > 1 || self.subscribers() > 0
    }

    /// Whether the topic is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.log.is_closed()
    }
}

impl<E> Clone for Topic<E> {
    fn clone(&self) -> Self {
        Self {
            log: Arc::clone(&self.log),
            event: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Topic<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Topic").field(&self.log).finish()
    }
}

/// The runtime's clock, which a test may move.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// An epoch that no topic of this process had before, and practically none of another one.
pub(crate) fn new_epoch() -> u64 {
    static EPOCHS: Epochs = Epochs(AtomicU64::new(0));
    EPOCHS.next()
}

/// The epochs of a process: the time, and chance for those that other processes make in the same
/// second. They rise by chance too: steps of one would soon meet those of another process.
struct Epochs(AtomicU64);

impl Epochs {
    fn next(&self) -> u64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since.unwrap_or(Duration::ZERO).as_secs();
        let drawn = seconds << 20 | fastrand::u64(..1 << 20);
        let step = 1 + fastrand::u64(..1 << 20);
        let next = |last: u64| drawn.max(last.saturating_add(step));
        // Nothing else is read on the strength of it.
        let order = Ordering::Relaxed;
        let last = self.0.fetch_update(order, order, |last| Some(next(last)));
        let (Ok(last) | Err(last)) = last;
        next(last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn two_processes_do_not_meet() {
        let [one, other] = [(); 2].map(|()| {
            let epochs = Epochs(AtomicU64::new(0));
            (0..10_000).map(|_| epochs.next()).collect::<HashSet<_>>()
        });
        assert_eq!((one.len(), other.len()), (10_000, 10_000));
        // A hundredth of one is to be expected.
        let shared = one.intersection(&other).count();
        assert!(shared <= 3, "{shared}");
    }
}
