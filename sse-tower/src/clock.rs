//! One timer for all streams of a runtime that wait for their next keep-alive.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::signal::Signal;

/// The clock of each runtime that has one.
static CLOCKS: LazyLock<Mutex<HashMap<Id, Arc<Clock>>>> = LazyLock::new(Mutex::default);

/// A stream that is gone is forgotten when the clock would ring for it, so that has to be soon.
const FARTHEST: Duration = Duration::from_secs(60);

/// Rings at `at`, or up to a 32nd of the time until then later. It may ring too early, as it does
/// if `at` is more than a minute away; ask again then.
///
/// A timer of its own would be half of what an idle stream takes. Returns whether it will ring:
/// outside of a runtime, and in one that has ended, there is no clock.
pub(crate) fn ring_at(at: Instant, signal: &Arc<Signal>) -> bool {
    let Ok(runtime) = Handle::try_current() else {
        return false;
    };
    let mut clocks = lock(&CLOCKS);
    if !clocks.contains_key(&runtime.id()) {
        clocks.retain(|_, clock| lock(&clock.waiting).state == State::Runs);
    }
    let clock = clocks.entry(runtime.id());
    let clock = clock.or_insert_with(|| Arc::new(Clock::new()));
    let before = clock.add(at, signal);
    let starts = (before == State::Idle).then(|| Running(Some(Arc::clone(clock))));
    drop(clocks);
    // In a runtime that has ended, this drops it at once.
    if let Some(running) = starts {
        runtime.spawn(running.run());
    }
    before != State::Ended
}

struct Clock {
    start: Instant,
    waiting: Mutex<Waiting>,
    sooner: Notify,
}

#[derive(Default)]
struct Waiting {
    /// Who is rung for, by milliseconds since the start.
    rings: Rings,
    state: State,
}

type Rings = BTreeMap<u64, Vec<Weak<Signal>>>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nobody waits.
    #[default]
    Idle,
    Runs,
    /// Its runtime is over, or has no timers.
    Ended,
}

impl Clock {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            waiting: Mutex::default(),
            sooner: Notify::new(),
        }
    }

    /// Returns what it did before: an idle one has to be started.
    fn add(&self, at: Instant, signal: &Arc<Signal>) -> State {
        let left = at.saturating_duration_since(Instant::now()).min(FARTHEST);
        // Those of about the same time share one wake-up of the clock.
        let step = (millis(left) / 32).max(1).next_power_of_two() / 2;
        let at = (millis(self.start.elapsed() + left) + 1).next_multiple_of(step.max(1));

        let mut waiting = lock(&self.waiting);
        let before = waiting.state;
        if before == State::Ended {
            return before;
        }
        let first = waiting.rings.keys().next();
        let sooner = first.is_some_and(|first| at < *first);
        let signals = waiting.rings.entry(at).or_default();
        signals.push(Arc::downgrade(signal));
        waiting.state = State::Runs;
        if sooner {
            self.sooner.notify_one();
        }
        before
    }

    /// Rings where it is time, and returns when it is time again.
    fn ring_due(&self) -> Option<Instant> {
        let now = millis(self.start.elapsed());
        let mut waiting = lock(&self.waiting);
        let later = waiting.rings.split_off(&(now + 1));
        let due = mem::replace(&mut waiting.rings, later);
        let next = waiting.rings.keys().next().copied();
        if next.is_none() {
            waiting.state = State::Idle;
        }
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
        // Its runtime ends. Streams that live on have to find another one.
        if let Some(clock) = self.0.take() {
            let mut waiting = lock(&clock.waiting);
            waiting.state = State::Ended;
            let rings = mem::take(&mut waiting.rings);
            drop(waiting);
            ring_all(rings);
        }
    }
}

/// Without a lock, as wakers run foreign code; if it panics, that is no reason not to wake others.
fn ring_all(rings: Rings) {
    let signals = rings.into_values().flatten();
    for signal in signals.filter_map(|signal| signal.upgrade()) {
        drop(catch_unwind(AssertUnwindSafe(|| signal.ring())));
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
