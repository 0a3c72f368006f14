//! The service of the layer: what it decides before the handler runs.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::Shared;
use super::future::{ResponseFuture, SseBody};
use crate::context::RequestContext;

/// The service that [`SseLayer`](crate::SseLayer) makes.
#[derive(Clone, Debug)]
pub struct SseService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> SseService<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SseService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<SseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let context = RequestContext::of(&request);
        if self.shared.settings.end_marker != Some(false) && context.is_past_the_end() {
            return ResponseFuture::past_the_end();
        }
        ResponseFuture::new(self.inner.call(request), context, Arc::clone(&self.shared))
    }
}
