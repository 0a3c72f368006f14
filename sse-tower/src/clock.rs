//! One timer for all streams of a runtime that wait for their next keep-alive.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::signal::Signal;

/// The clock of each runtime that has one.
static CLOCKS: LazyLock<Mutex<HashMap<Id, Arc<Clock>>>> = LazyLock::new(Mutex::default);

/// A stream that is gone is forgotten when the clock would ring for it, so that has to be soon.
const FARTHEST: Duration = Duration::from_secs(60);

/// Rings at `at`, up to a 32nd of the time until then later, or within a minute if it is farther.
///
/// A timer of its own would be half of what an idle stream takes. Returns whether it will ring:
/// outside of a runtime, there is no clock.
pub(crate) fn ring(at: Instant, signal: &Arc<Signal>) -> bool {
    let Ok(runtime) = Handle::try_current() else {
        return false;
    };
    let clock = {
        let mut clocks = lock(&CLOCKS);
        if !clocks.contains_key(&runtime.id()) {
            clocks.retain(|_, clock| lock(&clock.waiting).runs);
        }
        let clock = clocks.entry(runtime.id());
        Arc::clone(clock.or_insert_with(|| Arc::new(Clock::new())))
    };
    if clock.add(at, signal) {
        let running = Running(Some(clock));
        runtime.spawn(running.run());
    }
    true
}

struct Clock {
    start: Instant,
    waiting: Mutex<Waiting>,
    sooner: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Who is rung for, by milliseconds since the start.
    rings: BTreeMap<u64, Vec<Arc<Signal>>>,
    runs: bool,
}

impl Clock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            waiting: Mutex::default(),
            sooner: Notify::new(),
        }
    }

    /// Returns whether it has to be started.
    fn add(&self, at: Instant, signal: &Arc<Signal>) -> bool {
        let left = at.saturating_duration_since(Instant::now()).min(FARTHEST);
        // Those of about the same time share one wake-up of the clock.
        let step = (millis(left) / 32).max(1).next_power_of_two() / 2;
        let at = (millis(self.start.elapsed() + left) + 1).next_multiple_of(step.max(1));

        let mut waiting = lock(&self.waiting);
        let first = waiting.rings.keys().next();
        let sooner = first.is_some_and(|first| at < *first);
        let signals = waiting.rings.entry(at).or_default();
        signals.push(Arc::clone(signal));
        if sooner {
            self.sooner.notify_one();
        }
        !mem::replace(&mut waiting.runs, true)
    }

    /// Rings where it is time, and returns when it is time again.
    fn ring_due(&self) -> Option<Instant> {
        let now = millis(self.start.elapsed());
        let mut waiting = lock(&self.waiting);
        let later = waiting.rings.split_off(&(now + 1));
        let due = mem::replace(&mut waiting.rings, later);
        let next = waiting.rings.keys().next().copied();
        waiting.runs = next.is_some();
        drop(waiting);
        ring_all(due);
        next.map(|at| self.start + Duration::from_millis(at))
    }
}

/// A clock that runs until nobody waits.
struct Running(Option<Arc<Clock>>);

impl Running {
    async fn run(mut self) {
        while let Some(clock) = &self.0 {
            match clock.ring_due() {
                Some(at) => drop(timeout_at(at, clock.sooner.notified()).await),
                None => self.0 = None,
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A runtime without timers would panic time and again.
        let Some(clock) = self.0.take().filter(|_| !thread::panicking()) else {
            return;
        };
        // Its runtime ends. Streams that live on have to find another one.
        let waiting = mem::take(&mut *lock(&clock.waiting));
        ring_all(waiting.rings);
    }
}

/// Without a lock: wakers run foreign code.
fn ring_all(rings: BTreeMap<u64, Vec<Arc<Signal>>>) {
    let signals = rings.into_values().flatten();
    signals.for_each(|signal| signal.ring());
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
