//! `Places`: where those are who read the store.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many readers were sent everything up to each number.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<BTreeMap<u64, usize>>);

impl Places {
    pub(super) fn add(&self, seq: u64) {
        *self.lock().entry(seq).or_default() += 1;
    }

    /// Returns whether nobody is left.
    pub(super) fn remove(&self, seq: u64) -> bool {
        let mut places = self.lock();
        if let Some(readers) = places.get_mut(&seq) {
            *readers -= 1;
            if *readers == 0 {
                places.remove(&seq);
            }
        }
        places.is_empty()
    }

    pub(super) fn readers(&self) -> usize {
        self.lock().values().sum()
    }

    /// How many were not sent the entry `seq`.
    pub(super) fn before(&self, seq: u64) -> usize {
        self.lock().range(..seq).map(|(_, readers)| readers).sum()
    }

    pub(super) fn lowest(&self) -> Option<u64> {
        Some(*self.lock().first_key_value()?.0)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
