//! What the layer does with a response.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{Shared, headers};
use crate::body::ForeignBody;
use crate::context::RequestContext;
use crate::native::{Control, Plan};

pin_project! {
    /// The future of [`SseService`](crate::SseService).
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F> {
        Called {
            #[pin]
            inner: F,
            context: RequestContext,
            shared: Arc<Shared>,
        },
        PastTheEnd,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, context: RequestContext, shared: Arc<Shared>) -> Self {
        Self {
            state: State::Called {
                inner,
                context,
                shared,
            },
        }
    }

    pub(super) fn past_the_end() -> Self {
        Self {
            state: State::PastTheEnd,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<SseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Called {
                inner,
                context,
                shared,
            } => {
                let response = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(dress(response, context, shared)))
            }
            StateProj::PastTheEnd => Poll::Ready(Ok(no_content())),
        }
    }
}

/// Gives a response what the layer promises, if it is an event stream.
fn dress<B>(
    mut response: Response<B>,
    context: &RequestContext,
    shared: &Shared,
) -> Response<SseBody<B>> {
    let is_stream =
        response.status() == StatusCode::OK && headers::says_event_stream(response.headers());
    if !is_stream {
        return response.map(SseBody::pass);
    }
    let control = response.extensions().get::<Control>().cloned();
    let foreign = control.is_none();
    headers::fill(response.headers_mut());
    // A stream of ours is configured where it begins, before anything encodes it.
    if context.is_head() || (foreign && is_encoded(&response)) {
        return response.map(SseBody::pass);
    }
    let control = control.unwrap_or_else(|| Control::new(Plan::default()));
    control.configure(|plan| {
        plan.settings.fill(&shared.settings);
        plan.context.get_or_insert_with(|| context.clone());
        plan.live.push(shared.registry.open());
    });
    if !foreign {
        return response.map(SseBody::pass);
    }
    // A layer further out configures the same body instead of wrapping it again.
    response.extensions_mut().insert(control.clone());
    response.map(|body| SseBody::foreign(body, control))
}

fn is_encoded<B>(response: &Response<B>) -> bool {
    let encodings = response.headers().get_all(CONTENT_ENCODING);
    encodings
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The client has seen the end: an `EventSource` stops for good after a 204.
fn no_content<B>() -> Response<SseBody<B>> {
    let mut response = Response::new(SseBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pin_project! {
    /// The body of a response that came through [`SseLayer`](crate::SseLayer).
    pub struct SseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<B> {
        // An answer of the layer itself; `B` need not have an empty value.
        Empty,
        // Not an event stream, or one of ours, which does its own work.
        Pass { #[pin] body: B },
        Foreign { #[pin] body: ForeignBody<B> },
    }
}

impl<B> SseBody<B> {
    fn empty() -> Self {
        Self { kind: Kind::Empty }
    }

    fn pass(body: B) -> Self {
        Self {
            kind: Kind::Pass { body },
        }
    }

    fn foreign(body: B, control: Control) -> Self {
        let body = ForeignBody::new(body, control);
        Self {
            kind: Kind::Foreign { body },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for SseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProj::Empty => Poll::Ready(None),
            KindProj::Pass { body } => body.poll_frame(cx),
            KindProj::Foreign { body } => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Pass { body } => body.is_end_stream(),
            Kind::Foreign { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Pass { body } => body.size_hint(),
            Kind::Foreign { body } => body.size_hint(),
        }
    }
}

impl<B> std::fmt::Debug for SseBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.kind {
            Kind::Empty => "SseBody::Empty",
            Kind::Pass { .. } => "SseBody::Pass",
            Kind::Foreign { .. } => "SseBody::Foreign",
        })
    }
}
