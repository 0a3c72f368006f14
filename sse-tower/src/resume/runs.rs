//! All runs of a layer, and what a request finds there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sse_core::log::GapCause;
use sse_core::{Cursor, Gap, Limits, Missed, Retention};
use tokio::sync::watch;

use super::key::ScopedRunKey;
use super::run::{Run, RunEvents};
use crate::remembered::Remembered;

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) linger: Duration,
    pub(super) keep: Retention,
    pub(super) forget_after: Duration,
    pub(super) forget_when_read: bool,
    pub(super) while_running: WhileRunning,
    pub(super) max_runs: usize,
    pub(super) limits: Limits,
}

/// What becomes of a request that wants to start a run while one is going on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum WhileRunning {
    Refuse,
    Attach,
    Replace,
}

#[derive(Debug)]
pub(super) struct Runs {
    pub(super) options: Options,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: HashMap<ScopedRunKey, Slot>,
    /// Where runs ended that were complete, and are gone.
    forgotten: Remembered<ScopedRunKey, Cursor>,
}

#[derive(Debug)]
enum Slot {
    /// A handler was called for it, and there is no response yet.
    Starting {
        over: watch::Receiver<()>,
        /// The run that the new one is to replace.
        old: Option<Arc<Run>>,
    },
    There(Arc<Run>),
}

/// What a request wants.
#[derive(Debug)]
pub(super) struct Ask {
    /// A client that comes back, rather than one that orders something to be done.
    pub(super) resumes: bool,
    /// Its `Last-Event-ID`: `None` if it is no cursor.
    pub(super) after: Option<Option<Cursor>>,
}

/// What a request finds.
#[derive(Debug)]
pub(super) enum Found {
    Attached(RunEvents),
    /// Events are missing; what is left can be read.
    Gap(Option<Gap>, RunEvents),
    /// The client has seen everything there ever will be.
    Complete,
    /// The run that it wants to start is going on.
    Running,
    /// Somebody else is starting it: look again after this.
    Starting(watch::Receiver<()>),
    /// Call the handler.
    Nothing(Starting),
    /// There is no room for another.
    Full,
}

impl Runs {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            state: Mutex::default(),
        }
    }

    pub(super) fn find(self: &Arc<Self>, key: &ScopedRunKey, ask: &Ask) -> Found {
        // Dropped behind the lock: its log wakes readers, which is foreign code.
        let _read;
        let mut state = self.lock();
        let mut old = None;
        if let Some(Slot::There(run)) = state.slots.get(key)
            && self.options.forget_when_read
            && run.was_read()
            && !ask.after.flatten().is_some_and(|after| run.goes_on(after))
        {
            _read = state.remove(key, self.most());
        }
        match state.slots.get(key) {
            Some(Slot::Starting { over, .. }) => return Found::Starting(over.clone()),
            Some(Slot::There(run)) => {
                let running = run.ended().is_none();
                let while_running = self.options.while_running;
                if ask.resumes || running && while_running == WhileRunning::Attach {
                    return attach(run, ask);
                }
                if running && while_running == WhileRunning::Refuse {
                    return Found::Running;
                }
                old = Some(Arc::clone(run));
            }
            None => {
                if let Some(after) = ask.after.flatten()
                    && let Some(&head) = state.forgotten.get(key)
                    && after.epoch() == head.epoch()
                {
                    return self.come_too_late(after, head);
                }
                let full = state.slots.len() >= self.options.max_runs;
                if full && !self.forget_oldest(&mut state) {
                    return Found::Full;
                }
            }
        }
        let (sender, over) = watch::channel(());
        let slot = Slot::Starting { over, old };
        state.slots.insert(key.clone(), slot);
        Found::Nothing(Starting {
            runs: Arc::clone(self),
            key: key.clone(),
            installed: false,
            _over: sender,
        })
    }

    /// What a client finds that comes back to a run that is forgotten.
    fn come_too_late(&self, after: Cursor, head: Cursor) -> Found {
        // What was read was read by somebody, who need not be this client.
        if after == head || !self.options.forget_when_read {
            return Found::Complete;
        }
        let cause = if after.seq() < head.seq() {
            GapCause::Evicted
        } else {
            GapCause::Future
        };
        let gap = Gap::new(after, head, cause);
        Found::Gap(Some(gap), Arc::new(Run::gone()).attach_to_rest())
    }

    /// Removes a run that is running, unless somebody has attached.
    pub(super) fn give_up(&self, key: &ScopedRunKey, run: &Run) -> bool {
        let mut state = self.lock();
        if run.has_connections() {
            return false;
        }
        let removed = match state.slots.get_mut(key) {
            Some(Slot::There(there)) if there.epoch() == run.epoch() => state.slots.remove(key),
            // Somebody is about to replace it.
            Some(Slot::Starting { old, .. }) => {
                let old = old.take_if(|old| old.epoch() == run.epoch());
                old.map(Slot::There)
            }
            _ => None,
        };
        drop(state);
        drop(removed);
        true
    }

    /// Removes a run that has ended, unless another has taken its place.
    pub(super) fn forget(&self, key: &ScopedRunKey, epoch: u64) {
        let mut state = self.lock();
        let removed = match state.slots.get_mut(key) {
            Some(Slot::There(run)) if run.epoch() == epoch => state.remove(key, self.most()),
            Some(Slot::Starting { old, .. }) => old.take_if(|old| old.epoch() == epoch),
            _ => None,
        };
        drop(state);
        // Its log wakes readers, which is foreign code.
        drop(removed);
    }

    /// Makes room by forgetting the run that ended first, if there is one that nobody reads.
    fn forget_oldest(&self, state: &mut State) -> bool {
        let ended = state.slots.iter().filter_map(|(key, slot)| match slot {
            Slot::There(run) if !run.has_connections() => Some((run.ended()?, key)),
            _ => None,
        });
        let Some(key) = ended.min_by_key(|(at, _)| *at).map(|(_, key)| key.clone()) else {
            return false;
        };
        // Nobody reads its log, so nobody is woken.
        state.remove(&key, self.most()).is_some()
    }

    /// How many runs are remembered by name.
    fn most(&self) -> usize {
        self.options.max_runs
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under the lock of the runs, so that a run is not given up in between.
fn attach(run: &Arc<Run>, ask: &Ask) -> Found {
    let gap = match ask.after {
        Some(None) => None,
        known => match run.attach(known.flatten()) {
            Ok(events) => return Found::Attached(events),
            Err(Missed::Gap(gap)) => Some(gap),
            Err(_) => return Found::Complete,
        },
    };
    Found::Gap(gap, run.attach_to_rest())
}

impl State {
    /// Takes a run out and remembers its name, `most` of them.
    fn remove(&mut self, key: &ScopedRunKey, most: usize) -> Option<Arc<Run>> {
        let Slot::There(run) = self.slots.remove(key)? else {
            return None;
        };
        // Of one that failed, nobody has seen the end.
        if run.is_complete() {
            self.forgotten.insert(key.clone(), run.log.head());
            self.forgotten.limit(most, |_| false);
        }
        Some(run)
    }
}

/// The right to start a run: as long as it lives, others wait.
#[derive(Debug)]
pub(super) struct Starting {
    runs: Arc<Runs>,
    key: ScopedRunKey,
    installed: bool,
    /// Dropped last: it tells the others to look again.
    _over: watch::Sender<()>,
}

impl Starting {
    /// How much of the run is kept.
    pub(super) fn keep(&self) -> Retention {
        self.runs.options.keep
    }

    pub(super) fn limits(&self) -> Limits {
        self.runs.options.limits
    }

    /// The run has begun.
    pub(super) fn install(mut self, run: Arc<Run>) -> (Arc<Runs>, ScopedRunKey) {
        self.installed = true;
        let slot = Slot::There(run);
        let replaced = self.runs.lock().slots.insert(self.key.clone(), slot);
        if let Some(Slot::Starting { old: Some(old), .. }) = replaced {
            old.replaced();
        }
        (Arc::clone(&self.runs), self.key.clone())
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if self.installed {
            return;
        }
        // There was no stream, or the client left before there was an answer.
        let mut state = self.runs.lock();
        if let Some(Slot::Starting { old: Some(run), .. }) = state.slots.remove(&self.key) {
            state.slots.insert(self.key.clone(), Slot::There(run));
        }
    }
}
