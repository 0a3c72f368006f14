//! How a stream is reached by those that do not own it: its layers, and the clock.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::Context;

use futures_util::task::AtomicWaker;

/// What others want of one stream, and whom they wake for it.
#[derive(Default)]
pub(crate) struct Signal {
    ask: AtomicU8,
    rung: AtomicBool,
    waker: AtomicWaker,
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

impl Signal {
    /// A layer wants something.
    pub(crate) fn ask(&self, ask: Ask) {
        self.ask.fetch_max(ask as u8, Ordering::AcqRel);
        self.waker.wake();
    }

    /// The clock rings.
    pub(crate) fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// What the layers want.
    pub(crate) fn asked(&self) -> Ask {
        match self.ask.load(Ordering::Acquire) {
            0 => Ask::Nothing,
            1 => Ask::Drain,
            _ => Ask::End,
        }
    }

    /// Whether the clock has rung; told once.
    pub(crate) fn take_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire) && self.rung.swap(false, Ordering::AcqRel)
    }

    /// Wakes `cx` from now on; look once more after this, lest something was missed.
    pub(crate) fn watch(&self, cx: &Context<'_>) {
        self.waker.register(cx.waker());
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&self.asked()).finish()
    }
}
