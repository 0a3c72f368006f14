//! The open streams of a layer, and how it reaches them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;

use crate::observe::Observe;
use crate::retry::Load;

/// Every stream that a layer has seen and whose body still lives.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    streams: Mutex<Streams>,
    draining: AtomicBool,
}

#[derive(Debug, Default)]
struct Streams {
    next: u64,
    open: HashMap<u64, Arc<Request>>,
}

impl Registry {
    /// Enters a stream, unless `max` are open; it leaves when what this returns is dropped.
    pub(crate) fn open(
        self: &Arc<Self>,
        max: Option<usize>,
        observers: Observers,
    ) -> Option<Membership> {
        let request = Arc::new(Request::default());
        let mut streams = self.lock();
        if max.is_some_and(|max| streams.open.len() >= max) {
            return None;
        }
        let key = streams.next;
        streams.next += 1;
        streams.open.insert(key, Arc::clone(&request));
        drop(streams);
        // After it was entered: whoever begins to drain now either sees it or is seen.
        if self.is_draining() {
            request.ask(Ask::Drain);
        }
        Some(Membership {
            key,
            request,
            registry: Arc::clone(self),
            max,
            observers,
            permits: Vec::new(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().open.len()
    }

    pub(crate) fn load(&self, max: Option<usize>) -> Load {
        Load {
            open: self.len(),
            max,
        }
    }

    /// Asks every open stream to end at once.
    pub(crate) fn end_all(&self) {
        self.ask_all(Ask::End);
    }

    /// Asks every open stream to end in its own way, and those that open later too.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.ask_all(Ask::Drain);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    fn ask_all(&self, ask: Ask) {
        // Wakers run foreign code, so not under the lock.
        let open: Vec<_> = self.lock().open.values().cloned().collect();
        open.iter().for_each(|request| request.ask(ask));
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a layer wants of a stream; the last wins over those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    Nothing,
    /// End as the stream's [`Drain`](crate::Drain) says.
    Drain,
    /// End now.
    End,
}

/// How the layer reaches into a stream that it does not own.
#[derive(Default)]
struct Request {
    ask: AtomicU8,
    waker: AtomicWaker,
}

impl Request {
    fn ask(&self, ask: Ask) {
        self.ask.fetch_max(ask as u8, Ordering::AcqRel);
        self.waker.wake();
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.ask).finish()
    }
}

/// The observers of a layer.
pub(crate) type Observers = Arc<[Arc<dyn Observe>]>;

/// The place of one stream among those of a layer.
pub(crate) struct Membership {
    key: u64,
    request: Arc<Request>,
    registry: Arc<Registry>,
    max: Option<usize>,
    observers: Observers,
    /// Given back when the stream is over.
    permits: Vec<Permit>,
}

/// Gives something back when it is dropped.
pub(crate) type Permit = Box<dyn Send + Sync>;

impl Membership {
    pub(crate) fn holding(mut self, permits: Vec<Permit>) -> Self {
        self.permits = permits;
        self
    }

    pub(crate) fn observers(&self) -> impl Iterator<Item = &dyn Observe> {
        self.observers.iter().map(|observer| &**observer)
    }

    pub(crate) fn load(&self) -> Load {
        self.registry.load(self.max)
    }

    pub(crate) fn asked(&self) -> Ask {
        match self.request.ask.load(Ordering::Acquire) {
            0 => Ask::Nothing,
            1 => Ask::Drain,
            _ => Ask::End,
        }
    }

    pub(crate) fn watch(&self, cx: &Context<'_>) {
        self.request.waker.register(cx.waker());
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.registry.lock().open.remove(&self.key);
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
