//! What the tests of the client share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use sse_tower::FromSseEvent;
use sse_tower::client::{
    Backoff, ConnectionError, EventSource, EventSourceBuilder, EventSourceError, Http, reqwest,
};
use tokio::time::Instant;

#[derive(FromSseEvent, Clone, Debug, PartialEq)]
pub(crate) enum Feed {
    Number(u32),
    #[sse(terminal)]
    Done,
}

pub(crate) const DONE: &str = "event: done\ndata: {}\n\n";

pub(crate) fn number(n: u32) -> String {
    format!("event: number\nid: {n}\ndata: {n}\n\n")
}

/// A client as a program has it.
pub(crate) fn http() -> Http {
    // Somebody in the workspace may have turned TLS on, which needs a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Http::new(reqwest::Client::builder()).unwrap()
}

/// A request that a [`Script`] was sent.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    /// What it sent as `name`, "-" if nothing.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name);
        value.map_or("-".into(), |value| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        })
    }
}

/// A server that answers one request after the other as it was told, and then always with 204.
#[derive(Clone, Default)]
pub(crate) struct Script {
    answers: Arc<Mutex<Vec<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Answer = Box<dyn FnOnce() -> Response + Send>;

impl Script {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn answer<R: IntoResponse>(
        self,
        answer: impl FnOnce() -> R + Send + 'static,
    ) -> Self {
        self.answers
            .lock()
            .unwrap()
            .push(Box::new(move || answer().into_response()));
        self
    }

    /// Answers with a stream that ends in order after `text`.
    pub(crate) fn events(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.answer(move || stream(Body::from(text)))
    }

    pub(crate) fn status(self, status: u16) -> Self {
        self.answer(move || StatusCode::from_u16(status).unwrap())
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What each request sent as `Last-Event-ID`.
    pub(crate) fn ids(&self) -> Vec<String> {
        let asked = self.asked();
        asked
            .iter()
            .map(|asked| asked.header("last-event-id"))
            .collect()
    }

    /// The time from each request to the next.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        let asked = self.asked();
        asked
            .windows(2)
            .map(|pair| pair[1].at - pair[0].at)
            .collect()
    }

    pub(crate) fn router(&self) -> Router {
        let script = self.clone();
        Router::new().fallback(any(async move |request: Request<Body>| {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            script.asked.lock().unwrap().push(Asked {
                at: Instant::now(),
                method: parts.method,
                uri: parts.uri.to_string(),
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            let mut answers = script.answers.lock().unwrap();
            if answers.is_empty() {
                return StatusCode::NO_CONTENT.into_response();
            }
            let answer = answers.remove(0);
            drop(answers);
            answer()
        }))
    }

    /// Without a network, so that time can be virtual.
    pub(crate) fn in_memory(&self) -> Http {
        Http::from_service(self.router()).across_origins()
    }

    pub(crate) async fn serve(&self) -> SocketAddr {
        crate::net::serve(self.router()).await
    }
}

pub(crate) fn stream(body: Body) -> Response {
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// Follows `script` in memory; what it waits is not left to chance.
pub(crate) fn follow(script: &Script) -> EventSourceBuilder<Feed> {
    EventSource::get(&script.in_memory(), "http://server/feed").backoff(Backoff::new().jitter(0.0))
}

/// Longer than any stream here waits, in virtual time.
const LIMIT: Duration = Duration::from_secs(1_000_000_000);

/// Everything up to the end.
pub(crate) async fn all<E: FromSseEvent>(
    events: &mut EventSource<E>,
) -> Vec<Result<E, EventSourceError>> {
    let whole = tokio::time::timeout(LIMIT, events.collect());
    whole.await.expect("it ends")
}

/// The numbers, and the error at the end if there is one.
pub(crate) async fn numbers(events: &mut EventSource<Feed>) -> (Vec<u32>, Option<ConnectionError>) {
    let mut seen = Vec::new();
    let mut items = all(events).await.into_iter();
    while let Some(item) = items.next() {
        match item {
            Ok(Feed::Number(n)) => seen.push(n),
            Ok(Feed::Done) => {}
            Err(EventSourceError::Connection(error)) => {
                assert!(
                    items.next().is_none(),
                    "the error of a connection is the last item"
                );
                return (seen, Some(error));
            }
            Err(error) => panic!("{error}"),
        }
    }
    (seen, None)
}
