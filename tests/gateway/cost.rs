//! What passing an event on costs.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use sse_tower::{Sse, SseLayer};
use tower::ServiceExt as _;

/// What an HTTP client reads from a socket: pieces of one buffer.
struct Chunks(VecDeque<Bytes>);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|chunk| Ok(Frame::data(chunk))))
    }
}

const EVENTS: usize = 2_000;

/// The allocations while a gateway passes on the second half of the chunks.
async fn allocations(chunks: Vec<Bytes>, layered: bool) -> u64 {
    let half = chunks.len() / 2;
    let gateway = move || {
        let upstream = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        let upstream = upstream.body(Chunks(chunks.clone().into())).unwrap();
        async { Sse::proxy(upstream).unwrap() }
    };
    let mut app = Router::new().route("/", get(gateway));
    if layered {
        app = app.layer(SseLayer::new());
    }
    let request = Request::builder().body(Body::empty()).unwrap();
    let mut body: Body = app.oneshot(request).await.unwrap().into_body();
    let mut next = || {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Ready(Some(frame)) => frame.unwrap().into_data().unwrap().len(),
            other => panic!("{other:?}"),
        }
    };
    (0..half).for_each(|_| assert!(next() > 0));
    allocation_counter::measure(|| (half..half * 2 - 1).for_each(|_| assert!(next() > 0)))
        .count_total
}

fn token(n: usize) -> String {
    format!(
        "event: delta\nid: {n}\ndata: {{\"choices\":[{{\"delta\":{{\"content\":\"word \"}}}}]}}\n\n"
    )
}

#[tokio::test]
async fn an_event_passes_through_without_an_allocation() {
    let mut read: BytesMut = (0..EVENTS).map(token).collect::<String>().as_bytes().into();
    let chunks = (0..EVENTS).map(|n| read.split_to(token(n).len()).freeze());
    let chunks: Vec<_> = chunks.collect();
    for layered in [false, true] {
        assert_eq!(allocations(chunks.clone(), layered).await, 0);
    }
}

#[tokio::test]
async fn an_event_that_is_cut_is_joined_without_one_for_each() {
    let mut read: BytesMut = (0..EVENTS).map(token).collect::<String>().as_bytes().into();
    let mut chunks = Vec::new();
    while !read.is_empty() {
        chunks.push(read.split_to(read.len().min(100)).freeze());
    }
    let (events, allocations) = (EVENTS as u64 / 2, allocations(chunks, true).await);
    assert!(
        allocations < events / 20,
        "{allocations} for {events} events"
    );
}
