//! The lock, which the unit tests of this crate replace by the model checker's.

#[cfg(not(test))]
pub(super) use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(test))]
pub(super) use std::sync::{Mutex, MutexGuard};

#[cfg(test)]
pub(super) use shuttle::sync::atomic::{AtomicU64, Ordering};

#[cfg(test)]
pub(super) use self::counted::{Mutex, MutexGuard};

/// The model checker's lock, which counts how often it is taken.
#[cfg(test)]
mod counted {
    use std::cell::Cell;

    pub(in crate::log) use shuttle::sync::MutexGuard;
    use shuttle::sync::{self, LockResult};

    // Shuttle runs all threads of a schedule on one.
    thread_local! {
        static TAKEN: Cell<u64> = const { Cell::new(0) };
    }

    pub(in crate::log) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(in crate::log) fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(in crate::log) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            TAKEN.set(TAKEN.get() + 1);
            self.0.lock()
        }
    }

    /// How often a lock was taken while `work` ran.
    pub(super) fn taken(work: impl FnOnce()) -> u64 {
        let before = TAKEN.get();
        work();
        TAKEN.get() - before
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};
    use std::time::Instant;

    use super::counted::taken;
    use crate::event::Event;
    use crate::log::{Log, Reader, Retention};

    /// How often each append takes the lock, with a reader that has read one event and no more.
    fn appends(with_stalled: bool) -> Vec<u64> {
        let log = Log::new(7, Retention::events(4));
        let mut readers: Vec<Reader> = (0..100).map(|_| log.reader()).collect();
        let mut stalled = with_stalled.then(|| log.reader());
        let mut cx = Context::from_waker(Waker::noop());
        let mut append = |stalled: &mut Option<Reader>| {
            for reader in readers.iter_mut().chain(stalled) {
                while reader.poll_next(&mut cx).is_ready() {}
            }
            taken(|| {
                let event = Event::new().data("x");
                log.append(&event, Instant::now()).unwrap();
            })
        };
        append(&mut stalled);
        if let Some(stalled) = &mut stalled {
            assert!(stalled.next_ready().is_some());
        }
        (0..20).map(|_| append(&mut None)).collect()
    }

    struct Idle;

    impl Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn a_reader_that_waits_already_takes_no_lock() {
        let second = || {
            let log = Log::new(7, Retention::events(4));
            let mut reader = log.reader();
            let waker = Waker::from(Arc::new(Idle));
            let mut poll = || reader.poll_next(&mut Context::from_waker(&waker));
            assert!(poll().is_pending());
            assert_eq!(taken(|| assert!(poll().is_pending())), 0);
            let event = Event::new().data("x");
            log.append(&event, Instant::now()).unwrap();
            assert!(poll().is_ready());
        };
        shuttle::check_random(second, 1);
    }

    #[test]
    fn a_stalled_reader_adds_no_lock_to_an_append() {
        shuttle::check_random(|| assert_eq!(appends(true), appends(false)), 1);
    }
}
