//! A body that somebody else made.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sse_core::EventBuffer;
use tokio::time::{Instant, Sleep, sleep};

use crate::body::edit::{Edit, begin};
use crate::body::ending::Ending;
use crate::body::silence::{Silence, Whose};
use crate::life::{CloseReason, Life, within};
use crate::native::{Control, Waiting};

pin_project! {
    /// Passes an event stream on and adds to it between its events.
    ///
    /// Frames that nothing goes into are passed on as they are. The others are taken apart
    /// without a copy, but for pieces so short that another frame would cost more.
    pub(crate) struct ForeignBody<B>
    where
        B: Body,
    {
        #[pin]
        inner: B,
        stage: Stage<B::Error>,
        edit: Edit,
        life: Life,
        ending: Ending,
        silence: Silence,
        cut: Option<Cut>,
    }
}

enum Stage<E> {
    /// Not polled yet: layers further out may still change the settings.
    Planned {
        waiting: Waiting,
        kept_alive: bool,
    },
    Open,
    /// The error comes next.
    Failed(E),
    /// What is waiting goes out, then the trailers, then nothing ever.
    Ended(Option<HeaderMap>),
}

/// It ends for this reason, as soon as the event that is under way is complete.
struct Cut {
    reason: CloseReason,
    /// How long that may take. Only if it is under way.
    grace: Option<Pin<Box<Sleep>>>,
}

/// An event that is on its way arrives in less.
const GRACE: Duration = Duration::from_secs(1);

/// A body of frames that leave nothing to send must let others run too.
const MOST_FRUITLESS: usize = 64;

impl<B: Body> ForeignBody<B> {
    /// `kept_alive` if there probably is a layer inside.
    pub(crate) fn new(inner: B, control: Control, kept_alive: bool) -> Self {
        let life = Life::new(Arc::clone(control.signal()), None);
        Self {
            inner,
            stage: Stage::Planned {
                waiting: Waiting::new(control),
                kept_alive,
            },
            edit: Edit::default(),
            life,
            ending: Ending::default(),
            silence: Silence::new(Whose::Foreign),
            cut: None,
        }
    }
}

impl<B: Body<Data = Bytes>> ForeignBody<B> {
    fn poll_inner(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();

        if let Stage::Planned {
            waiting,
            kept_alive,
        } = this.stage
        {
            let mut plan = waiting.begin();
            let layers = mem::take(&mut plan.layers);
            this.life.begin(layers);
            *this.ending = plan.ending();
            let whose = if *kept_alive {
                Whose::BeyondALayer
            } else {
                Whose::Foreign
            };
            *this.silence = Silence::new(whose);
            *this.edit = begin(&plan, this.life);
            *this.stage = Stage::Open;
        }
        // Any bytes to send end this call, so only frames that leave none are counted.
        let mut fruitless = 0;
        loop {
            if let Some(bytes) = this.edit.out.pop_front() {
                this.silence.broken();
                this.edit.sent(bytes.len(), this.life);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if !matches!(this.stage, Stage::Open) {
                return Poll::Ready(match mem::replace(this.stage, Stage::Ended(None)) {
                    Stage::Failed(error) => Some(Err(error)),
                    Stage::Ended(trailers) => trailers.map(|it| Ok(Frame::trailers(it))),
                    Stage::Planned { .. } | Stage::Open => None,
                });
            }
            if this.cut.is_none()
                && let Poll::Ready(reason) = this.ending.poll(this.life, cx)
            {
                *this.cut = Some(Cut {
                    reason,
                    grace: None,
                });
            }
            if let Some(cut) = this.cut {
                let between = this.edit.scan.is_between_events();
                if between || cut.poll_grace(cx).is_ready() {
                    let mut last = EventBuffer::new();
                    let load = this.life.load();
                    if between {
                        this.ending.write(cut.reason, &load, &mut last);
                    } else {
                        this.edit.end_line();
                        this.ending.write_inside(&load, &mut last);
                    }
                    this.edit.events += u64::from(last.events());
                    if let Some(id) = last.last_id() {
                        this.life.sent_id(id);
                    }
                    this.edit.out.push_back(last.take());
                    this.life.ended(cut.reason);
                    *this.stage = Stage::Ended(None);
                    continue;
                }
            }
            match this.inner.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(mut frame))) => {
                    if let Some(chunk) = frame.data_mut() {
                        this.silence.brings(chunk);
                        if this.edit.pass(chunk, this.cut.is_some()) {
                            this.silence.broken();
                            this.edit.sent(chunk.len(), this.life);
                            return Poll::Ready(Some(Ok(frame)));
                        }
                        fruitless += 1;
                        if fruitless < MOST_FRUITLESS {
                            continue;
                        }
                        // Others run, and clients hear of us.
                        cx.waker().wake_by_ref();
                    } else {
                        // Nothing may follow them.
                        this.edit.end();
                        this.life.ended(CloseReason::Ended);
                        *this.stage = Stage::Ended(frame.into_trailers().ok());
                        continue;
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    // What it says, only those who know its type can tell.
                    tracing::error!("event stream failed");
                    this.life.ended(CloseReason::Error);
                    *this.stage = Stage::Failed(error);
                    // As in `NativeBody`: hyper first sends what came before it.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(None) => {
                    this.edit.end();
                    this.life.ended(CloseReason::Ended);
                    *this.stage = Stage::Ended(None);
                    continue;
                }
                Poll::Pending => this.edit.rest(),
            }
            this.life.watch(cx);
            if this.ending.is_asked(this.life) && this.cut.is_none() {
                continue;
            }
            if !this.edit.scan.is_between_events() {
                return Poll::Pending;
            }
            if !this.edit.started {
                // Headers and proxies wait for the first byte.
                this.edit.out.push_back(Bytes::from_static(b":\n"));
                continue;
            }
            let keep_alive = this.ending.settings().keep_alive();
            let block = ready!(this.silence.poll(keep_alive, this.life.signal()));
            let bytes = this.life.sent_block(block, None);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }
}

impl Cut {
    /// Ready when the event has taken too long.
    fn poll_grace(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let grace = self.grace.get_or_insert_with(|| Box::pin(sleep(GRACE)));
        // A body that is always ready may leave the timer no turn.
        if grace.deadline() <= Instant::now() {
            return Poll::Ready(());
        }
        grace.as_mut().poll(cx)
    }
}

impl<B: Body<Data = Bytes>> Body for ForeignBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let life = self.as_mut().project().life;
        life.poll_begins();
        let span = life.span();
        let polled = within(span, || self.as_mut().poll_inner(cx));
        self.project().life.poll_ends();
        polled
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.stage, Stage::Ended(None)) && self.edit.out.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            SizeHint::with_exact(0)
        } else {
            SizeHint::default()
        }
    }
}
