//! The body of a stream of ours.

use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sse_core::BoxError;

use crate::body::ending::{Ending, write_opening};
use crate::body::silence::{Silence, Whose};
use crate::body::source::{Batch, BoxSource, Filled};
use crate::context::RequestContext;
use crate::ids::IdAssigner;
use crate::life::{CloseReason, Life};
use crate::native::{Control, Plan, Waiting};
use crate::settings::SharedSettings;
use crate::topic::Lagged;

pin_project! {
    /// Sends events in batches, with what belongs around them.
    ///
    /// Whole events are written at a time, so every frame ends between two of them.
    pub(crate) struct NativeBody {
        stage: Stage,
        batch: Batch,
        life: Life,
        ending: Ending,
        #[pin]
        silence: Silence,
    }
}

enum Stage {
    /// Not polled yet: layers may still change the settings.
    Planned(Waiting),
    Open(Open),
    /// The batch goes out, and the server gets a turn to send it.
    Failing(BoxError),
    /// The error comes next.
    Failed(BoxError),
    /// The batch goes out, then nothing ever.
    Ended,
}

struct Open {
    source: BoxSource,
    /// The client would come back after a terminal event, and can be told not to.
    end_marker: bool,
    /// The stream began with a retry hint.
    hint: bool,
    /// A frame was sent.
    started: bool,
}

impl NativeBody {
    pub(crate) fn new(control: Control, life: Life) -> Self {
        Self {
            stage: Stage::Planned(Waiting::new(control)),
            batch: Batch::new(IdAssigner::default()),
            life,
            ending: Ending::default(),
            silence: Silence::new(SharedSettings::default(), Whose::Ours),
        }
    }

    fn poll_bytes(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        let mut this = self.project();

        if let Stage::Planned(waiting) = this.stage {
            let mut plan = waiting.begin();
            this.life.tell(plan.on_close.take());
            this.life.begin(mem::take(&mut plan.layers));
            *this.ending = plan.ending();
            this.silence
                .set(Silence::new(plan.settings.clone(), Whose::Ours));
            (*this.stage, *this.batch) = begin(plan, this.life);
        }
        loop {
            if !this.batch.is_empty()
                && let Some(bytes) = this.batch.take_frame(this.life)
            {
                if let Stage::Open(open) = this.stage {
                    open.started = true;
                }
                this.silence.as_mut().broken();
                return Poll::Ready(Some(Ok(bytes)));
            }
            let Stage::Open(open) = this.stage else {
                return match mem::replace(this.stage, Stage::Ended) {
                    // A body that fails makes hyper drop what it has not written yet, the head
                    // included: without a pause, a client would not see what came before.
                    Stage::Failing(error) => {
                        *this.stage = Stage::Failed(error);
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Stage::Failed(error) => Poll::Ready(Some(Err(error))),
                    _ => Poll::Ready(None),
                };
            };
            if let Poll::Ready(reason) = this.ending.poll(this.life, cx) {
                let load = this.life.load();
                let buffer = this.batch.behind();
                if this.ending.write(reason, &load, buffer) && open.end_marker {
                    buffer.end_stream();
                }
                this.life.ended(reason);
                *this.stage = Stage::Ended;
                continue;
            }
            match open.source.as_mut().poll_fill(cx, this.batch) {
                Poll::Ready(Filled::More) if this.batch.is_empty() => {
                    // Only events that leave no bytes: let others run.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Filled::More) => {}
                Poll::Ready(Filled::Over(reason)) => {
                    open.end(this.batch);
                    this.life.ended(reason);
                    *this.stage = Stage::Ended;
                }
                Poll::Ready(Filled::Failed(error)) => {
                    this.life.ended(reason(&error));
                    *this.stage = Stage::Failing(error);
                }
                Poll::Pending if !this.batch.is_empty() => {}
                // Headers and proxies wait for the first byte.
                Poll::Pending if !open.started => this.batch.buffer.open_stream(None),
                Poll::Pending => {
                    this.batch.rest();
                    this.life.watch(cx);
                    if this.ending.is_asked(this.life) {
                        continue;
                    }
                    let comment = ready!(this.silence.as_mut().poll(cx));
                    this.life.sent(0, comment.len());
                    return Poll::Ready(Some(Ok(comment)));
                }
            }
        }
    }
}

impl Body for NativeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let span = self.as_mut().project().life.poll_begins();
        let polled = self.as_mut().poll_bytes(cx);
        drop(span);
        self.project().life.poll_ends();
        polled.map(|item| item.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.stage, Stage::Ended) && self.batch.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            SizeHint::with_exact(0)
        } else {
            SizeHint::default()
        }
    }
}

/// Fixes the settings and writes the opening lines.
fn begin(plan: Plan, life: &Life) -> (Stage, Batch) {
    let Plan {
        settings,
        context,
        source,
        ..
    } = plan;
    // Without a source, its events were taken to be sent in another response.
    let Some(source) = source else {
        return (Stage::Ended, Batch::new(IdAssigner::default()));
    };
    let ids = IdAssigner::new(settings.ids.clone(), context.as_ref());
    let mut batch = Batch::new(ids);
    let open = Open {
        source,
        // The context is there if a layer is, which is what answers the marker.
        end_marker: settings.end_marker != Some(false)
            && context.as_ref().is_some_and(RequestContext::may_reconnect),
        hint: write_opening(&settings, life, &mut batch.buffer),
        started: false,
    };
    (Stage::Open(open), batch)
}

impl Open {
    /// The stream is over: what is left to say.
    fn end(&self, batch: &mut Batch) {
        if batch.is_terminal() && self.end_marker {
            batch.behind().end_stream();
        } else if self.hint && batch.total() == 0 {
            batch.buffer.empty_line();
        }
    }
}

/// Why a stream that failed is over; what is somebody's mistake is logged.
fn reason(error: &BoxError) -> CloseReason {
    if error.is::<Lagged>() {
        return CloseReason::Lagged;
    }
    tracing::error!(error = %Causes(&**error), "event stream failed");
    CloseReason::Error
}

/// An error with its causes, for the log.
struct Causes<'a>(&'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        match self.0.source() {
            Some(cause) => write!(f, ": {}", Causes(cause)),
            None => Ok(()),
        }
    }
}
