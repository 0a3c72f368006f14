//! `Entry`: one task as it is shown.

use std::borrow::Cow;
use std::sync::Arc;

use sse_core::EventId;
use tokio::time::Instant;

use super::estimate::{Estimate, percent, rounded};
use super::event::{Progress, TaskState};
use super::handle::Counter;

/// The task that is the job itself.
pub(super) const JOB: u64 = 0;

/// A task, with what was last taken over from its counter.
pub(super) struct Entry {
    pub(super) task: u64,
    pub(super) parent: u64,
    /// Whether what it does is done of its parent.
    pub(super) part: bool,
    pub(super) state: TaskState,
    /// Which state of the job it was changed in last.
    pub(super) version: u64,
    /// What its parts have done, which is added up anew each time.
    pub(super) parts: Sum,
    /// What those parts have done that are no longer there.
    pub(super) cleared: Sum,
    pub(super) counter: Arc<Counter>,
    name: String,
    message: Cow<'static, str>,
    /// Something but the numbers has changed.
    touched: bool,
    position: u64,
    length: Option<u64>,
    estimate: Estimate,
}

/// What parts have done and have to do.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    any: bool,
    position: u64,
    length: Option<u64>,
}

impl Entry {
    pub(super) fn new(task: u64, name: String, counter: Arc<Counter>, now: Instant) -> Self {
        Self {
            task,
            parent: JOB,
            part: false,
            state: TaskState::Running,
            version: 0,
            parts: Sum::NONE,
            cleared: Sum::NONE,
            name,
            message: Cow::Borrowed(""),
            touched: true,
            position: 0,
            length: None,
            estimate: Estimate::new(0, now),
            counter,
        }
    }

    /// Takes over what was reported; whether that changes what is shown.
    pub(super) fn refresh(&mut self, now: Instant) -> bool {
        if self.state != TaskState::Running {
            return std::mem::take(&mut self.touched);
        }
        let position = self.counter.position().saturating_add(self.parts.position);
        let parts = self.parts.any.then_some(self.parts.length).flatten();
        let length = self.counter.length().or(parts);
        self.estimate.record(position, now);
        let moved = (position, length) != (self.position, self.length);
        (self.position, self.length) = (position, length);
        std::mem::take(&mut self.touched) || moved
    }

    /// It is over, and stays as it was taken over last. What is done is full.
    pub(super) fn end(&mut self, state: TaskState) {
        let shown = self.position;
        if state == TaskState::Done {
            self.position = self.length.map_or(shown, |all| all.max(shown));
        }
        self.state = state;
        // How the job ended is told by its last event.
        self.touched |= self.task != JOB || self.position != shown;
    }

    /// Whether it is another than before.
    pub(super) fn set_message(&mut self, message: Cow<'static, str>) -> bool {
        let is_new = self.message != message;
        self.touched |= is_new;
        self.message = message;
        is_new
    }

    pub(super) fn reset_eta(&mut self, now: Instant) {
        self.estimate = Estimate::new(self.position, now);
    }

    pub(super) fn shown(&self) -> (u64, Option<u64>) {
        (self.position, self.length)
    }

    /// What it adds to its parent.
    pub(super) fn as_part(&self) -> Sum {
        let over = self.state != TaskState::Running;
        Sum {
            any: true,
            position: self.position,
            length: self.length.or(over.then_some(self.position)),
        }
    }

    /// What clients are told of it.
    pub(super) fn event<T>(&self, id: EventId, reset: bool) -> Progress<T> {
        let running = self.state == TaskState::Running;
        let id = Some(id);
        let (position, length) = self.shown();
        let percent = length.map(|length| percent(position, length));
        let rate = self.estimate.rate().filter(|_| running).map(rounded);
        let rest = length
            .filter(|_| running)
            .map(|all| all.saturating_sub(position));
        let eta_ms = rest.and_then(|rest| self.estimate.eta_ms(rest));
        let message = (!self.message.is_empty()).then(|| self.message.clone().into_owned());
        if self.task == JOB {
            return Progress::Update {
                id,
                position,
                length,
                percent,
                rate,
                eta_ms,
                message,
                reset,
            };
        }
        Progress::Task {
            id,
            task: self.task,
            parent: (self.parent != JOB).then_some(self.parent),
            name: self.name.clone(),
            state: self.state,
            position,
            length,
            percent,
            rate,
            eta_ms,
            message,
        }
    }
}

impl Sum {
    pub(super) const NONE: Self = Self {
        any: false,
        position: 0,
        length: Some(0),
    };

    pub(super) fn add(&mut self, part: Self) {
        self.any |= part.any;
        self.position = self.position.saturating_add(part.position);
        let lengths = self.length.zip(part.length);
        self.length = lengths.map(|(a, b)| a.saturating_add(b));
    }
}
