//! Who is to be woken by the next append.

use std::mem;
use std::task::Waker;

/// The wakers of the readers that have caught up.
///
/// A reader that is not polled has none here, so it costs an append nothing.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    slots: Vec<Option<Waker>>,
    /// Slots whose reader was dropped.
    vacant: Vec<usize>,
    /// How often the list was taken; what a reader knows of an older round is void.
    round: u64,
    /// A list that was taken and emptied, kept for its memory.
    spare: Vec<Option<Waker>>,
}

/// Where the waker of a reader is.
#[derive(Debug)]
pub(super) struct Slot {
    index: usize,
    round: u64,
}

impl Wakers {
    /// Puts a reader on the list, once, with its newest waker. Returns the waker that this
    /// replaces: dropping one runs foreign code, which is no business of whoever holds the lock.
    #[must_use]
    pub(super) fn register(&mut self, slot: &mut Option<Slot>, waker: &Waker) -> Option<Waker> {
        if let Some(slot) = slot
            && slot.round == self.round
        {
            let old = &mut self.slots[slot.index];
            if old.as_ref().is_some_and(|old| old.will_wake(waker)) {
                return None;
            }
            return old.replace(waker.clone());
        }
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[index] = Some(waker.clone());
        *slot = Some(Slot {
            index,
            round: self.round,
        });
        None
    }

    /// Takes a dropped reader off the list.
    #[must_use]
    pub(super) fn remove(&mut self, slot: Option<Slot>) -> Option<Waker> {
        let slot = slot.filter(|slot| slot.round == self.round)?;
        self.vacant.push(slot.index);
        self.slots[slot.index].take()
    }

    /// Takes the whole list, to be woken without the lock.
    #[must_use]
    pub(super) fn take(&mut self) -> Vec<Option<Waker>> {
        if self.slots.is_empty() {
            return Vec::new();
        }
        self.round += 1;
        self.vacant.clear();
        mem::replace(&mut self.slots, mem::take(&mut self.spare))
    }

    /// Takes the memory of a list back.
    pub(super) fn give_back(&mut self, emptied: Vec<Option<Waker>>) {
        if emptied.capacity() > self.spare.capacity() {
            self.spare = emptied;
        }
    }
}
