//! When to say something although there is nothing to say.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::settings::SharedSettings;

pin_project! {
    /// Watches for silence on one stream; polled only while the stream is pending.
    ///
    /// The timer is made when the stream first goes quiet, and moves only when it fires.
    pub(crate) struct Silence {
        settings: SharedSettings,
        whose: Whose,
        // Drawn anew for each keep-alive.
        wait: Option<Duration>,
        // Set per frame, so that a busy stream never reads the clock.
        active: bool,
        deadline: Option<Instant>,
        // Whom the timer wakes.
        wakes: Option<Waker>,
        #[pin]
        timer: Option<Sleep>,
    }
}

/// Whose keep-alive comes first.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// The stream is ours and has no other.
    Ours,
    /// The stream may have one of its own, which then always comes first.
    Foreign,
    /// The stream probably came through another layer, to which it is foreign.
    BeyondALayer,
}

impl Whose {
    /// How long to wait, in intervals: drawn anew each time.
    fn share(self) -> Range<f64> {
        match self {
            Self::Ours => 0.9..1.1,
            Self::Foreign => 1.2..1.4,
            Self::BeyondALayer => 1.6..2.0,
        }
    }
}

impl Silence {
    pub(crate) fn new(settings: SharedSettings, whose: Whose) -> Self {
        Self {
            settings,
            whose,
            wait: None,
            active: true,
            deadline: None,
            wakes: None,
            timer: None,
        }
    }

    /// Something was sent.
    pub(crate) fn broken(self: Pin<&mut Self>) {
        *self.project().active = true;
    }

    /// Ready with what to send when the silence has lasted for the interval.
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut this = self.project();
        let Some(keep_alive) = this.settings.keep_alive() else {
            return Poll::Pending;
        };
        let wait = this
            .wait
            .get_or_insert_with(|| keep_alive.interval(&this.whose.share()));
        // One clock reading per quiet spell, none per event.
        if std::mem::take(this.active) || this.deadline.is_none() {
            *this.deadline = Some(Instant::now() + *wait);
        }
        let mut deadline = this.deadline.expect("set above");
        if this.timer.is_none() {
            this.timer.set(Some(sleep_until(deadline)));
        }
        let mut timer = this.timer.as_pin_mut().expect("set above");
        loop {
            let knows = |known: &Waker| known.will_wake(cx.waker());
            if this.wakes.as_ref().is_some_and(knows) && !timer.is_elapsed() {
                return Poll::Pending;
            }
            // Without a budget it does not look at the waker.
            let looks = coop::has_budget_remaining();
            *this.wakes = looks.then(|| cx.waker().clone());
            ready!(timer.as_mut().poll(cx));
            let early = timer.deadline() < deadline;
            if !early {
                *wait = keep_alive.interval(&this.whose.share());
                deadline = Instant::now() + *wait;
                *this.deadline = Some(deadline);
            }
            timer.as_mut().reset(deadline);
            *this.wakes = None;
            if !early {
                return Poll::Ready(keep_alive.bytes());
            }
        }
    }
}
