//! `Board`: the tasks of a job as they stand, and those who wait for them to change.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sse_core::{Cursor, EventId};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;

use super::entry::{Entry, JOB};
use super::event::{Progress, TaskState};
use super::handle::Counter;
use crate::topic::new_epoch;

/// The tasks of one job.
pub(super) struct Board {
    epoch: u64,
    /// Somebody has seen all there is and waits for more.
    awaited: AtomicBool,
    /// Those who wait for anything.
    change: Arc<Notify>,
    /// Those who wait for the end alone.
    end: Arc<Notify>,
    tasks: Mutex<Tasks>,
}

struct Tasks {
    /// By number, so parents stand before their sub-tasks. The first is the job.
    entries: Vec<Entry>,
    newest: u64,
    /// Counts the states that somebody has seen.
    version: u64,
    ended: Option<Instant>,
}

/// The version of each task that a client was told of.
pub(super) type Told = BTreeMap<u64, u64>;

impl Board {
    pub(super) fn new(job: Arc<Counter>) -> Self {
        Self {
            epoch: new_epoch(),
            awaited: AtomicBool::new(false),
            change: Arc::default(),
            end: Arc::default(),
            tasks: Mutex::new(Tasks {
                entries: vec![Entry::new(JOB, String::new(), job, Instant::now())],
                newest: JOB,
                version: 0,
                ended: None,
            }),
        }
    }

    /// Something has changed. All that it costs, as long as nobody waits for it, is a load.
    pub(super) fn changed(&self) {
        if self.awaited.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        if self.awaited.swap(false, Ordering::SeqCst) {
            self.change.notify_waiters();
        }
    }

    /// Is ready when something has changed since this call. To miss nothing, look after it.
    pub(super) fn await_change(&self) -> OwnedNotified {
        let change = Arc::clone(&self.change).notified_owned();
        self.awaited.store(true, Ordering::SeqCst);
        change
    }

    /// Is ready when the job has ended since this call.
    pub(super) fn await_end(&self) -> OwnedNotified {
        Arc::clone(&self.end).notified_owned()
    }

    /// Puts what `told` lacks into `events`: of a job that goes on all, of one that has ended
    /// what is left to tell. Who is `returning` may know tasks that are not there. With
    /// `only_tasks` the job itself is not told of.
    pub(super) fn tell<T>(
        &self,
        told: &mut Told,
        returning: bool,
        only_tasks: bool,
        events: &mut VecDeque<Progress<T>>,
    ) {
        let mut tasks = self.lock();
        tasks.refresh(Instant::now());
        let id = EventId::from(Cursor::new(self.epoch, tasks.version));
        let reset = told.is_empty() && (returning || tasks.newest > JOB);
        for entry in &tasks.entries {
            let is_new = told.get(&entry.task) != Some(&entry.version);
            if is_new && !(only_tasks && entry.task == JOB) {
                told.insert(entry.task, entry.version);
                events.push_back(entry.event(id.clone(), reset));
            }
        }
        told.retain(|task, _| {
            let is_there = tasks.find(*task).is_some();
            if !is_there {
                events.push_back(Progress::TaskCleared {
                    id: Some(id.clone()),
                    task: *task,
                });
            }
            is_there
        });
    }

    /// Adds a task below `parent`; returns its number.
    pub(super) fn add(&self, parent: u64, name: String, counter: Arc<Counter>, part: bool) -> u64 {
        let mut tasks = self.lock();
        tasks.newest += 1;
        let task = tasks.newest;
        // What is added to something that is over is not shown.
        if tasks.running(parent).is_some() {
            let mut entry = Entry::new(task, name, counter, Instant::now());
            (entry.parent, entry.part) = (parent, part);
            tasks.entries.push(entry);
            drop(tasks);
            self.changed();
        }
        task
    }

    pub(super) fn set_message(&self, task: u64, message: Cow<'static, str>) {
        let mut tasks = self.lock();
        let at = tasks.running(task);
        let is_new = at.is_some_and(|at| tasks.entries[at].set_message(message));
        drop(tasks);
        if is_new {
            self.changed();
        }
    }

    pub(super) fn reset_eta(&self, task: u64) {
        let mut tasks = self.lock();
        if let Some(at) = tasks.running(task) {
            let now = Instant::now();
            tasks.refresh(now);
            tasks.entries[at].reset_eta(now);
        }
    }

    /// The position and the length of a task with those of its parts, if it is there.
    pub(super) fn shown(&self, task: u64) -> Option<(u64, Option<u64>)> {
        let mut tasks = self.lock();
        tasks.refresh(Instant::now());
        let at = tasks.find(task)?;
        Some(tasks.entries[at].shown())
    }

    /// The task is over, unless it was before.
    pub(super) fn end_task(&self, task: u64, state: TaskState) {
        let ended = self.lock().end_task(task, state, Instant::now());
        if ended {
            self.changed();
        }
    }

    /// The task is done, unless it was over before, and is taken away with its sub-tasks; what
    /// its parent has of it stays.
    pub(super) fn clear(&self, task: u64) {
        let cleared = self.lock().clear(task, Instant::now());
        if cleared {
            self.changed();
        }
    }

    /// The job is over, unless it was before, and so are its tasks; `last` is called while nobody
    /// looks.
    pub(super) fn end(&self, state: TaskState, last: impl FnOnce()) {
        let mut tasks = self.lock();
        if tasks.ended.is_none() {
            tasks.end(state, Instant::now());
            last();
        }
        drop(tasks);
        self.end.notify_waiters();
        self.change.notify_waiters();
    }

    pub(super) fn ended(&self) -> Option<Instant> {
        self.lock().ended
    }

    /// The id of the last event, once it is known.
    pub(super) fn last_id(&self) -> Option<Cursor> {
        let tasks = self.lock();
        tasks.ended?;
        // Above that of what is told right before it: who has seen only that has not seen the end.
        Some(Cursor::new(self.epoch, tasks.version + 1))
    }

    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tasks {
    fn find(&self, task: u64) -> Option<usize> {
        let entries = &self.entries;
        entries.binary_search_by_key(&task, |entry| entry.task).ok()
    }

    /// Where the task is, unless it is over.
    fn running(&self, task: u64) -> Option<usize> {
        let at = self.find(task)?;
        (self.entries[at].state == TaskState::Running).then_some(at)
    }

    /// Takes over what was reported.
    fn refresh(&mut self, now: Instant) {
        if self.ended.is_some() {
            return;
        }
        for entry in &mut self.entries {
            entry.parts = entry.cleared;
        }
        // Backwards, so that the parts of a task are there before it is.
        for at in (0..self.entries.len()).rev() {
            let entry = &mut self.entries[at];
            if entry.refresh(now) {
                self.version += 1;
                entry.version = self.version;
            }
            if entry.part {
                let (parent, part) = (entry.parent, entry.as_part());
                if let Some(parent) = self.find(parent) {
                    self.entries[parent].parts.add(part);
                }
            }
        }
    }

    /// Whether it was running.
    fn end_task(&mut self, task: u64, state: TaskState, now: Instant) -> bool {
        let Some(at) = self.running(task) else {
            return false;
        };
        self.refresh(now);
        self.entries[at].end(state);
        true
    }

    /// Whether it was there.
    fn clear(&mut self, task: u64, now: Instant) -> bool {
        self.end_task(task, TaskState::Done, now);
        let Some(at) = self.find(task).filter(|_| self.ended.is_none()) else {
            return false;
        };
        let entry = &self.entries[at];
        let (part, sum) = (entry.part, entry.as_part());
        if part && let Some(parent) = self.find(entry.parent) {
            self.entries[parent].cleared.add(sum);
        }
        self.version += 1;
        let mut gone = BTreeSet::from([task]);
        self.entries.retain(|entry| {
            let goes = entry.task == task || entry.task != JOB && gone.contains(&entry.parent);
            if goes {
                gone.insert(entry.task);
            }
            !goes
        });
        true
    }

    fn end(&mut self, state: TaskState, now: Instant) {
        self.refresh(now);
        for entry in &mut self.entries {
            if entry.task == JOB {
                entry.end(state);
            } else if entry.state == TaskState::Running {
                // As if it were dropped now. Whether it is before or after makes no difference.
                entry.end(TaskState::Failed);
            }
        }
        self.refresh(now);
        self.ended = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Sum;
    use super::*;

    #[test]
    fn what_nobody_looks_at_wakes_nobody() {
        let board = Board::new(Arc::new(Counter::new(None)));
        assert!(!board.awaited.load(Ordering::SeqCst));
        let _waits = board.await_change();
        assert!(board.awaited.load(Ordering::SeqCst));
        board.changed();
        assert!(!board.awaited.load(Ordering::SeqCst), "once is enough");
    }

    #[test]
    fn sums_of_everything_do_not_overflow() {
        let mut sum = Sum::NONE;
        let board = Board::new(Arc::new(Counter::new(Some(u64::MAX))));
        let entry = |board: &Board| board.lock().entries[0].as_part();
        board.lock().entries[0].counter.add(u64::MAX);
        board.lock().entries[0].counter.add(7);
        board.shown(JOB);
        sum.add(entry(&board));
        sum.add(entry(&board));
        assert_eq!(board.shown(JOB), Some((u64::MAX, Some(u64::MAX - 1))));
    }
}
