//! The documented order: trace, CORS, compression and timeouts outside, `SseLayer` inside.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::sse;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use sse_tower::{END_ID, Event, KeepAlive, LAST_EVENT_ID, Sse, SseLayer};
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::cors::CorsLayer;
use tower_http::decompression::DecompressionLayer;
use tower_http::timeout::{ResponseBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;

use crate::net::{Count, soon};

const PAGE: HeaderValue = HeaderValue::from_static("https://page.example");

/// A request of a page of another origin.
fn request(method: Method, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .header("origin", PAGE)
        .header("accept", "text/event-stream")
        .body(Body::empty())
        .unwrap()
}

/// A 204 that the page may not read makes its `EventSource` come back for ever.
#[tokio::test]
async fn what_the_layer_answers_itself_has_cors_headers() {
    let cors = CorsLayer::new()
        .allow_origin(PAGE)
        .allow_headers([LAST_EVENT_ID]);
    let app = Router::new()
        .route("/", get(async || Sse::new(stream::iter([Count::Done]))))
        .layer(ServiceBuilder::new().layer(cors).layer(SseLayer::new()));

    let preflight = [
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "last-event-id"),
    ];
    let response = app.clone().oneshot(request(Method::OPTIONS, &preflight));
    let response = response.await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], PAGE);
    assert_eq!(headers["access-control-allow-headers"], "last-event-id");

    for (id, status) in [("", StatusCode::OK), (END_ID, StatusCode::NO_CONTENT)] {
        let request = request(Method::GET, &[("last-event-id", id)]);
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], PAGE);
    }
}

#[tokio::test]
async fn a_trace_sees_every_chunk_and_no_end_where_a_stream_failed() {
    type Log = Arc<Mutex<Vec<&'static str>>>;
    let log = Log::default();
    let bytes = Arc::new(AtomicUsize::new(0));
    let note = |what| {
        let log = Arc::clone(&log);
        move || log.lock().unwrap().push(what)
    };
    let (response, end) = (note("response"), note("end"));
    let counted = Arc::clone(&bytes);
    let trace = TraceLayer::new_for_http()
        .on_response(move |_: &http::Response<_>, _, _: &tracing::Span| response())
        .on_body_chunk(move |chunk: &Bytes, _, _: &tracing::Span| {
            counted.fetch_add(chunk.len(), Ordering::Relaxed);
        })
        .on_eos(move |_: Option<&HeaderMap>, _, _: &tracing::Span| end());
    let events = async || Sse::new(stream::iter([Count::Number(1), Count::Done]));
    let failing = async || {
        let items = [Ok(Count::Number(1)), Err(io::Error::other("cut"))];
        Sse::new(stream::iter(items))
    };
    let app = Router::new()
        .route("/", get(events).post(failing))
        .layer(ServiceBuilder::new().layer(trace).layer(SseLayer::new()));

    let response = app.clone().oneshot(request(Method::GET, &[]));
    let body = response.await.unwrap().into_body().collect().await;
    let sent = body.unwrap().to_bytes().len();
    assert_eq!(bytes.load(Ordering::Relaxed), sent);
    assert_eq!(*log.lock().unwrap(), ["response", "end"]);

    log.lock().unwrap().clear();
    let response = app.oneshot(request(Method::POST, &[])).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    assert_eq!(*log.lock().unwrap(), ["response"]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_bounds_the_head_and_not_the_stream() {
    let limit = Duration::from_secs(5);
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let slow = async || {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Sse::new(stream::pending::<Event>())
    };
    let layers = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(status, limit))
        .layer(SseLayer::new());
    let app = Router::new()
        .route(
            "/",
            get(async || Sse::new(stream::pending::<Event>())).post(slow),
        )
        .layer(layers);

    let response = app.clone().oneshot(request(Method::POST, &[]));
    assert_eq!(response.await.unwrap().status(), status);
    let response = app.oneshot(request(Method::GET, &[])).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(comments(response.into_body(), 10).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_body_is_outlived_by_a_shorter_keep_alive_alone() {
    let every = |secs| SseLayer::new().keep_alive(KeepAlive::every(Duration::from_secs(secs)));
    let app = |layer: SseLayer| {
        let limit = ResponseBodyTimeoutLayer::new(Duration::from_secs(30));
        Router::new()
            .route("/", get(async || Sse::new(stream::pending::<Event>())))
            .layer(ServiceBuilder::new().layer(limit).layer(layer))
    };
    for (layer, comments_before) in [
        (every(15), Ok(())),
        (every(40), Err(1)),
        (SseLayer::new().no_keep_alive(), Err(1)),
    ] {
        let response = app(layer).oneshot(request(Method::GET, &[])).await;
        let body = response.unwrap().into_body();
        assert_eq!(comments(body, 10).await, comments_before);
    }
}

/// A number, a minute of silence, and the end.
fn paused() -> impl Stream<Item = Count> + Send {
    let done = stream::once(async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Count::Done
    });
    stream::iter([Count::Number(1)]).chain(done)
}

async fn foreign() -> sse::Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    sse::Sse::new(paused().map(|count| {
        Ok(match count {
            Count::Number(n) => sse::Event::default().data(n.to_string()),
            Count::Done => sse::Event::default().event("done").data("{}"),
        })
    }))
}

#[tokio::test(start_paused = true)]
async fn everything_together_in_the_documented_order() {
    let limit = Duration::from_secs(5);
    let layers = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(ResponseBodyTimeoutLayer::new(Duration::from_secs(30)))
        .layer(CorsLayer::new().allow_origin(PAGE))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(1)))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            limit,
        ))
        .layer(SseLayer::new());
    let slow = async move || {
        tokio::time::sleep(limit * 2).await;
        "late"
    };
    let app = Router::new()
        .route("/native", get(async || Sse::new(paused())))
        .route("/foreign", get(foreign))
        .route("/slow", get(slow))
        .layer(layers);
    let call = async |path: &str, headers: &[(&str, &str)]| {
        let headers = [&[("accept-encoding", "gzip")], headers].concat();
        let mut request = request(Method::GET, &headers);
        *request.uri_mut() = path.parse().unwrap();
        let decoding = ServiceBuilder::new()
            .layer(DecompressionLayer::new())
            .map_response(|response: http::Response<Body>| {
                let encoding = response.headers().get("content-encoding");
                let encoded = encoding.is_some_and(|encoding| encoding == "gzip");
                assert_eq!(encoded, response.status() == StatusCode::OK);
                response
            })
            .service(app.clone());
        let response = decoding.oneshot(request).await.unwrap();
        assert_eq!(response.headers()["access-control-allow-origin"], PAGE);
        response
    };

    for path in ["/native", "/foreign"] {
        let mut body = call(path, &[]).await.into_body();
        let mut text = String::new();
        while let Some(frame) = body.frame().await {
            // A comment after 22 s at most, in either, is what keeps it open.
            text += str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap();
        }
        assert!(text.contains("data: 1\n\n:\n"), "{path}: {text}");
        assert!(text.contains("event: done\ndata: {}\n\n"), "{path}: {text}");
        assert_eq!(text.contains(END_ID), path == "/native", "{text}");
    }
    let past_the_end = call("/native", &[("last-event-id", END_ID)]).await;
    assert_eq!(past_the_end.status(), StatusCode::NO_CONTENT);
    let late = call("/slow", &[]).await;
    assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// It does not see the keep-alive, which is added outside of it.
#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_body_inside_cuts_a_silent_stream_of_another() {
    let limit = ResponseBodyTimeoutLayer::new(Duration::from_secs(30));
    let silent = async || sse::Sse::new(stream::pending::<Result<sse::Event, Infallible>>());
    let app = Router::new()
        .route("/", get(silent))
        .layer(ServiceBuilder::new().layer(SseLayer::new()).layer(limit));
    let response = app.oneshot(request(Method::GET, &[])).await.unwrap();
    assert!(comments(response.into_body(), 10).await.is_err());
}

/// Reads `expected` comments, the opening line among them; else says how many there were.
async fn comments(mut body: Body, expected: usize) -> Result<(), usize> {
    for seen in 0..expected {
        match soon(body.frame()).await {
            Some(Ok(frame)) => assert_eq!(frame.into_data().unwrap(), ":\n"),
            Some(Err(_)) => return Err(seen),
            None => panic!("a silent stream does not end"),
        }
    }
    Ok(())
}
