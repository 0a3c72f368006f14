//! The open streams of a layer, and how it reaches them.

use std::fmt;
use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slab::Slab;

use crate::layer::Shared;
use crate::observe::Observe;
use crate::retry::Load;
use crate::signal::{Ask, Signal};

/// Every stream that a layer has seen and whose body still lives.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    open: Mutex<Slab<Arc<Signal>>>,
    draining: AtomicBool,
}

impl Registry {
    /// Enters a stream, unless `max` are open, and returns its key.
    fn open(&self, max: Option<usize>, signal: &Arc<Signal>) -> Option<usize> {
        let mut open = self.lock();
        if max.is_some_and(|max| open.len() >= max) {
            return None;
        }
        let key = open.insert(Arc::clone(signal));
        drop(open);
        // After it was entered: whoever begins to drain now either sees it or is seen.
        if self.is_draining() {
            signal.ask(Ask::Drain);
        }
        Some(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
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
        let open: Vec<_> = self.lock().iter().map(|(_, it)| Arc::clone(it)).collect();
        open.iter().for_each(|signal| signal.ask(ask));
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<Signal>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places of one stream in the layers around it, the innermost first.
///
/// Most streams have one layer, which needs no allocation.
#[derive(Default)]
pub(crate) struct Layers {
    innermost: Option<Membership>,
    outer: Option<Box<Self>>,
}

impl Layers {
    /// Adds that of a layer further out.
    pub(crate) fn push(&mut self, place: Membership) {
        if self.innermost.is_none() {
            self.innermost = Some(place);
        } else {
            self.outer.get_or_insert_default().push(place);
        }
    }

    pub(crate) fn pop_innermost(&mut self) -> Option<Membership> {
        let place = self.innermost.take();
        if let Some(outer) = self.outer.take() {
            *self = *outer;
        }
        place
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Membership> {
        let layers = iter::successors(Some(self), |layers| layers.outer.as_deref());
        layers.filter_map(|layers| layers.innermost.as_ref())
    }
}

/// The place of one stream among those of a layer.
pub(crate) struct Membership {
    key: usize,
    layer: Arc<Shared>,
    /// Given back when the stream is over.
    _permits: Box<[Permit]>,
}

/// Gives something back when it is dropped.
pub(crate) type Permit = Box<dyn Send + Sync>;

impl Membership {
    /// Enters a stream, if there is room; it leaves when what this returns is dropped.
    pub(crate) fn new(
        layer: &Arc<Shared>,
        signal: &Arc<Signal>,
        permits: Vec<Permit>,
    ) -> Option<Self> {
        Some(Self {
            key: layer.registry.open(layer.max_streams, signal)?,
            layer: Arc::clone(layer),
            _permits: permits.into(),
        })
    }

    pub(crate) fn observers(&self) -> impl Iterator<Item = &dyn Observe> {
        self.layer.observers.iter().map(|observer| &**observer)
    }

    pub(crate) fn load(&self) -> Load {
        self.layer.load()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let signal = self.layer.registry.lock().remove(self.key);
        // Without the lock: the waker in it may own a task with a stream of the same layer.
        drop(signal);
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
