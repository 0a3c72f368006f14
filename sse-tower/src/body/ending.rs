//! When a stream ends that would go on by itself.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sse_core::{EventBuffer, RetryDelay};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::life::{CloseReason, Life};
use crate::retry::{Load, Retry};
use crate::settings::{Settings, SharedSettings};
use crate::shutdown::Drain;
use crate::signal::Ask;

/// What may end the stream of one body from outside: its age, its authority, its server.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    settings: SharedSettings,
    /// Clients of a GET come back by themselves.
    comes_back: bool,
    draining: bool,
    /// Most streams have none.
    deadline: Option<Box<Deadline>>,
}

#[derive(Debug)]
struct Deadline {
    at: Instant,
    reason: CloseReason,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Ending {
    pub(crate) fn new(
        settings: SharedSettings,
        comes_back: bool,
        expires: Option<Instant>,
    ) -> Self {
        let mut this = Self {
            settings,
            comes_back,
            ..Self::default()
        };
        if let Some(age) = this.settings.max_age {
            // ±20 %, so that streams opened together do not return together.
            let age = age.mul_f64(0.8 + 0.4 * fastrand::f64());
            this.within(age, CloseReason::MaxAge);
        }
        if let Some(at) = expires {
            this.at(at, CloseReason::Expired);
        }
        this
    }

    /// Ready when the stream has to end, between two events.
    #[inline]
    pub(crate) fn poll(&mut self, life: &Life, cx: &mut Context<'_>) -> Poll<CloseReason> {
        match (life.asked(), &self.deadline) {
            // By far the most often.
            (Ask::Nothing, None) => Poll::Pending,
            (asked, _) => self.poll_asked(asked, cx),
        }
    }

    fn poll_asked(&mut self, asked: Ask, cx: &mut Context<'_>) -> Poll<CloseReason> {
        match asked {
            Ask::Nothing => {}
            Ask::Drain => {
                if !std::mem::replace(&mut self.draining, true)
                    && let Some(left) = self.drain().time_left(self.comes_back)
                {
                    self.within(left, CloseReason::Shutdown);
                }
            }
            Ask::End => return Poll::Ready(CloseReason::Shutdown),
        }
        let Some(deadline) = &mut self.deadline else {
            return Poll::Pending;
        };
        let at = deadline.at;
        let timer = deadline
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(at)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(deadline.reason)
    }

    /// Whether [`poll`](Self::poll) has something new to look at.
    pub(crate) fn is_asked(&self, life: &Life) -> bool {
        match life.asked() {
            Ask::Nothing => false,
            Ask::Drain => !self.draining,
            Ask::End => true,
        }
    }

    /// The last bytes of a stream that ends for `reason`: a hint when to come back, and the
    /// last event of a shutdown. Returns whether that event is a terminal one.
    pub(crate) fn write(&self, reason: CloseReason, load: &Load, buffer: &mut EventBuffer) -> bool {
        self.write_inside(load, buffer);
        match &self.settings.goodbye {
            Some(goodbye) if reason == CloseReason::Shutdown => {
                buffer.write(goodbye).expect("a block is encoded already");
                if goodbye.events() == 0 {
                    buffer.empty_line();
                }
                goodbye.is_terminal()
            }
            _ => {
                buffer.empty_line();
                false
            }
        }
    }

    /// The last line of a stream that ends inside an event: the hint alone, because the empty
    /// line of a last event would make clients take what there is for a whole event.
    pub(crate) fn write_inside(&self, load: &Load, buffer: &mut EventBuffer) {
        buffer.open_stream(Some(away(self.settings.reconnect.as_ref(), load)));
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    fn drain(&self) -> Drain {
        self.settings.drain.unwrap_or_default()
    }

    fn within(&mut self, left: Duration, reason: CloseReason) {
        // A time that no clock can hold is never.
        if let Some(at) = Instant::now().checked_add(left) {
            self.at(at, reason);
        }
    }

    fn at(&mut self, at: Instant, reason: CloseReason) {
        let earliest = self.deadline.as_ref().map(|deadline| deadline.at);
        if earliest.is_none_or(|earliest| at < earliest) {
            self.deadline = Some(Box::new(Deadline {
                at,
                reason,
                timer: None,
            }));
        }
    }
}

/// The first lines of a stream: a retry hint, and the interval of the keep-alive. Returns
/// whether an event must still follow to end the block of the hint.
pub(crate) fn write_opening(settings: &Settings, life: &Life, buffer: &mut EventBuffer) -> bool {
    if let Some(retry) = &settings.retry {
        buffer.open_stream(Some(retry.draw(&life.load())));
    }
    let advertised = settings.keep_alive().and_then(|it| it.advertised());
    if let Some(interval) = advertised {
        buffer.announce_keep_alive(interval);
    }
    settings.retry.is_some() && advertised.is_none()
}

/// The hint for a client that is sent away.
pub(crate) fn away(reconnect: Option<&Retry>, load: &Load) -> RetryDelay {
    const FIRST: Duration = Duration::from_secs(1);
    const LAST: Duration = Duration::from_secs(5);
    reconnect
        .cloned()
        .unwrap_or_else(|| Retry::between(FIRST, LAST))
        .draw(load)
}
