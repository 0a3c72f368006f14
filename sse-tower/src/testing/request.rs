//! The request of a test, and the service that it goes to.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use axum_core::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::Serialize;
use sse_core::{BoxError, Decoder, FromSseEvent};
use tower_service::Service;

use super::{Seen, SseTest};
use crate::extract::LAST_EVENT_ID;

/// A request of a test; awaiting it opens the stream.
#[must_use = "await it, or let it be `refused`"]
pub struct SseTestRequest<E> {
    ask: Ask,
    given: Given,
    event: PhantomData<fn() -> E>,
}

/// The service, whatever its type is.
pub(super) type Ask = Box<dyn FnMut(Request<Body>) -> Answer + Send>;
type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

/// What is sent, and what is expected.
pub(super) struct Given {
    method: Method,
    uri: Uri,
    pub(super) sends: HeaderMap,
    body: Bytes,
    pub(super) within: Duration,
    pub(super) answered: HeaderMap,
}

impl<E: FromSseEvent> SseTest<E> {
    /// Asks `service`, such as a `Router`, for a stream.
    ///
    /// # Panics
    ///
    /// Panics if `uri` is none.
    #[track_caller]
    pub fn get<S, B>(service: S, uri: &str) -> SseTestRequest<E>
    where
        S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        SseTestRequest::new(service, uri)
    }

    /// Asks `service` for the stream that answers a POST.
    ///
    /// # Panics
    ///
    /// Panics if `uri` is none.
    #[track_caller]
    pub fn post<S, B>(service: S, uri: &str) -> SseTestRequest<E>
    where
        S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        SseTestRequest::new(service, uri).method(Method::POST)
    }
}

impl<E: FromSseEvent> SseTestRequest<E> {
    #[track_caller]
    fn new<S, B>(service: S, uri: &str) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let accept = (ACCEPT, HeaderValue::from_static("text/event-stream"));
        let ask = move |request| -> Answer {
            let mut service = service.clone();
            Box::pin(async move {
                poll_fn(|cx| service.poll_ready(cx))
                    .await
                    .map_err(Into::into)?;
                let response = service.call(request).await.map_err(Into::into)?;
                Ok(response.map(Body::new))
            })
        };
        Self {
            ask: Box::new(ask),
            given: Given {
                method: Method::GET,
                uri: uri.parse().expect("the address of a request"),
                sends: HeaderMap::from_iter([accept]),
                body: Bytes::new(),
                within: Duration::from_secs(60),
                answered: HeaderMap::new(),
            },
            event: PhantomData,
        }
    }

    /// Sets the method.
    pub fn method(mut self, method: Method) -> Self {
        self.given.method = method;
        self
    }

    /// Sets a header. `Accept: text/event-stream` is sent unless set here.
    ///
    /// # Panics
    ///
    /// Panics if it is none.
    #[track_caller]
    pub fn header(
        mut self,
        name: impl TryInto<HeaderName, Error: fmt::Debug>,
        value: impl TryInto<HeaderValue, Error: fmt::Debug>,
    ) -> Self {
        let name = name.try_into().expect("the name of a header");
        let value = value.try_into().expect("the value of a header");
        self.given.sends.insert(name, value);
        self
    }

    /// Begins after the event with this id.
    ///
    /// # Panics
    ///
    /// Panics if it cannot stand in a header.
    #[track_caller]
    pub fn last_event_id(self, id: impl fmt::Display) -> Self {
        self.header(LAST_EVENT_ID, id.to_string().into_bytes())
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.given.body = body.into();
        self
    }

    /// Sets the body, and its content type.
    ///
    /// # Panics
    ///
    /// Panics if it cannot be JSON.
    #[track_caller]
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        let body = serde_json::to_vec(body).expect("a value that can be JSON");
        self.header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body)
    }

    /// How long to wait for an answer, an event or the end, before the test fails. Default: 60 s.
    pub fn within(mut self, time: Duration) -> Self {
        self.given.within = time;
        self
    }

    /// Expects that the request is refused, and returns the answer.
    ///
    /// # Panics
    ///
    /// Panics if the answer is an event stream.
    #[track_caller]
    pub fn refused(mut self) -> impl Future<Output = Response<Body>> + Send {
        let at = Location::caller();
        async move { self.given.refused(&mut self.ask, at).await }
    }
}

impl<E: FromSseEvent + 'static> IntoFuture for SseTestRequest<E> {
    type Output = SseTest<E>;
    type IntoFuture = Pin<Box<dyn Future<Output = SseTest<E>> + Send>>;

    #[track_caller]
    fn into_future(mut self) -> Self::IntoFuture {
        let at = Location::caller();
        Box::pin(async move {
            let response = self.given.send(&mut self.ask, at).await;
            self.given.check(&response, at);
            let id = self.given.sends.get(LAST_EVENT_ID);
            let id = id.map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
            SseTest {
                ask: self.ask,
                given: self.given,
                body: Some(response.into_body()),
                decoder: Decoder::new().with_last_event_id(id.unwrap_or_default()),
                seen: Seen::default(),
                event: PhantomData,
            }
        })
    }
}

impl Given {
    pub(super) async fn send(&mut self, ask: &mut Ask, at: &Location<'_>) -> Response<Body> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.sends.clone();
        let response = match tokio::time::timeout(self.within, ask(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => panic!("{at}: the service failed: {error}\n{self}"),
            Err(_) => panic!("{at}: no answer within {:?}\n{self}", self.within),
        };
        self.answered = response.headers().clone();
        response
    }

    pub(super) fn check(&self, response: &Response<Body>, at: &Location<'_>) {
        let status = response.status();
        let kind = content_type(response);
        assert!(
            is_stream(response),
            "{at}: the answer is no event stream but {status} {kind:?}\n{self}"
        );
    }

    pub(super) async fn refused(&mut self, ask: &mut Ask, at: &Location<'_>) -> Response<Body> {
        let response = self.send(ask, at).await;
        let is_stream = is_stream(&response);
        assert!(
            !is_stream,
            "{at}: not refused, the answer is an event stream\n{self}"
        );
        response
    }
}

fn is_stream(response: &Response<Body>) -> bool {
    let essence = content_type(response).split(';').next().unwrap_or_default();
    response.status() == StatusCode::OK && essence.trim().eq_ignore_ascii_case("text/event-stream")
}

fn content_type(response: &Response<Body>) -> &str {
    let value = response.headers().get(CONTENT_TYPE);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {} {}", self.method, self.uri)?;
        if let Some(id) = self.sends.get(LAST_EVENT_ID) {
            write!(f, " after {id:?}")?;
        }
        f.write_str("\n")
    }
}

impl<E> fmt::Debug for SseTestRequest<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseTestRequest")
            .field("request", &format_args!("{}", self.given))
            .finish_non_exhaustive()
    }
}
