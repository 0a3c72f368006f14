//! The service of the layer: what it decides before the handler runs.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderValue, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::Shared;
use super::answer::Answer;
use super::caps::Place;
use super::future::{ResponseFuture, SseBody};
use crate::context::RequestContext;
use crate::extract::{LAST_EVENT_ID, is_absent};

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
    ResBody: Body,
{
    type Response = Response<SseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let shared = &self.shared;
        if !shared.query.is_empty() {
            id_from_query(&mut request, &shared.query);
        }
        let context = RequestContext::of(&request);
        if shared.settings.end_marker != Some(false) && context.is_past_the_end() {
            return ResponseFuture::answer(Answer::NoContent);
        }
        let (request, places) = places(request, shared);
        // Who takes nothing but a stream is refused before the handler has done any work.
        let asks = context.wants_a_stream();
        if asks && (shared.is_full() || places.iter().any(|place| place.is_full())) {
            return ResponseFuture::answer(shared.later(&context));
        }
        let called = self.inner.call(request);
        ResponseFuture::called(called, context, places, Arc::clone(shared))
    }
}

/// Where each limit would count the stream.
fn places<B>(request: Request<B>, shared: &Shared) -> (Request<B>, Vec<Box<dyn Place>>) {
    if shared.caps.is_empty() {
        return (request, Vec::new());
    }
    let (parts, body) = request.into_parts();
    let caps = shared.caps.iter();
    let places = caps.filter_map(|cap| cap.place(&parts)).collect();
    (Request::from_parts(parts, body), places)
}

/// Writes the header that the client could not: every handler then finds the id where it is.
fn id_from_query<B>(request: &mut Request<B>, names: &[String]) {
    if !is_absent(request.headers()) {
        return;
    }
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let id = pairs.find(|(name, id)| names.iter().any(|ours| ours == name) && !id.is_empty());
    // A value that no header may hold was no id of ours.
    if let Some((_, id)) = id
        && let Ok(id) = HeaderValue::from_bytes(id.as_bytes())
    {
        request.headers_mut().insert(LAST_EVENT_ID, id);
    }
}
