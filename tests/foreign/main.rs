//! `SseLayer` around bodies that are not ours: added to between events, never inside one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod around;
mod ends;
mod frames;
mod ids;
mod last_id;
mod pieces;
mod silence;

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response, sse};
use bytes::Bytes;
use common::Reader;
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use sse_tower::{CloseReason, Closed, Decoder, Event, Ids, KeepAlive, Retry, Shutdown, SseLayer};
use sse_tower_tests::cut;
use tokio::sync::mpsc;
use tokio::time::{self, Instant};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// Sends `response` through `layer`.
async fn through(layer: &SseLayer, response: impl IntoResponse) -> Response {
    let response = response.into_response();
    let mut response = Some(response);
    let service = service_fn(move |_: Request<Body>| {
        let response = response.take().expect("one request");
        async move { Ok::<_, Infallible>(response) }
    });
    let response = layer
        .layer(service)
        .oneshot(Request::new(Body::empty()))
        .await;
    response.expect("infallible").map(Body::new)
}

/// A layer that sends clients away for two seconds.
fn ending_layer() -> SseLayer {
    SseLayer::new().reconnect(Retry::fixed(Duration::from_secs(2)))
}

/// What the layer writes when it ends a stream.
const AWAY: &str = "retry: 2000\n\n";

fn event_stream(body: Body) -> Response {
    ([("content-type", "text/event-stream")], body).into_response()
}

/// A body that arrives in these chunks, with nothing in between.
fn chunks<'a>(chunks: impl IntoIterator<Item = &'a str>) -> Response {
    let chunks: Vec<_> = chunks
        .into_iter()
        .map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk.as_bytes())))
        .collect();
    event_stream(Body::from_stream(stream::iter(chunks)))
}

/// A body fed by the test.
fn channel() -> (mpsc::UnboundedSender<&'static str>, Response) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let bytes = UnboundedReceiverStream::new(receiver).map(Ok::<&str, Infallible>);
    (sender, event_stream(Body::from_stream(bytes)))
}

/// What goes out when these chunks come in.
fn sent(layer: &SseLayer, parts: Vec<&str>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async { Reader::of(through(layer, chunks(parts)).await).rest().await })
}

/// The bytes after the layer, for every cut of `stream` into two chunks and into single bytes.
#[track_caller]
fn check(layer: &SseLayer, stream: &str, expected: &str) {
    let cuts = (0..=stream.len()).filter(|cut| stream.is_char_boundary(*cut));
    for cut in cuts {
        assert_eq!(
            sent(layer, vec![&stream[..cut], &stream[cut..]]),
            expected,
            "cut at {cut}"
        );
    }
    if stream.is_ascii() {
        let bytes = (0..stream.len()).map(|at| &stream[at..=at]).collect();
        assert_eq!(sent(layer, bytes), expected, "byte by byte");
    }
}
