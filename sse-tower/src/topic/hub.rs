//! `Hub`: topics by key.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sse_core::log::AppendError;
use sse_core::{Cursor, Retention, SseEvent};

use super::topic::now;
use super::{Missed, Subscription, Topic};
use crate::extract::Resume;
use crate::remembered::Remembered;

/// Topics by key, such as the rooms of a chat: made when first asked for, removed when idle.
///
/// Clones are the same hub. A topic is idle when it has no subscribers, nobody else holds it,
/// and it was not asked for during [`idle_after`](Self::idle_after). Of a removed topic its last
/// cursor is remembered for [`forget_after`](Self::forget_after), so that a client that comes back
/// with it reads on without a gap; after that, there is one. A hub never uses a cursor twice: a
/// topic that is not remembered begins with a new epoch. So a cursor of another topic of the hub is
/// a gap as well, and so is one of another process, but for a chance of about one in a million.
///
/// Asking for a topic makes it. If a client chooses the key, check that against what there may be:
/// otherwise the hub has a topic for everything that clients ask for within
/// [`idle_after`](Self::idle_after).
///
/// A hub has no timer: idle topics go when the hub is next asked for one.
///
/// # Examples
///
/// ```
/// use axum::extract::{Path, State};
/// use axum::http::StatusCode;
/// use sse_tower::{Cursor, Hub, Missed, Resume, Retention, SseEvent, Subscription, sse_handler};
///
/// #[derive(SseEvent)]
/// enum Chat {
///     Said { text: String },
/// }
///
/// /// A client chooses one of these, and does not make others.
/// const ROOMS: [&str; 2] = ["lobby", "kitchen"];
///
/// #[sse_handler]
/// async fn room(
///     resume: Resume<Cursor>,
///     Path(name): Path<String>,
///     State(rooms): State<Hub<&'static str, Chat>>,
/// ) -> axum::response::Result<Subscription<Chat>> {
///     let room = ROOMS.into_iter().find(|room| *room == name).ok_or(StatusCode::NOT_FOUND)?;
///     Ok(match rooms.subscribe(&room, resume) {
///         // Away for too long, or with an id of before a restart or of an older version: a 410
///         // would end a browser for good.
///         Err(Missed::Gap(_) | Missed::Unreadable) => rooms.topic(&room).from_start(),
///         subscribed => subscribed?,
///     })
/// }
///
/// let rooms = Hub::<&str, Chat>::new(Retention::events(100));
/// rooms.publish(&"lobby", Chat::Said { text: "hi".into() })?;
/// assert_eq!(rooms.topic(&"lobby").subscribers(), 0);
/// # let _: axum::Router = axum::Router::new().route("/{room}", axum::routing::get(room)).with_state(rooms);
/// # Ok::<(), sse_tower::PublishError>(())
/// ```
pub struct Hub<K, E> {
    shared: Arc<Shared<K, E>>,
}

struct Shared<K, E> {
    retention: Retention,
    idle_after: Duration,
    forget_after: Duration,
    most_remembered: usize,
    state: Mutex<State<K, E>>,
}

/// A sweep looks at every topic, which is too much for each event.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

struct State<K, E> {
    topics: HashMap<K, Entry<E>>,
    removed: Remembered<K, Tombstone>,
    swept: Instant,
}

struct Entry<E> {
    topic: Topic<E>,
    used: Instant,
}

/// What is left of a removed topic.
struct Tombstone {
    head: Cursor,
    closed: bool,
    removed: Instant,
}

impl<K: Eq + Hash + Clone, E: SseEvent> Hub<K, E> {
    /// A hub whose topics each keep as much as `retention` says.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            shared: Arc::new(Shared {
                retention,
                idle_after: MINUTE,
                forget_after: 60 * MINUTE,
                most_remembered: 10_000,
                state: Mutex::new(State {
                    topics: HashMap::new(),
                    removed: Remembered::default(),
                    swept: now(),
                }),
            }),
        }
    }

    /// How long an unused topic is kept. Default: one minute.
    ///
    /// Its events go with it, so make this longer than clients take to come back. Set it before the
    /// hub is cloned: on one that is shared already it has no effect.
    #[must_use]
    pub fn idle_after(self, idle: Duration) -> Self {
        self.with(|shared| shared.idle_after = idle)
    }

    /// How long, and of how many topics, the last number is remembered. Default: one hour, and
    /// 10,000 topics; the oldest go first. Set this before the hub is cloned, too.
    #[must_use]
    pub fn forget_after(self, forget: Duration, most: usize) -> Self {
        self.with(|shared| {
            shared.forget_after = forget;
            shared.most_remembered = most;
        })
    }

    /// The topic of `key`; it is made if there is none.
    #[must_use]
    pub fn topic(&self, key: &K) -> Topic<E> {
        let now = now();
        let mut state = self.lock();
        // Before the sweep: who asks for a topic must not be what makes it go.
        let topic = state.topics.get_mut(key).map(|entry| {
            entry.used = now;
            entry.topic.clone()
        });
        self.shared.sweep(&mut state, now);
        if let Some(topic) = topic {
            return topic;
        }
        let topic = self.shared.make(&mut state, key, now);
        let entry = Entry {
            topic: topic.clone(),
            used: now,
        };
        state.topics.insert(key.clone(), entry);
        topic
    }

    /// The topic of `key`, if there is one.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<Topic<E>> {
        let mut state = self.lock();
        let entry = state.topics.get_mut(key)?;
        entry.used = now();
        Some(entry.topic.clone())
    }

    /// Publishes an event in the topic of `key`.
    ///
    /// # Errors
    ///
    /// As [`Topic::publish`].
    pub fn publish(&self, key: &K, event: impl Borrow<E>) -> Result<Option<Cursor>, AppendError> {
        self.topic(key).publish(event)
    }

    /// Subscribes to the topic of `key`.
    ///
    /// # Errors
    ///
    /// As [`Topic::subscribe`]. A topic that was closed stays so for those who come back, as
    /// long as it is remembered.
    pub fn subscribe(&self, key: &K, resume: Resume<Cursor>) -> Result<Subscription<E>, Missed> {
        self.topic(key).subscribe(resume)
    }

    /// How many topics there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().topics.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with(mut self, change: impl FnOnce(&mut Shared<K, E>)) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            change(shared);
        }
        self
    }

    fn lock(&self) -> MutexGuard<'_, State<K, E>> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Clone, E: SseEvent> Shared<K, E> {
    /// Removes what is idle, and forgets what was removed long ago.
    fn sweep(&self, state: &mut State<K, E>, now: Instant) {
        // Often enough that nothing stays twice as long as it should, and no more: each topic is
        // looked at.
        let pause = (self.idle_after / 2).max(SHORTEST_PAUSE);
        if now.duration_since(state.swept) < pause {
            return;
        }
        state.swept = now;
        let State {
            topics, removed, ..
        } = state;
        topics.retain(|key, entry| {
            let used = entry.topic.is_used();
            if used {
                entry.used = now;
            }
            if used || now.duration_since(entry.used) < self.idle_after {
                return true;
            }
            let tombstone = Tombstone {
                head: entry.topic.head(),
                closed: entry.topic.is_closed(),
                removed: now,
            };
            removed.insert(key.clone(), tombstone);
            false
        });
        removed.limit(self.most_remembered, |it| self.is_forgotten(it, now));
    }

    /// A topic that goes on where the last one of its key was, or else has nothing in common with
    /// any: a cursor of another is known by its epoch.
    fn make(&self, state: &mut State<K, E>, key: &K, now: Instant) -> Topic<E> {
        let tombstone = state.removed.remove(key);
        let remembered = tombstone.filter(|it| !self.is_forgotten(it, now));
        let Some(Tombstone { head, closed, .. }) = remembered else {
            return Topic::new(self.retention);
        };
        let topic = Topic::starting_after(head, self.retention);
        if closed {
            topic.close_as_it_is();
        }
        topic
    }

    fn is_forgotten(&self, tombstone: &Tombstone, now: Instant) -> bool {
        now.duration_since(tombstone.removed) >= self.forget_after
    }
}

impl<K, E> Clone for Hub<K, E> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K, E> fmt::Debug for Hub<K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("retention", &self.shared.retention)
            .finish_non_exhaustive()
    }
}
