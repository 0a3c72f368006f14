//! How many streams each client may have open.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::request::Parts;

use crate::registry::Permit;

/// A limit per key, whatever the type of the key.
pub(crate) trait Cap: Send + Sync {
    /// The place of a request; `None` if it has no key and is not limited.
    fn place(&self, parts: &Parts) -> Option<Box<dyn Place>>;
}

/// Where a request would be counted.
pub(crate) trait Place: Send {
    fn is_full(&self) -> bool;

    /// Takes a permit, unless there is none left.
    fn enter(self: Box<Self>) -> Option<Permit>;
}

pub(super) struct PerKey<K, F> {
    key: F,
    counts: Arc<Counts<K>>,
}

struct Counts<K> {
    max: usize,
    open: Mutex<HashMap<K, usize>>,
}

impl<K, F> PerKey<K, F> {
    pub(super) fn new(key: F, max: usize) -> Self {
        let open = Mutex::default();
        Self {
            key,
            counts: Arc::new(Counts { max, open }),
        }
    }
}

impl<K> Counts<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, F> Cap for PerKey<K, F>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    F: Fn(&Parts) -> Option<K> + Send + Sync,
{
    fn place(&self, parts: &Parts) -> Option<Box<dyn Place>> {
        let key = (self.key)(parts)?;
        let counts = Arc::clone(&self.counts);
        Some(Box::new(Keyed { key, counts }))
    }
}

struct Keyed<K> {
    key: K,
    counts: Arc<Counts<K>>,
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Place for Keyed<K> {
    fn is_full(&self) -> bool {
        let open = self.counts.lock().get(&self.key).copied();
        open.unwrap_or(0) >= self.counts.max
    }

    fn enter(self: Box<Self>) -> Option<Permit> {
        let mut open = self.counts.lock();
        let count = open.get(&self.key).copied().unwrap_or(0);
        if count >= self.counts.max {
            return None;
        }
        open.insert(self.key.clone(), count + 1);
        drop(open);
        Some(Box::new(Held(*self)))
    }
}

/// One open stream of a key; keys without any are forgotten.
struct Held<K: Eq + Hash + Clone>(Keyed<K>);

impl<K: Eq + Hash + Clone> Drop for Held<K> {
    fn drop(&mut self) {
        let mut open = self.0.counts.lock();
        if let Entry::Occupied(mut entry) = open.entry(self.0.key.clone()) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}
