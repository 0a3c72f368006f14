//! When to say something although there is nothing to say.

use std::mem;
use std::ops::Range;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sse_core::Block;
use tokio::time::Instant;

use crate::clock;
use crate::keep_alive::KeepAlive;
use crate::signal::Signal;

/// Watches for silence on one stream; polled only while there is nothing to send.
#[derive(Debug)]
pub(crate) struct Silence {
    whose: Whose,
    /// Drawn anew for each keep-alive.
    wait: Option<Duration>,
    /// Set per frame, so that a busy stream never reads the clock.
    active: bool,
    /// The last that was sent was our keep-alive.
    spoken: bool,
    deadline: Option<Instant>,
    /// The clock is asked again only when it has rung: most often the stream has been active
    /// since.
    will_ring: bool,
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
    /// How long to wait, in intervals: drawn anew each time. The clock may add a 32nd.
    fn share(self) -> Range<f64> {
        match self {
            Self::Ours => 0.9..1.06,
            Self::Foreign => 1.2..1.35,
            Self::BeyondALayer => 1.6..1.9,
        }
    }
}

impl Silence {
    pub(crate) fn new(whose: Whose) -> Self {
        Self {
            whose,
            wait: None,
            active: true,
            spoken: false,
            deadline: None,
            will_ring: false,
        }
    }

    /// Something was sent.
    pub(crate) fn broken(&mut self) {
        self.active = true;
    }

    /// The stream, which is not ours, brings `chunk` by itself.
    pub(crate) fn brings(&mut self, chunk: &[u8]) {
        if chunk.is_empty() || !mem::take(&mut self.spoken) {
            return;
        }
        // Both have spoken: there is a layer inside although nothing else showed it.
        if is_comments(chunk) {
            self.whose = Whose::BeyondALayer;
            self.wait = None;
        }
    }

    /// Ready with what to send when the silence has lasted for the interval.
    pub(crate) fn poll(
        &mut self,
        keep_alive: Option<&KeepAlive>,
        signal: &Arc<Signal>,
    ) -> Poll<Block> {
        let Some(keep_alive) = keep_alive else {
            return Poll::Pending;
        };
        let whose = match self.whose {
            // What was promised to the client is kept, at the price of two at times.
            Whose::BeyondALayer if keep_alive.advertised().is_some() => Whose::Foreign,
            whose => whose,
        };
        let draw = || keep_alive.interval(&whose.share());
        let wait = *self.wait.get_or_insert_with(draw);
        // One clock reading per quiet spell, none per event.
        let was_active = mem::take(&mut self.active);
        let deadline = self.deadline.filter(|_| !was_active);
        let deadline = deadline.unwrap_or_else(|| Instant::now() + wait);
        self.deadline = Some(deadline);
        if self.will_ring && !signal.take_rung() {
            return Poll::Pending;
        }
        let now = Instant::now();
        if now < deadline {
            self.will_ring = clock::ring_at(deadline, signal);
            return Poll::Pending;
        }
        let wait = draw();
        (self.wait, self.deadline) = (Some(wait), Some(now + wait));
        self.will_ring = clock::ring_at(now + wait, signal);
        self.spoken = true;
        Poll::Ready(keep_alive.block())
    }
}

/// Whether a chunk that begins a line has nothing but comments.
fn is_comments(chunk: &[u8]) -> bool {
    let mut lines = chunk.split(|byte| matches!(byte, b'\r' | b'\n'));
    lines.all(|line| line.is_empty() || line.starts_with(b":"))
}
