//! `SseTest`: what users test their own endpoints with, and what it says when they are wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::any::Any;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Frame;
use sse_tower::testing::SseTest;
use sse_tower::{FromSseEvent, RawEvent, Resume, Retry, Sse, SseEvent, SseLayer, sse_handler};
use tokio::time::sleep;
use tower::util::BoxCloneService;

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
enum Count {
    Number(#[sse(id)] u64, String),
    #[sse(terminal)]
    Done,
}

fn number(n: u64) -> Count {
    Count::Number(n, "x".into())
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// One number a minute, from 1 to 3, and the end.
#[sse_handler]
async fn count(resume: Resume<u64>) -> Option<impl Stream<Item = Count>> {
    let seen = resume.after().unwrap_or(0);
    let events = (seen + 1..=3).map(number).chain([Count::Done]);
    let paced = stream::iter(events).then(|event| async move {
        sleep(secs(60)).await;
        event
    });
    (seen < 3).then_some(paced)
}

fn app() -> Router {
    let layer = SseLayer::new().retry(Retry::fixed(secs(2)));
    Router::new().route("/count", get(count)).layer(layer)
}

/// A router that always answers `text`, as an event stream.
fn sends(text: &'static str) -> Router {
    Router::new().fallback(async move || response(Body::from(text)))
}

fn response(body: Body) -> Response {
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_tested_in_three_lines() {
    let mut count = SseTest::<Count>::get(app(), "/count").await;
    count.expect_idle(secs(59)).await;
    assert_eq!(count.next().await, number(1));
}

#[tokio::test(start_paused = true)]
async fn it_reads_to_the_end_and_comes_back_with_the_newest_id() {
    let mut count = SseTest::<Count>::get(app(), "/count")
        .within(secs(61))
        .await;
    assert_eq!(
        count.headers()["cache-control"],
        "no-cache, no-store, no-transform"
    );
    assert_eq!(count.next().await, number(1));
    assert_eq!((count.last_event_id(), count.retry()), ("1", Some(secs(2))));
    count.disconnect();
    count.reconnect().await;
    assert_eq!(count.next().await, number(2));
    count.reconnect().await;
    assert_eq!(count.next().await, number(3));
    assert_eq!(count.next().await, Count::Done);
    count.expect_end().await;
    assert_eq!(
        count.reconnect_refused().await.status(),
        StatusCode::NO_CONTENT
    );

    let mut late = SseTest::<Count>::get(app(), "/count")
        .last_event_id(2)
        .await;
    assert_eq!(late.next().await, number(3));
}

#[tokio::test(start_paused = true)]
async fn disconnecting_drops_the_stream_of_the_handler() {
    let alive = Arc::new(());
    let guard = Arc::downgrade(&alive);
    let handler = async move || {
        let alive = alive.clone();
        Sse::new(stream::repeat_with(move || {
            let _ = &alive;
            number(1)
        }))
    };
    let router = Router::new().route("/", get(handler));
    let mut events = SseTest::<Count>::get(router, "/").await;
    events.next().await;
    let open = guard.strong_count();
    events.disconnect();
    assert_eq!(guard.strong_count(), open - 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_has_a_method_headers_and_a_body() {
    let echo = async |method: Method, headers: HeaderMap, body: String| {
        let values = ["accept", "x-key", "content-type", "last-event-id"].map(|name| {
            headers
                .get(name)
                .map_or("-", |value| value.to_str().unwrap())
        });
        response(format!("data: {method} {values:?} {body}\n\n").into())
    };
    let router = Router::new().fallback(any(echo));
    let data = async |mut events: SseTest<RawEvent<'static>>| events.next().await.data().to_owned();

    let plain = SseTest::get(router.clone(), "/a").await;
    let expected = r#"GET ["text/event-stream", "-", "-", "-"] "#;
    assert_eq!(data(plain).await, expected);

    let post = SseTest::post(router.clone(), "/a")
        .header("x-key", "1")
        .header("accept", "*/*")
        .json(&[1]);
    let expected = r#"POST ["*/*", "1", "application/json", "-"] [1]"#;
    assert_eq!(data(post.await).await, expected);

    let put = SseTest::get(router, "/a")
        .method(Method::PUT)
        .body("b")
        .last_event_id("é");
    let put = put.header("last-event-id", "7");
    let expected = r#"PUT ["text/event-stream", "-", "-", "7"] b"#;
    assert_eq!(data(put.await).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_can_be_expected() {
    let no = Router::new().fallback(async || (StatusCode::FORBIDDEN, "no"));
    let answer = SseTest::<Count>::get(no, "/").refused().await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let body = axum::body::to_bytes(answer.into_body(), 100).await.unwrap();
    assert_eq!(body, "no");
}

#[tokio::test(start_paused = true)]
async fn keep_alives_and_words_of_the_layer_are_no_events() {
    let mut events = SseTest::<Count>::get(app(), "/count").await;
    events.expect_idle(secs(59)).await;
    let text = "retry: 1\n:\n\nevent: sse-tower:keep-alive\ndata: 15000\n\nid: 7\n\n";
    let text = &*Box::leak((text.to_owned() + "event: done\ndata: {}\n\n").into_boxed_str());
    let mut events = SseTest::<Count>::get(sends(text), "/").await;
    assert_eq!(events.next().await, Count::Done);
    assert_eq!(events.last_event_id(), "7");
    events.expect_end().await;
}

/// What `test` says when it fails, and where.
async fn failure(test: impl Future<Output = ()> + Send + 'static) -> String {
    let panic = tokio::spawn(test).await.expect_err("it fails").into_panic();
    text_of(panic)
}

fn text_of(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().unwrap()).to_owned(),
    }
}

/// The message behind the place, which is in this file.
#[track_caller]
fn says(failure: &str, expected: &str) {
    let (place, message) = failure.split_once(": ").unwrap();
    assert!(
        place.starts_with("tests/test_kit.rs:") || place.starts_with("test_kit.rs:"),
        "{failure}"
    );
    assert_eq!(message, expected);
}

#[tokio::test(start_paused = true)]
async fn a_test_that_waits_in_vain_says_what_it_has_seen() {
    let failed = failure(async {
        let mut events = SseTest::<Count>::get(app(), "/count")
            .within(secs(59))
            .await;
        events.next().await;
    });
    let expected = "no event within 59s\n  GET /count\n  no event arrived before";
    says(&failed.await, expected);

    let failed = failure(async {
        let mut events = SseTest::<Count>::get(app(), "/count")
            .last_event_id(1)
            .await;
        events.next().await;
        events.next().await;
        events.next().await;
        events.next().await;
    });
    let expected = "there is no next event: the stream has ended\n  GET /count after \"1\"\n  \
        3 events arrived, the newest last:\n    number id \"2\" \"\\\"x\\\"\"\n    \
        number id \"3\" \"\\\"x\\\"\"\n    done \"{}\"";
    says(&failed.await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_test_whose_events_are_others_says_which() {
    let failed = failure(async {
        let mut events =
            SseTest::<Count>::get(sends("event: later\nid: 7\ndata: 1\n\n"), "/").await;
        events.next().await;
    });
    let expected = "there is no next event: the event \"later\" with the id \"7\" is not known\n  \
        data: \"1\"\n  GET /\n  1 event arrived:\n    later id \"7\" \"1\"";
    says(&failed.await, expected);

    let failed = failure(async {
        let mut events =
            SseTest::<Count>::get(sends("event: number\nid: 7\ndata: {\n\n"), "/").await;
        events.next().await;
    });
    let failed = failed.await;
    assert!(
        failed.contains("does not parse: invalid type: map"),
        "{failed}"
    );
    assert!(failed.contains("\n  data: \"{\"\n"), "{failed}");

    let long = Box::leak(format!("data: {}\n\n", "é".repeat(1000)).into_boxed_str());
    let failed = failure(async {
        let mut events = SseTest::<RawEvent>::get(sends(long), "/").await;
        events.expect_end().await;
    });
    let failed = failed.await;
    assert!(
        failed.contains("instead of the end, the last of these"),
        "{failed}"
    );
    assert!(
        failed.len() < 600 && failed.contains("… (2000 bytes)"),
        "{failed}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_that_expects_silence_says_what_came() {
    let failed = failure(async {
        let mut events = SseTest::<Count>::get(app(), "/count").await;
        events.expect_idle(secs(60)).await;
    });
    let expected = "an event within 60s, the last of these\n  GET /count\n  1 event arrived:\n    \
        number id \"1\" \"\\\"x\\\"\"";
    says(&failed.await, expected);

    let failed = failure(async {
        let mut events = SseTest::<Count>::get(sends(""), "/").await;
        events.expect_idle(secs(1)).await;
    });
    assert!(
        failed
            .await
            .contains("not idle for 1s: the stream has ended")
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_of_the_end_fails_without_one() {
    let failed = failure(async {
        let endless = async || {
            response(Body::from_stream(stream::pending::<
                Result<String, Infallible>,
            >()))
        };
        let mut events = SseTest::<Count>::get(Router::new().fallback(endless), "/").await;
        events.expect_end().await;
    });
    assert!(failed.await.contains("not over within 60s"));

    let failed = failure(async {
        let broken = async || {
            let chunks = stream::iter([Err::<String, _>(std::io::Error::other("reset"))]);
            response(Body::from_stream(chunks))
        };
        let mut events = SseTest::<Count>::get(Router::new().fallback(broken), "/").await;
        events.expect_end().await;
    });
    assert!(
        failed
            .await
            .contains("there is no orderly end: the stream broke off: reset")
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_that_gets_no_stream_says_what_it_got() {
    let failed = failure(async {
        let plain = Router::new().fallback(async || "text");
        SseTest::<Count>::get(plain, "/a?b").await;
    });
    let expected =
        "the answer is no event stream but 200 OK \"text/plain; charset=utf-8\"\n  GET /a?b\n";
    says(&failed.await, expected);

    let failed = failure(async {
        SseTest::<Count>::post(app(), "/count").await;
    });
    let failed = failed.await;
    assert!(
        failed.contains("no event stream but 405 Method Not Allowed"),
        "{failed}"
    );

    let failed = failure(async {
        SseTest::<Count>::get(app(), "/count").refused().await;
    });
    assert!(
        failed
            .await
            .contains("not refused, the answer is an event stream")
    );

    let failed = failure(async {
        let never = Router::new().fallback(async |_: Request| std::future::pending::<()>().await);
        SseTest::<Count>::get(never, "/").await;
    });
    assert!(failed.await.contains("no answer within 60s"));

    let failed = failure(async {
        let service = tower::service_fn(async |_: http::Request<Body>| {
            Err::<http::Response<Body>, _>("down")
        });
        SseTest::<Count>::get(service, "/").await;
    });
    assert!(failed.await.contains("the service failed: down"));
}

#[tokio::test(start_paused = true)]
async fn a_test_that_has_left_reads_nothing() {
    let failed = failure(async {
        let mut events = SseTest::<Count>::get(app(), "/count").await;
        events.disconnect();
        events.next().await;
    });
    assert!(
        failed
            .await
            .contains("the test has disconnected; `reconnect` first")
    );
}

#[tokio::test(start_paused = true)]
async fn every_connection_is_a_request_of_its_own() {
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = ids.clone();
    let router = Router::new().fallback(async move |headers: HeaderMap| {
        let id = headers
            .get("last-event-id")
            .map(|id| id.to_str().unwrap().to_owned());
        seen.lock().unwrap().push(id);
        response("id: \n\ndata: 1\n\n".into())
    });
    let mut events = SseTest::<RawEvent>::get(router, "/").last_event_id(7).await;
    assert_eq!(events.last_event_id(), "7");
    events.next().await;
    // The empty id made it forget the first.
    assert_eq!(events.last_event_id(), "");
    events.reconnect().await;
    assert_eq!(*ids.lock().unwrap(), [Some("7".to_owned()), None]);
}

#[tokio::test(start_paused = true)]
async fn a_service_need_not_be_shared_between_threads() {
    // `Clone + Send`, and no more.
    let router = Router::new().route("/", get(async || Sse::new(stream::iter([Count::Done]))));
    let mut ticks = SseTest::<Count>::get(BoxCloneService::new(router), "/").await;
    assert_eq!(ticks.next().await, Count::Done);
}

/// A body that must not be polled behind its end.
struct Once(Option<Bytes>, bool);

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = self.0.take();
        assert!(
            frame.is_some() || !std::mem::replace(&mut self.1, true),
            "it has ended"
        );
        Poll::Ready(frame.map(|data| Ok(Frame::data(data))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_not_asked_behind_its_end() {
    let service = tower::service_fn(async |_: Request| {
        let mut response = Response::new(Once(Some(Bytes::from_static(b"")), false));
        let kind = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok::<_, Infallible>(response)
    });
    let mut ticks = SseTest::<Count>::get(service, "/").await;
    ticks.expect_end().await;
    ticks.expect_end().await;
}
