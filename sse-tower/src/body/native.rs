//! The body of a stream of ours.

use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sse_core::BoxError;

use crate::body::silence::Silence;
use crate::body::source::{Batch, BoxSource, Filled};
use crate::context::RequestContext;
use crate::ids::IdAssigner;
use crate::native::{Control, Plan};
use crate::registry::{self, EndReason, LiveStream};

pin_project! {
    /// Sends events in batches, with what belongs around them.
    ///
    /// Whole events are written at a time, so every frame ends between two of them.
    pub(crate) struct NativeBody {
        stage: Stage,
        batch: Batch,
        live: Vec<LiveStream>,
        #[pin]
        silence: Silence,
    }
}

enum Stage {
    /// Not polled yet: layers may still change the settings.
    Planned(Control),
    Open(Open),
    /// The batch goes out, then the error.
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
    pub(crate) fn new(control: Control) -> Self {
        Self {
            stage: Stage::Planned(control),
            batch: Batch::new(IdAssigner::default()),
            live: Vec::new(),
            silence: Silence::new(None),
        }
    }
}

impl Body for NativeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();

        if let Stage::Planned(control) = this.stage {
            let plan = control.begin();
            this.silence.set(Silence::new(plan.settings.keep_alive()));
            (*this.stage, *this.batch, *this.live) = begin(plan);
        }
        loop {
            if let Some((bytes, events)) = this.batch.take_frame() {
                if let Stage::Open(open) = this.stage {
                    open.started = true;
                }
                this.silence.as_mut().broken();
                registry::count(this.live, events, bytes.len());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            let Stage::Open(open) = this.stage else {
                return Poll::Ready(match mem::replace(this.stage, Stage::Ended) {
                    Stage::Failed(error) => Some(Err(error)),
                    _ => None,
                });
            };
            if registry::asked_to_end(this.live) {
                *this.stage = open.end(EndReason::Shutdown, this.batch, this.live);
                continue;
            }
            match open.source.as_mut().poll_fill(cx, this.batch) {
                Poll::Ready(Filled::More) if this.batch.is_empty() => {
                    // Only events that leave no bytes: let others run.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Filled::More) => {}
                Poll::Ready(Filled::Terminal) => {
                    *this.stage = open.end(EndReason::Done, this.batch, this.live);
                }
                Poll::Ready(Filled::Ended) => {
                    *this.stage = open.end(EndReason::Ended, this.batch, this.live);
                }
                Poll::Ready(Filled::Failed(error)) => {
                    tracing::error!(error = %Chain(&*error), "event stream failed");
                    registry::ended(this.live, EndReason::Error);
                    *this.stage = Stage::Failed(error);
                }
                Poll::Pending if !this.batch.is_empty() => {}
                // Headers and proxies wait for the first byte.
                Poll::Pending if !open.started => this.batch.buffer.open_stream(None),
                Poll::Pending => {
                    this.batch.rest();
                    registry::watch(this.live, cx);
                    if registry::asked_to_end(this.live) {
                        continue;
                    }
                    let comment = std::task::ready!(this.silence.as_mut().poll(cx));
                    registry::count(this.live, 0, comment.len());
                    return Poll::Ready(Some(Ok(Frame::data(comment))));
                }
            }
        }
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

/// Fixes the settings and writes the opening line.
fn begin(plan: Plan) -> (Stage, Batch, Vec<LiveStream>) {
    let Plan {
        settings,
        context,
        live,
        source,
    } = plan;
    // Without a source, its events were taken to be sent in another response.
    let Some(source) = source else {
        return (Stage::Ended, Batch::new(IdAssigner::default()), live);
    };
    let ids = IdAssigner::new(settings.ids, context.as_ref());
    let mut batch = Batch::new(ids);
    let hint = settings.retry.map(|retry| retry.draw());
    if hint.is_some() {
        batch.buffer.open_stream(hint);
    }
    let open = Open {
        source,
        // The context is there if a layer is, which is what answers the marker.
        end_marker: settings.end_marker != Some(false)
            && context.as_ref().is_some_and(RequestContext::may_reconnect),
        hint: hint.is_some(),
        started: false,
    };
    (Stage::Open(open), batch, live)
}

impl Open {
    fn end(&self, reason: EndReason, batch: &mut Batch, live: &mut [LiveStream]) -> Stage {
        registry::ended(live, reason);
        if reason == EndReason::Done && self.end_marker {
            batch.end_stream();
        } else if self.hint && batch.total() == 0 {
            batch.buffer.empty_line();
        }
        Stage::Ended
    }
}

/// An error with its causes, for the log.
struct Chain<'a>(&'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        match self.0.source() {
            Some(cause) => write!(f, ": {}", Chain(cause)),
            None => Ok(()),
        }
    }
}
