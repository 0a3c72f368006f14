//! The body of a stream of ours.

use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use sse_core::BoxError;

use crate::body::batch::{Batch, MaybeBatch};
use crate::body::ending::{Ending, write_opening};
use crate::body::silence::{Silence, Whose};
use crate::body::source::{BoxSource, Filled};
use crate::context::RequestContext;
use crate::ids::IdAssigner;
use crate::life::{CloseReason, Life, within};
use crate::native::{Control, Plan, Waiting};

/// Sends events in batches, with what belongs around them.
///
/// Whole events are written at a time, so every frame ends between two of them.
pub(crate) struct NativeBody {
    stage: Stage,
    batch: MaybeBatch,
    life: Life,
    ending: Ending,
    silence: Silence,
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

/// Headers and proxies wait for the first byte.
const OPENING: Bytes = Bytes::from_static(b":\n");

impl NativeBody {
    pub(crate) fn new(control: Control) -> Self {
        let life = Life::new(Arc::clone(control.signal()), None);
        Self {
            stage: Stage::Planned(Waiting::new(control)),
            batch: None,
            life,
            ending: Ending::default(),
            silence: Silence::new(Whose::Ours),
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        if let Stage::Planned(waiting) = &mut self.stage {
            let mut plan = waiting.begin();
            self.life.tell(plan.on_close.take());
            let layers = mem::take(&mut plan.layers);
            self.life.begin(layers);
            self.ending = plan.ending();
            (self.stage, self.batch) = begin(plan, &self.life);
        }
        loop {
            if let Some(batch) = &mut self.batch
                && let Some(bytes) = batch.take_frame(&mut self.life)
            {
                if let Stage::Open(open) = &mut self.stage {
                    open.started = true;
                }
                self.silence.broken();
                return Poll::Ready(Some(Ok(bytes)));
            }
            let Stage::Open(open) = &mut self.stage else {
                return match mem::replace(&mut self.stage, Stage::Ended) {
                    // A body that fails makes hyper drop what it has not written yet, the head
                    // included: without a pause, a client would not see what came before.
                    Stage::Failing(error) => {
                        self.stage = Stage::Failed(error);
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Stage::Failed(error) => Poll::Ready(Some(Err(error))),
                    _ => Poll::Ready(None),
                };
            };
            if let Poll::Ready(reason) = self.ending.poll(&self.life, cx) {
                let load = self.life.load();
                let buffer = self.batch.get_or_insert_default().behind();
                if self.ending.write(reason, &load, buffer) && open.end_marker {
                    buffer.end_stream();
                }
                self.life.ended(reason);
                self.stage = Stage::Ended;
                continue;
            }
            match open.source.as_mut().poll_fill(cx, &mut self.batch) {
                // Most often it is a frame as it is.
                Poll::Ready(Filled::Block(block, waited))
                    if self.batch.is_none()
                        && !block.bytes().is_empty()
                        && !block.is_terminal() =>
                {
                    open.started = true;
                    self.silence.broken();
                    return Poll::Ready(Some(Ok(self.life.sent_block(block, waited))));
                }
                Poll::Ready(filled) => match filled.settle(&mut self.batch) {
                    // Only events that leave no bytes: others run, and clients hear of us.
                    None if is_empty(&self.batch) => cx.waker().wake_by_ref(),
                    None => continue,
                    Some(Ok(reason)) => {
                        let batch = self.batch.get_or_insert_default();
                        open.end(batch, &self.life);
                        self.life.ended(reason);
                        self.stage = Stage::Ended;
                        continue;
                    }
                    Some(Err(error)) => {
                        self.life.ended(reason(&error));
                        self.stage = Stage::Failing(error);
                        continue;
                    }
                },
                Poll::Pending if !is_empty(&self.batch) => continue,
                Poll::Pending => {
                    self.batch.take_if(|batch| batch.rest());
                }
            }
            if !open.started {
                open.started = true;
                self.life.sent(0, OPENING.len());
                return Poll::Ready(Some(Ok(OPENING)));
            }
            self.life.watch(cx);
            if self.ending.is_asked(&self.life) {
                continue;
            }
            let keep_alive = self.ending.settings().keep_alive();
            let block = ready!(self.silence.poll(keep_alive, self.life.signal()));
            return Poll::Ready(Some(Ok(self.life.sent_block(block, None))));
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
        let this = &mut *self;
        this.life.poll_begins();
        let polled = within(this.life.span(), || this.poll_bytes(cx));
        this.life.poll_ends();
        polled.map(|item| item.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.stage, Stage::Ended) && is_empty(&self.batch)
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            SizeHint::with_exact(0)
        } else {
            SizeHint::default()
        }
    }
}

fn is_empty(batch: &MaybeBatch) -> bool {
    batch.as_ref().is_none_or(|batch| batch.is_empty())
}

/// Fixes the settings and writes the opening lines.
fn begin(plan: Plan, life: &Life) -> (Stage, MaybeBatch) {
    let Plan {
        settings,
        context,
        source,
        ..
    } = plan;
    // Without a source, its events were taken to be sent in another response.
    let Some(source) = source else {
        return (Stage::Ended, None);
    };
    let mut batch = Batch::default();
    batch.ids = IdAssigner::new(settings.ids.clone(), context.as_ref());
    let hint = write_opening(&settings, life, &mut batch.buffer);
    if hint {
        batch.begins_with_hint();
    }
    let open = Open {
        source,
        // The context is there if a layer is, which is what answers the marker.
        end_marker: settings.end_marker != Some(false)
            && context.as_ref().is_some_and(RequestContext::may_reconnect),
        hint,
        started: false,
    };
    let batch = batch.is_needed().then(|| Box::new(batch));
    (Stage::Open(open), batch)
}

impl Open {
    /// The stream is over: what is left to say.
    fn end(&self, batch: &mut Batch, life: &Life) {
        if batch.is_terminal() && self.end_marker {
            batch.behind().end_stream();
        } else if self.hint && batch.total() == 0 && life.events() == 0 {
            batch.buffer.empty_line();
        }
    }
}

/// Why a stream that failed is over; what is somebody's mistake is logged.
fn reason(error: &BoxError) -> CloseReason {
    let reason = CloseReason::of_failure(error);
    if reason == CloseReason::Error {
        tracing::error!(error = %Causes(&**error), "event stream failed");
    }
    reason
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
