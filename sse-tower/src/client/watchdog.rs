//! Notices that nothing arrives any more.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Polled only while nothing arrives, so that what waits to be read never counts as silence.
#[derive(Debug)]
pub(super) struct Watchdog {
    limit: Option<Duration>,
    /// Set per chunk, so that a busy stream never reads the clock.
    active: bool,
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Watchdog {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            active: true,
            deadline: None,
            timer: None,
        }
    }

    pub(super) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Something arrived.
    pub(super) fn alive(&mut self) {
        self.active = true;
    }

    /// Is ready with the limit once it has been silent for so long.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let Some(limit) = self.limit else {
            return Poll::Pending;
        };
        if std::mem::take(&mut self.active) {
            self.deadline = Instant::now().checked_add(limit);
        }
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= deadline {
                return Poll::Ready(limit);
            }
            timer.as_mut().reset(deadline);
        }
    }
}
