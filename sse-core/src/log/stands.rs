//! How far each reader is.

use std::time::Duration;

/// How far a reader is behind a log: what it was not sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behind {
    /// Entries after its place, those included that are gone.
    pub events: u64,
    /// The bytes of those that are kept.
    pub bytes: u64,
    /// How old the oldest of those is.
    pub age: Duration,
}

/// The numbers of the entries that the readers were sent last.
#[derive(Debug, Default)]
pub(super) struct Stands {
    /// `NOBODY` in a vacant place.
    seqs: Vec<u64>,
    vacant: Vec<usize>,
}

/// The number in a vacant place: behind no entry, so it never counts.
const NOBODY: u64 = u64::MAX;

impl Stands {
    pub(super) fn add(&mut self, seq: u64) -> usize {
        let Some(index) = self.vacant.pop() else {
            self.seqs.push(seq);
            return self.seqs.len() - 1;
        };
        self.seqs[index] = seq;
        index
    }

    pub(super) fn set(&mut self, index: usize, seq: u64) {
        self.seqs[index] = seq;
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.seqs[index] = NOBODY;
        self.vacant.push(index);
        if self.len() == 0 {
            // A crowd that has left leaves no memory behind.
            *self = Self::default();
        }
    }

    /// How many readers there are.
    pub(super) fn len(&self) -> usize {
        self.seqs.len() - self.vacant.len()
    }

    /// How many readers were not sent the entry `seq`.
    pub(super) fn before(&self, seq: u64) -> usize {
        self.seqs.iter().filter(|stand| **stand < seq).count()
    }

    pub(super) fn lowest(&self) -> Option<u64> {
        self.seqs.iter().copied().min()
    }
}
