//! `Remembered`: what is left of things that are gone, the newest of them.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values by key, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Remembered<K, V> {
    values: HashMap<K, (u64, V)>,
    order: BTreeMap<u64, K>,
    next: u64,
}

impl<K: Eq + Hash + Clone, V> Remembered<K, V> {
    /// The newest of all; one of the same key before it is gone.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        self.order.insert(self.next, key.clone());
        self.values.insert(key, (self.next, value));
        self.next += 1;
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let (number, value) = self.values.remove(key)?;
        self.order.remove(&number);
        Some(value)
    }

    /// Removes the oldest as long as there are more than `most`, or it is `old`.
    pub(crate) fn limit(&mut self, most: usize, old: impl Fn(&V) -> bool) {
        while let Some((_, key)) = self.order.first_key_value() {
            let is_old = self.values.get(key).is_none_or(|(_, value)| old(value));
            if !is_old && self.order.len() <= most {
                return;
            }
            if let Some((_, key)) = self.order.pop_first() {
                self.values.remove(&key);
            }
        }
    }
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self {
            values: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
        }
    }
}
