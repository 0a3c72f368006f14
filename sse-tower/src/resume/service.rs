//! The service of the layer: attach, or call the handler.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use sse_core::BoxError;
use tower_service::Service;

use super::gap::RunGap;
use super::key::ScopedRunKey;
use super::pump::pump;
use super::run::Run;
use super::runs::{Ask, Found, Starting};
use super::{Shared, answer, events};
use crate::context::RequestContext;
use crate::extract::is_absent;
use crate::layer::answer::Answered;
use crate::layer::{headers, is_encoded};
use crate::native::Control;

/// The service that [`ResumeLayer`](crate::ResumeLayer) makes.
#[derive(Clone)]
pub struct ResumeService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> ResumeService<S> {
    pub(super) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S: fmt::Debug> fmt::Debug for ResumeService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ResumeService<S>
where
    S: Service<Request<ReqBody>, Response = http::Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    ReqBody: Send + 'static,
    ResBody: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // The one that is ready is used up; what stays is to be asked again.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let shared = Arc::clone(&self.shared);
        let (parts, body) = request.into_parts();
        let Some(key) = key_of(&parts, &shared) else {
            let response = inner.call(Request::from_parts(parts, body));
            return Box::pin(async move { Ok(response.await?.map(Body::new)) });
        };
        Box::pin(async move {
            let room = match look(&shared, &key, &parts).await {
                Ok(room) => room,
                Err(answer) => return Ok(answer),
            };
            let response = inner.call(Request::from_parts(parts, body)).await?;
            Ok(start(room, response))
        })
    }
}

/// The key of a request that may have a stream to come back to.
fn key_of(parts: &Parts, shared: &Shared) -> Option<ScopedRunKey> {
    let no_stream = matches!(parts.method, Method::HEAD | Method::OPTIONS);
    (!no_stream).then(|| (shared.key)(parts)).flatten()
}

/// What becomes of a stream that the handler answers with.
enum Room {
    /// A run.
    Free(Starting),
    /// This is answered in its place.
    Full(Response),
}

/// Looks for the run until there is an answer, or the handler is to be called.
async fn look(shared: &Shared, key: &ScopedRunKey, parts: &Parts) -> Result<Room, Response> {
    let context = RequestContext::new(&parts.method, &parts.headers);
    // What is too long to be an id is one that cannot be read.
    let after = (!is_absent(&parts.headers))
        .then(|| context.last_event_id().and_then(|id| id.parse().ok()));
    let ask = Ask {
        resumes: after.is_some() || context.is_get(),
        after,
    };
    loop {
        return Err(match shared.runs.find(key, &ask) {
            Found::Starting(mut over) => {
                // It is over when this fails.
                let _ = over.changed().await;
                continue;
            }
            Found::Nothing(starting) => return Ok(Room::Free(starting)),
            Found::Attached(events) => events.respond(None),
            Found::Gap(gap, rest) => match &shared.on_gap {
                Some(on_gap) => on_gap(parts, RunGap { gap, rest }),
                None => answer::gap(),
            },
            Found::Complete => answer::complete(),
            Found::Running => answer::running(),
            Found::Full => {
                let full = answer::full(context.accepts_event_streams());
                if !context.wants_a_stream() {
                    // The handler may have something else to say, for which there is room.
                    return Ok(Room::Full(full));
                }
                full
            }
        });
    }
}

/// Makes a run of the response, if it is an event stream.
fn start<B>(room: Room, response: http::Response<B>) -> Response
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let is_stream = response.status() == StatusCode::OK
        && headers::says_event_stream(response.headers())
        && response.extensions().get::<Answered>().is_none()
        && !is_encoded(&response);
    if !is_stream {
        return response.map(Body::new);
    }
    let starting = match room {
        Room::Free(starting) => starting,
        Room::Full(full) => return full,
    };
    let (mut parts, body) = response.into_parts();
    let taken = parts.extensions.get().and_then(Control::take);
    let (events, settings, expires): (events::Events, _, _) = match taken {
        Some(taken) => (Box::pin(taken.blocks), taken.settings, taken.expires),
        None => (
            events::cut(body, starting.limits()),
            Default::default(),
            None,
        ),
    };
    let run = Arc::new(Run::new(starting.keep(), settings));
    // Attached before there is anything to read, so there is nothing that it could miss.
    let first = run.attach_to_rest().respond(expires);
    let (runs, key) = starting.install(Arc::clone(&run));
    tokio::spawn(pump(runs, key, run, events));

    let (ours, body) = first.into_parts();
    parts.extensions.extend(ours.extensions);
    headers::fill(&mut parts.headers);
    Response::from_parts(parts, body)
}
