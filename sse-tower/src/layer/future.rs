//! What the layer does with a response.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::answer::{Answer, Answered};
use super::caps::Place;
use super::{Accept, Shared, headers};
use crate::body::ForeignBody;
use crate::context::RequestContext;
use crate::native::{Control, Plan};
use crate::registry::Membership;

pin_project! {
    /// The future of [`SseService`](crate::SseService).
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Called {
            #[pin]
            inner: F,
            context: RequestContext,
            places: Vec<Box<dyn Place>>,
            shared: Arc<Shared>,
        },
        Answer { answer: Option<Answer> },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn called(
        inner: F,
        context: RequestContext,
        places: Vec<Box<dyn Place>>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            state: State::Called {
                inner,
                context,
                places,
                shared,
            },
        }
    }

    pub(super) fn answer(answer: Answer) -> Self {
        let answer = Some(answer);
        Self {
            state: State::Answer { answer },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<SseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Called {
                inner,
                context,
                places,
                shared,
            } => {
                let response = ready!(inner.poll(cx))?;
                Poll::Ready(Ok(dress(response, context, mem::take(places), shared)))
            }
            StateProj::Answer { answer } => {
                let answer = answer.take().expect("a future is not polled after its end");
                Poll::Ready(Ok(answer.into_response()))
            }
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// Gives a response what the layer promises, if it is an event stream.
fn dress<B: Body>(
    mut response: Response<B>,
    context: &RequestContext,
    places: Vec<Box<dyn Place>>,
    shared: &Arc<Shared>,
) -> Response<SseBody<B>> {
    let is_stream = response.status() == StatusCode::OK
        && headers::says_event_stream(response.headers())
        && response.extensions().get::<Answered>().is_none();
    if !is_stream {
        return response.map(SseBody::pass);
    }
    if shared.accept == Accept::Strict && !context.tolerates_event_streams() {
        return Answer::NotAcceptable.into_response();
    }
    let control = response.extensions().get::<Control>();
    let control = control.filter(|control| control.is_open()).cloned();
    let foreign = control.is_none();
    // It may have come through a layer all the same: an extension is easily lost.
    let kept_alive = headers::are_filled(response.headers());
    headers::fill(response.headers_mut());
    if context.is_head() {
        return response.map(SseBody::pass);
    }
    let control = control.unwrap_or_else(|| Control::new(Plan::default()));
    let Some(place) = shared.enter(places, control.signal()) else {
        return shared.later(context).into_response();
    };
    // A stream of ours is configured where it begins, before anything encodes it.
    if foreign && is_encoded(&response) {
        return response.map(|body| SseBody::counted(body, place));
    }
    control.configure(|plan| {
        plan.settings.fill(&shared.settings);
        plan.context.get_or_insert_with(|| context.clone());
        plan.layers.push(place);
    });
    if !foreign {
        return response.map(SseBody::pass);
    }
    // A layer further out configures the same body instead of wrapping it again.
    response.extensions_mut().insert(control.clone());
    response.map(|body| SseBody::foreign(body, control, kept_alive))
}

pub(crate) fn is_encoded<B>(response: &Response<B>) -> bool {
    let encodings = response.headers().get_all(CONTENT_ENCODING);
    encodings
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

pin_project! {
    /// The body of a response that came through [`SseLayer`](crate::SseLayer).
    pub struct SseBody<B>
    where
        B: Body,
    {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    // Most streams are ours, so the others are boxed: each would carry their room for nothing.
    #[project = KindProj]
    enum Kind<B>
    where
        B: Body,
    {
        // An answer of the layer itself; `B` need not have such a value.
        Answer { bytes: Option<Box<Bytes>> },
        // Not an event stream, or one of ours, which does its own work.
        Pass { #[pin] body: B },
        // A stream that nothing can be added to, but which is open.
        Counted { counted: Pin<Box<Counted<B>>> },
        Foreign { body: Pin<Box<ForeignBody<B>>> },
    }
}

pin_project! {
    struct Counted<B> {
        #[pin]
        body: B,
        place: Membership,
    }
}

impl<B: Body> SseBody<B> {
    pub(super) fn answer(bytes: Bytes) -> Self {
        let bytes = (!bytes.is_empty()).then(|| Box::new(bytes));
        Self {
            kind: Kind::Answer { bytes },
        }
    }

    fn pass(body: B) -> Self {
        Self {
            kind: Kind::Pass { body },
        }
    }

    fn counted(body: B, place: Membership) -> Self {
        let counted = Box::pin(Counted { body, place });
        Self {
            kind: Kind::Counted { counted },
        }
    }

    fn foreign(body: B, control: Control, kept_alive: bool) -> Self {
        let body = Box::pin(ForeignBody::new(body, control, kept_alive));
        Self {
            kind: Kind::Foreign { body },
        }
    }
}

/// An empty body: what layers around this one, such as those for CORS and timeouts, answer with.
impl<B: Body> Default for SseBody<B> {
    fn default() -> Self {
        Self::answer(Bytes::new())
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
            KindProj::Answer { bytes } => Poll::Ready(bytes.take().map(|it| Ok(Frame::data(*it)))),
            KindProj::Pass { body } => body.poll_frame(cx),
            KindProj::Counted { counted } => counted.as_mut().project().body.poll_frame(cx),
            KindProj::Foreign { body } => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Answer { bytes } => bytes.is_none(),
            Kind::Pass { body } => body.is_end_stream(),
            Kind::Counted { counted } => counted.body.is_end_stream(),
            Kind::Foreign { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Answer { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |it| it.len() as u64))
            }
            Kind::Pass { body } => body.size_hint(),
            Kind::Counted { counted } => counted.body.size_hint(),
            Kind::Foreign { body } => body.size_hint(),
        }
    }
}

impl<B: Body> fmt::Debug for SseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Answer { .. } => "SseBody::Answer",
            Kind::Pass { .. } => "SseBody::Pass",
            Kind::Counted { .. } => "SseBody::Counted",
            Kind::Foreign { .. } => "SseBody::Foreign",
        })
    }
}
