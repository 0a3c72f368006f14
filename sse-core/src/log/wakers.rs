//! Who is to be woken by the next append.

use std::mem;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::task::Waker;

/// The wakers of the readers that have caught up.
///
/// A reader that is not polled has none here, so it costs an append nothing.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    slots: Vec<Option<Waker>>,
    /// Slots whose reader was dropped.
    vacant: Vec<usize>,
    /// A list that was taken and emptied, kept for its memory.
    spare: Vec<Option<Waker>>,
}

/// Where the waker of a reader is, unless the list was taken since: its round is over then.
#[derive(Debug)]
pub(super) struct Slot {
    index: usize,
    round: u64,
    waker: WakerId,
}

/// Tells a waker that is on a list from others. It is not held, as it may own who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WakerId {
    data: usize,
    vtable: NonZeroUsize,
}

impl Slot {
    /// Whether this waker is on the list of this round.
    pub(super) fn holds(&self, round: u64, waker: &Waker) -> bool {
        self.round == round && self.waker == WakerId::of(waker)
    }
}

impl WakerId {
    fn of(waker: &Waker) -> Self {
        Self {
            data: waker.data().addr(),
            vtable: NonNull::from(waker.vtable()).addr(),
        }
    }
}

impl Wakers {
    /// Puts a reader on the list, once, with its newest waker. Returns the waker that this
    /// replaces: dropping one runs foreign code, which is no business of whoever holds the lock.
    #[must_use]
    pub(super) fn register(
        &mut self,
        slot: &mut Option<Slot>,
        round: u64,
        waker: &Waker,
    ) -> Option<Waker> {
        if let Some(slot) = slot
            && slot.round == round
        {
            if slot.waker == WakerId::of(waker) {
                return None;
            }
            let waker = waker.clone();
            slot.waker = WakerId::of(&waker);
            return self.slots[slot.index].replace(waker);
        }
        let waker = waker.clone();
        let id = WakerId::of(&waker);
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[index] = Some(waker);
        *slot = Some(Slot {
            index,
            round,
            waker: id,
        });
        None
    }

    /// Takes a dropped reader off the list.
    #[must_use]
    pub(super) fn remove(&mut self, slot: Option<Slot>, round: u64) -> Option<Waker> {
        let slot = slot.filter(|slot| slot.round == round)?;
        self.vacant.push(slot.index);
        self.slots[slot.index].take()
    }

    /// Takes the whole list, to be woken without the lock.
    #[must_use]
    pub(super) fn take(&mut self) -> Vec<Option<Waker>> {
        if self.slots.is_empty() {
            return Vec::new();
        }
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
