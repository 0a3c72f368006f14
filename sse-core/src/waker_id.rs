//! Which waker was registered somewhere, without another clone of it.

use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::task::Waker;

/// Tells a waker from others, as long as a clone of it lives wherever it was registered.
///
/// Servers poll a body several times for each wake, so whoever has registered a waker already is
/// asked to again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WakerId {
    data: usize,
    vtable: NonZeroUsize,
}

impl WakerId {
    /// The waker that this is.
    #[must_use]
    pub fn of(waker: &Waker) -> Self {
        Self {
            data: waker.data().addr(),
            vtable: NonNull::from(waker.vtable()).addr(),
        }
    }
}
