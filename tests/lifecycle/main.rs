//! How streams begin, are limited, observed and ended, ours and those of others alike.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod caps;
mod clock;
mod drain;
mod emitter;
mod ends;
mod observed;
mod requests;
mod silence;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response, sse};
use axum::routing::any;
use common::Reader;
use futures_util::StreamExt as _;
use http::{Method, Request};
use sse_tower::{Event, Retry, Sse, SseLayer};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::ServiceExt as _;

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

/// A layer whose hint to clients that it sends away is known.
fn layer() -> SseLayer {
    SseLayer::new().reconnect(Retry::fixed(secs(2)))
}

/// What such a layer writes when it ends a stream.
const AWAY: &str = "retry: 2000\n\n";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One stream under a layer, fed by the test: of ours, or of axum.
struct Fed {
    app: Router,
    sender: mpsc::UnboundedSender<&'static str>,
}

const OURS_AND_FOREIGN: [bool; 2] = [true, false];

impl Fed {
    fn new(layer: &SseLayer, ours: bool) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(Some(receiver)));
        let handler = move || {
            let receiver = receiver.lock().unwrap().take().expect("one request");
            let data = UnboundedReceiverStream::new(receiver);
            let response = if ours {
                Sse::new(data.map(|data| Event::new().data(data))).into_response()
            } else {
                let events = data.map(|data| Ok::<_, Infallible>(sse::Event::default().data(data)));
                sse::Sse::new(events).into_response()
            };
            std::future::ready(response)
        };
        let app = Router::new().route("/", any(handler)).layer(layer.clone());
        Self { app, sender }
    }

    fn send(&self, data: &'static str) {
        self.sender.send(data).unwrap();
    }

    async fn open(&self, method: Method) -> Reader {
        Reader::of(call(&self.app, method, &[EVENTS]).await)
    }

    /// A stream that is silent, behind its first line.
    async fn open_silent(&self, method: Method) -> JoinHandle<String> {
        let mut reader = self.open(method).await;
        assert_eq!(reader.frame().await, ":\n");
        let rest = tokio::spawn(reader.rest());
        tokio::task::yield_now().await;
        rest
    }
}

fn app<E: sse_tower::SseEvent + 'static>(
    layer: &SseLayer,
    response: impl Fn() -> Sse<E> + Clone + Send + Sync + 'static,
) -> Router {
    let handler = move || std::future::ready(response());
    Router::new().route("/", any(handler)).layer(layer.clone())
}

async fn call(app: &Router, method: Method, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn get(app: &Router) -> Response {
    call(app, Method::GET, &[EVENTS]).await
}
