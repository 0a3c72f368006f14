//! How a layer reaches a stream whose response it sees but whose body it cannot open.
//!
//! A response that carries event streams has a [`Control`] among its extensions. The body reads
//! its settings at its first poll; until then every layer on the way out may add some.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use sse_core::{Block, BoxError};
use tokio::time::Instant;

use crate::body::{Batch, BoxSource, Ending, MaybeBatch};
use crate::context::RequestContext;
use crate::life::{CloseReason, Life, OnClose, within};
use crate::registry::Layers;
use crate::settings::SharedSettings;
use crate::signal::Signal;

/// Configures the body of one response from outside, until it begins or is dropped.
#[derive(Clone)]
pub struct Control {
    plan: Arc<Mutex<Option<Plan>>>,
    /// How the body is reached, also once it has begun.
    signal: Arc<Signal>,
}

/// What a body needs to begin.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) settings: SharedSettings,
    /// What the innermost layer saw of the request.
    pub(crate) context: Option<RequestContext>,
    pub(crate) layers: Layers,
    /// The events, unless the body is not ours.
    pub(crate) source: Option<BoxSource>,
    /// When the stream has to end.
    pub(crate) expires: Option<Instant>,
    /// Who is told of the end: of the body, or of the run that its events became.
    pub(crate) on_close: Option<OnClose>,
}

impl Plan {
    /// When the stream has to end, other than by itself.
    pub(crate) fn ending(&self) -> Ending {
        let comes_back = self.context.as_ref().is_none_or(RequestContext::is_get);
        Ending::new(self.settings.clone(), comes_back, self.expires)
    }
}

impl Control {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            plan: Arc::new(Mutex::new(Some(plan))),
            signal: Arc::default(),
        }
    }

    pub(crate) fn signal(&self) -> &Arc<Signal> {
        &self.signal
    }

    /// Whether the body still waits to begin; if not, it is out of reach.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    pub(crate) fn configure(&self, change: impl FnOnce(&mut Plan)) {
        if let Some(plan) = &mut *self.lock() {
            change(plan);
        }
    }

    /// Takes the events out as encoded blocks, one event each, without keep-alive and hints.
    ///
    /// `None` if the body has begun, or is not ours. The body is empty afterwards, and what was
    /// to be told of its end is told of the end of the blocks.
    #[must_use]
    pub fn take_blocks(&self) -> Option<BlockStream> {
        self.take().map(|taken| taken.blocks)
    }

    /// Takes the events out, and what the handler decided about the response.
    pub(crate) fn take(&self) -> Option<Taken> {
        let mut plan = self.lock();
        let plan = plan.as_mut()?;
        let source = plan.source.take()?;
        Some(Taken {
            blocks: BlockStream {
                source: Some(source),
                batch: Some(Box::new(Batch::single())),
                life: Life::new(Arc::default(), plan.on_close.take()),
                begun: false,
            },
            settings: std::mem::take(&mut plan.settings),
            expires: plan.expires.take(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

/// The body's side of a [`Control`], of which there may be copies that outlive the body.
pub(crate) struct Waiting(Control);

impl Waiting {
    pub(crate) fn new(control: Control) -> Self {
        Self(control)
    }

    /// What was decided; what is decided later has no effect.
    pub(crate) fn begin(&mut self) -> Plan {
        self.take().unwrap_or_default()
    }

    fn take(&mut self) -> Option<Plan> {
        self.0.lock().take()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // A response that was never sent is over too.
        let on_close = self.take().and_then(|plan| plan.on_close);
        if on_close.is_some() {
            drop(Life::new(Arc::default(), on_close));
        }
    }
}

/// What [`Control::take`] takes.
pub(crate) struct Taken {
    pub(crate) blocks: BlockStream,
    pub(crate) settings: SharedSettings,
    pub(crate) expires: Option<Instant>,
}

/// The events of a response, each encoded.
pub struct BlockStream {
    source: Option<BoxSource>,
    batch: MaybeBatch,
    life: Life,
    begun: bool,
}

impl BlockStream {
    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Block, BoxError>>> {
        loop {
            if let Some(block) = self.batch.as_mut().and_then(|batch| batch.take_block()) {
                if let Some(id) = block.last_id() {
                    self.life.sent_id(id.as_str());
                }
                self.life.sent(block.events().into(), block.bytes().len());
                return Poll::Ready(Some(Ok(block)));
            }
            let Some(source) = &mut self.source else {
                return Poll::Ready(None);
            };
            let filled = ready!(source.as_mut().poll_fill(cx, &mut self.batch));
            match filled.settle(&mut self.batch) {
                None if self.batch.as_ref().is_none_or(|batch| batch.is_empty()) => {
                    // Only events that leave no bytes: let others run.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                None => {}
                Some(Ok(reason)) => {
                    self.source = None;
                    self.life.ended(reason);
                }
                Some(Err(error)) => {
                    self.source = None;
                    self.life.ended(CloseReason::of_failure(&error));
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl Stream for BlockStream {
    type Item = Result<Block, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.begun, true) {
            this.life.begin(Layers::default());
        }
        this.life.poll_begins();
        let polled = within(this.life.span(), || this.poll_block(cx));
        this.life.poll_ends();
        polled
    }
}

impl fmt::Debug for BlockStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockStream").finish_non_exhaustive()
    }
}
