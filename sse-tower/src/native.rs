//! How a layer reaches a stream whose response it sees but whose body it cannot open.
//!
//! A response that carries event streams has a [`Control`] among its extensions. The body reads
//! its settings at its first poll; until then every layer on the way out may add some.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;
use sse_core::{Block, BoxError};
use tokio::time::Instant;

use crate::body::{Batch, BoxSource, Ending, Filled};
use crate::context::RequestContext;
use crate::registry::Membership;
use crate::settings::SharedSettings;

/// Configures the body of one response from outside, until it begins or is dropped.
#[derive(Clone)]
pub struct Control(Arc<Mutex<Option<Plan>>>);

/// What a body needs to begin.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) settings: SharedSettings,
    /// What the innermost layer saw of the request.
    pub(crate) context: Option<RequestContext>,
    /// The place of the stream in each layer, the innermost first.
    pub(crate) layers: Vec<Membership>,
    /// The events, unless the body is not ours.
    pub(crate) source: Option<BoxSource>,
    /// When the stream has to end.
    pub(crate) expires: Option<Instant>,
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
        Self(Arc::new(Mutex::new(Some(plan))))
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
    /// `None` if the body has begun, or is not ours. The body is empty afterwards.
    #[must_use]
    pub fn take_blocks(&self) -> Option<BlockStream> {
        let source = self.lock().as_mut()?.source.take()?;
        Some(BlockStream {
            source: Some(source),
            batch: Batch::single(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Plan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.take();
    }
}

/// The events of a response, each encoded.
pub struct BlockStream {
    source: Option<BoxSource>,
    batch: Batch,
}

impl Stream for BlockStream {
    type Item = Result<Block, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(block) = this.batch.take_block() {
                return Poll::Ready(Some(Ok(block)));
            }
            let Some(source) = &mut this.source else {
                return Poll::Ready(None);
            };
            match std::task::ready!(source.as_mut().poll_fill(cx, &mut this.batch)) {
                Filled::More if this.batch.is_empty() => {
                    // Only events that leave no bytes: let others run.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Filled::More => {}
                Filled::Over(_) => this.source = None,
                Filled::Failed(error) => {
                    this.source = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl fmt::Debug for BlockStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockStream").finish_non_exhaustive()
    }
}
