//! Streams that outlive their connections.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod attach;
mod bounds;
mod ends;
mod layered;
mod requests;
mod socket;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response, sse};
use axum::routing::any;
use futures_util::StreamExt as _;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use sse_tower::{Decoder, Event, ResumeLayer, RunKey, Sse};
use sse_tower_tests::{Dispatched, read};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::ServiceExt as _;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A layer by the path, for whoever is in the header `user`.
fn layer() -> ResumeLayer {
    ResumeLayer::by(|parts| {
        let user = parts.headers.get("user")?.clone();
        Some(RunKey::new(parts.uri.path().to_owned()).principal(user))
    })
}

type Fed = Result<&'static str, &'static str>;

/// A handler whose streams, one for each call, are fed by the test.
#[derive(Clone)]
struct Upstream {
    ours: bool,
    streams: Arc<Mutex<Vec<mpsc::UnboundedSender<Fed>>>>,
}

impl Upstream {
    /// Its responses are ours.
    fn ours() -> Self {
        Self::new(true)
    }

    /// Its responses are those of axum.
    fn foreign() -> Self {
        Self::new(false)
    }

    fn new(ours: bool) -> Self {
        let streams = Arc::default();
        Self { ours, streams }
    }

    fn app(&self, layer: &ResumeLayer) -> Router {
        let this = self.clone();
        let handler = move || std::future::ready(this.respond());
        Router::new()
            .route("/{*path}", any(handler))
            .layer(layer.clone())
    }

    fn respond(&self) -> Response {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.streams.lock().unwrap().push(sender);
        let data = UnboundedReceiverStream::new(receiver);
        let mut response = if self.ours {
            let events = data.map(|data: Fed| data.map(|data| Event::new().data(data)));
            Sse::new(events).into_response()
        } else {
            let events = data.map(|data: Fed| data.map(|data| sse::Event::default().data(data)));
            let keep_alive = sse::KeepAlive::new().interval(secs(5));
            sse::Sse::new(events).keep_alive(keep_alive).into_response()
        };
        let cookie = "session=1".parse().unwrap();
        response.headers_mut().insert("set-cookie", cookie);
        response
    }

    fn calls(&self) -> usize {
        self.streams.lock().unwrap().len()
    }

    /// The stream of the call `n`.
    fn stream(&self, n: usize) -> mpsc::UnboundedSender<Fed> {
        self.streams.lock().unwrap()[n].clone()
    }

    fn send(&self, n: usize, data: impl IntoIterator<Item = &'static str>) {
        let stream = self.stream(n);
        data.into_iter()
            .for_each(|data| stream.send(Ok(data)).unwrap());
    }

    fn is_dropped(&self, n: usize) -> bool {
        self.stream(n).is_closed()
    }

    /// The stream of the call `n` ends.
    fn end(&self, n: usize) {
        self.streams.lock().unwrap()[n] = mpsc::unbounded_channel().0;
    }
}

async fn call(app: &Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

const ADA: (&str, &str) = ("user", "ada");
const BOB: (&str, &str) = ("user", "bob");

/// Ada's request for the stream, after the event `id` unless that is empty.
async fn get(app: &Router, id: &str) -> Response {
    call(app, Method::GET, "/run", &[ADA, ("last-event-id", id)]).await
}

async fn post(app: &Router) -> Response {
    call(app, Method::POST, "/run", &[ADA]).await
}

/// A connection of a client that reads events.
struct Client {
    body: Body,
    decoder: Decoder,
    events: VecDeque<Dispatched>,
}

impl Client {
    #[track_caller]
    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        Self {
            body: response.into_body(),
            decoder: Decoder::new(),
            events: VecDeque::new(),
        }
    }

    async fn get(app: &Router, id: &str) -> Self {
        Self::of(get(app, id).await)
    }

    /// The next event, the end, or that the connection broke.
    async fn next(&mut self) -> Result<Option<Dispatched>, axum::Error> {
        while self.events.is_empty() {
            // An hour of virtual time, or ours: heartbeats alone would go on for ever.
            let frame = tokio::time::timeout(secs(3600), self.body.frame());
            let Some(frame) = frame.await.expect("a frame") else {
                return Ok(None);
            };
            let bytes = frame?.into_data().unwrap();
            self.events
                .extend(read(&mut self.decoder, [&bytes[..]]).events);
        }
        Ok(self.events.pop_front())
    }

    async fn event(&mut self) -> Dispatched {
        self.next().await.unwrap().expect("an event")
    }

    /// Reads the payloads that come next.
    async fn expect(&mut self, data: impl IntoIterator<Item = &str>) {
        for data in data {
            assert_eq!(self.event().await.data, data);
        }
    }

    async fn ends(mut self) {
        assert_eq!(self.next().await.unwrap(), None);
    }

    async fn breaks(mut self) {
        let next = self.next().await;
        assert!(next.is_err(), "{next:?}");
    }
}

/// Lets the tasks do what they can do without time going on.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Time goes on.
async fn pass(time: Duration) {
    settle().await;
    tokio::time::advance(time).await;
    settle().await;
}

/// What a handler of ours streams that says everything at once.
fn said<const N: usize>(data: [&'static str; N]) -> Sse {
    let events = data.map(|data| Ok::<_, Infallible>(Event::new().data(data)));
    Sse::new(futures_util::stream::iter(events))
}
