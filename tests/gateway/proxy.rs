//! `Sse::proxy`: the event stream of an upstream passes unchanged.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response, StatusCode};
use sse_tower::{
    Block, CloseReason, Event, Ids, KeepAlive, NoEventStream, ResumeLayer, Retry, RunKey, Sse,
    SseLayer,
};
use tokio::time::sleep;
use tower::ServiceExt as _;

use crate::common::Reader;

/// What no writer of ours would write, but clients read.
const STREAM: &str = ": hello\n\nevent:from.tomorrow\ndata:{\ndata\nunknown: field\n\n\
    :\r\n\r\nid: 7\r\nretry: 10\r\ndata: caf\u{e9} \u{1f980}\r\n\r\ndata: a\r\rid: 8\r\r\
    :keep-alive\nretry: 5\ndata: {\"error\":{}}\n\n\n\ndata: [DONE]\n\n";

fn upstream(
    chunks: impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static,
) -> Response<Body> {
    let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
    response.body(Body::from_stream(chunks)).unwrap()
}

fn ready<T: Into<Bytes>>(chunks: impl IntoIterator<Item = T>) -> Response<Body> {
    let chunks: Vec<_> = chunks.into_iter().map(|chunk| Ok(chunk.into())).collect();
    upstream(stream::iter(chunks))
}

async fn passed_on(upstream: Response<Body>) -> Bytes {
    let response = Sse::proxy(upstream).unwrap().into_response();
    to_bytes(response.into_body(), usize::MAX).await.unwrap()
}

#[tokio::test]
async fn every_byte_passes_however_it_was_cut() {
    let bytes = Bytes::from_static(STREAM.as_bytes());
    for cut in 0..=bytes.len() {
        let chunks = [bytes.slice(..cut), bytes.slice(cut..)];
        assert_eq!(passed_on(ready(chunks)).await, STREAM, "cut at {cut}");
    }
    let single = (0..bytes.len()).map(|at| bytes.slice(at..=at));
    assert_eq!(passed_on(ready(single)).await, STREAM);
}

#[tokio::test]
async fn a_byte_order_mark_is_left_out_as_something_may_stand_before_it() {
    assert_eq!(
        passed_on(ready(["\u{feff}data: a\n\n"])).await,
        "data: a\n\n"
    );
    let mark: [&[u8]; 3] = [b"\xEF", b"\xBB", b"\xBFdata: a\n\n"];
    assert_eq!(passed_on(ready(mark)).await, "data: a\n\n");
    let no_mark: [&[u8]; 2] = [b"\xEF", b"data: a\n\ndata: b\n\n"];
    assert_eq!(
        passed_on(ready(no_mark)).await,
        b"\xEFdata: a\n\ndata: b\n\n"[..]
    );
}

#[tokio::test]
async fn an_event_that_is_not_finished_is_none() {
    assert_eq!(
        passed_on(ready(["data: a\n\ndata: b\n"])).await,
        "data: a\n\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_is_put_between_events_never_inside_one() {
    let chunks = [
        (0, "data: a\n\nda"),
        (60, "ta: b\n"),
        (70, "\n"),
        (200, ":\n"),
    ];
    let start = tokio::time::Instant::now();
    let chunks = stream::iter(chunks).then(move |(at, chunk)| async move {
        tokio::time::sleep_until(start + Duration::from_secs(at)).await;
        Ok(chunk.into())
    });
    let response = Sse::proxy(upstream(chunks)).unwrap();
    let keep_alive = KeepAlive::every(Duration::from_secs(50)).comment("still here");
    let mut reader = Reader::of(response.keep_alive(keep_alive));
    let frames = [
        "data: a\n\n",
        ": still here\n",
        "data: b\n\n",
        ": still here\n",
        ": still here\n",
        ":\n",
    ];
    for frame in frames {
        assert_eq!(reader.frame().await, frame);
    }
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn a_hint_waits_for_the_first_block_with_a_field() {
    let hint = || Retry::fixed(Duration::from_secs(2));
    let check = async |stream: &'static str, expected: &str| {
        for cut in 0..=stream.len() {
            for single in [false, true] {
                let (head, tail) = stream.split_at(cut);
                let tail: Vec<&str> = match single {
                    false => vec![tail],
                    true => tail.split_inclusive(|_| true).collect(),
                };
                let upstream = ready([vec![head], tail].concat());
                let response = Sse::proxy(upstream).unwrap().retry(hint());
                let text = Reader::of(response).rest().await;
                assert_eq!(text, format!("retry: 2000\n{expected}"), "cut at {cut}");
            }
        }
    };
    // Some clients drop a block with nothing but a hint.
    check(": a\n\n\ndata: b\n\n:\n\n", ": a\ndata: b\n\n:\n\n").await;
    check(": a\r\n\r\n\r\ndata: b\r\n\r\n", ": a\r\ndata: b\r\n\r\n").await;
    check(": a\r\rdata: b\r\r", ": a\rdata: b\r\r").await;
    check("\nid: 7\n\ndata: b\n\n", "id: 7\n\ndata: b\n\n").await;
    check(": a\n\n", ": a\n\n").await;
    check("data: a\n\n\n", "data: a\n\n\n").await;

    // It is the blank line that waits, not the comment.
    let silent = stream::iter([Ok(": a\n\n".into())]).chain(stream::pending());
    let response = Sse::proxy(upstream(silent)).unwrap().retry(hint());
    let mut reader = Reader::of(response);
    assert_eq!(reader.frame().await, "retry: 2000\n");
    assert_eq!(reader.frame().await, ": a\n");
}

#[tokio::test]
async fn more_may_be_said_around_the_events() {
    let response = Sse::proxy(ready(["data: a\n\n"])).unwrap();
    let response = response
        .retry(Retry::fixed(Duration::from_secs(2)))
        .finish_with(Event::new().data("[DONE]"));
    let text = Reader::of(response).rest().await;
    assert_eq!(text, "retry: 2000\ndata: a\n\ndata: [DONE]\n\n");
}

#[tokio::test]
async fn a_failure_of_the_upstream_is_one_here_or_an_event() {
    let broken = || {
        let chunks = [
            Ok("data: a\n\ndata: ".into()),
            Err(io::Error::other("reset")),
        ];
        Sse::proxy(upstream(stream::iter(chunks))).unwrap()
    };
    let mut reader = Reader::of(broken());
    assert_eq!(reader.frame().await, "data: a\n\n");
    assert!(reader.next().await.unwrap().is_err());
    assert!(reader.next().await.is_none());

    let failed = broken().fail_with(|error| {
        assert_eq!(error.to_string(), "reset");
        Event::new().data("{\"error\":{}}")
    });
    let text = Reader::of(failed.finish_with(Event::new().data("[DONE]")))
        .rest()
        .await;
    assert_eq!(
        text, "data: a\n\ndata: {\"error\":{}}\n\n",
        "an end, but not of the whole"
    );
}

#[tokio::test]
async fn an_event_that_no_memory_should_hold_is_a_failure() {
    let chunk = Bytes::from(vec![b'x'; 1 << 20]);
    let endless = stream::repeat(chunk).map(Ok);
    let mut reader = Reader::of(Sse::proxy(upstream(endless)).unwrap());
    let error = loop {
        match reader.next().await.unwrap() {
            Ok(opening) => assert_eq!(opening, ":\n"),
            Err(error) => break error,
        }
    };
    assert_eq!(
        error.to_string(),
        "the data of an event exceeds 16777216 bytes"
    );

    let behind_another = format!("data: a\n\n{}", "x".repeat(17 << 20));
    let mut reader = Reader::of(Sse::proxy(ready([behind_another])).unwrap());
    assert_eq!(reader.frame().await, "data: a\n\n");
    assert!(reader.next().await.unwrap().is_err());

    let large = format!("data: {}\n\n", "x".repeat(15 << 20));
    let (one, two) = large.split_at(10 << 20);
    assert_eq!(
        passed_on(ready([one.to_owned(), two.to_owned()])).await,
        large
    );
}

#[tokio::test]
async fn an_event_in_place_of_a_failure_is_kept_as_well() {
    let resume = ResumeLayer::by(|_| Some(RunKey::new("run").public()));
    let handler = async || {
        let chunks = [
            Ok("data: a\n\ndata: ".into()),
            Err(io::Error::other("reset")),
        ];
        let proxied = Sse::proxy(upstream(stream::iter(chunks)))?;
        Ok::<_, NoEventStream>(proxied.fail_with(|_| Event::new().data("failed")))
    };
    let app = Router::new().route("/", get(handler)).layer(resume);
    for _ in 0..2 {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let text = String::from_utf8(Reader::of(response).rest().await.into()).unwrap();
        let data: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("data"))
            .collect();
        assert_eq!(data, ["data: a", "data: failed"], "{text}");
    }
}

#[tokio::test]
async fn a_resume_layer_keeps_no_event_that_its_log_would_not() {
    let large = || ready([format!("data: a\n\ndata: {}\n\n", "x".repeat(2 << 20))]);
    let resume = ResumeLayer::by(|_| Some(RunKey::new("run").public()));
    let app = Router::new()
        .route("/", get(async move || Sse::proxy(large())))
        .layer(resume);
    let request = Request::get("/").body(Body::empty()).unwrap();
    let mut reader = Reader::of(app.oneshot(request).await.unwrap());
    let mut seen = String::new();
    let failed = loop {
        match reader.next().await.expect("no clean end") {
            Ok(frame) => seen += str::from_utf8(&frame).unwrap(),
            Err(error) => break error,
        }
    };
    assert!(seen.ends_with("\ndata: a\n\n"), "{seen:?}, {failed}");
}

#[tokio::test]
async fn an_upstream_that_never_ends_an_event_lets_others_run() {
    let read = Arc::new(AtomicUsize::new(0));
    let counted = read.clone();
    let endless = stream::repeat("x").map(move |chunk| {
        counted.fetch_add(1, Relaxed);
        Ok(chunk.into())
    });
    let mut reader = Reader::of(Sse::proxy(upstream(endless)).unwrap());
    assert_eq!(reader.frame().now_or_never().unwrap(), ":\n");
    assert!(reader.next().now_or_never().is_none());
    assert!(read.load(Relaxed) < 1000);
}

#[tokio::test]
async fn who_observes_it_is_told_what_passed() {
    let seen = Arc::new(Mutex::new(None));
    let told = seen.clone();
    let response = Sse::proxy(ready([&STREAM[..60], &STREAM[60..]])).unwrap();
    let response = response.on_close(move |closed| *told.lock().unwrap() = Some(closed));
    Reader::of(response).rest().await;
    let closed = seen.lock().unwrap().take().unwrap();
    assert_eq!(closed.reason, CloseReason::Ended);
    assert_eq!(closed.events, 5);
    assert_eq!(closed.bytes, STREAM.len() as u64);
    assert_eq!(closed.last_id.unwrap().as_str(), "8");
}

#[tokio::test]
async fn a_layer_gives_it_no_ids() {
    let app = Router::new()
        .route("/", get(async || Sse::proxy(ready(["data: a\n\n"]))))
        .layer(SseLayer::new().ids(Ids::sequence()));
    let response = app
        .oneshot(Request::get("/").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(Reader::of(response).rest().await, "data: a\n\n");
}

#[tokio::test]
async fn nor_does_what_is_said_behind_the_events_get_one() {
    for upstream in ["id: 7\ndata: a\n\n", "data: a\n\n", ""] {
        let last = move || Event::new().data("[DONE]");
        let broken = [Ok(upstream.into()), Err(io::Error::other("reset"))];
        let broken = move || self::upstream(stream::iter(broken));
        for response in [
            Sse::proxy(ready([upstream])).unwrap().finish_with(last()),
            Sse::proxy(broken()).unwrap().fail_with(move |_| last()),
        ] {
            let text = Reader::of(response.ids(Ids::sequence())).rest().await;
            assert_eq!(text, format!("{upstream}data: [DONE]\n\n"));
        }
    }
}

#[tokio::test]
async fn under_a_resume_layer_the_events_get_ids_to_come_back_with() {
    let resume = ResumeLayer::by(|_| Some(RunKey::new("run").public()));
    let app = Router::new()
        .route(
            "/",
            get(async || Sse::proxy(ready([&STREAM[..60], &STREAM[60..]]))),
        )
        .layer(resume)
        .layer(SseLayer::new());
    let ask = async |id: &str| {
        let request = Request::get("/")
            .header("last-event-id", id)
            .body(Body::empty());
        Reader::of(app.clone().oneshot(request.unwrap()).await.unwrap())
            .rest()
            .await
    };
    let text = ask("").await;
    let ids: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    let without_ids = ids.iter().fold(text.clone(), |text, id| {
        text.replace(&format!("id: {id}\n"), "")
    });
    assert_eq!(
        without_ids.trim_start_matches(":\n"),
        "event: from.tomorrow\ndata: {\ndata: \n\nretry: 10\ndata: caf\u{e9} \u{1f980}\n\n\
         data: a\n\nretry: 5\ndata: {\"error\":{}}\n\ndata: [DONE]\n\n"
    );
    assert_eq!(ids.len(), 5);
    assert_eq!(
        ask(ids[3]).await,
        format!("id: {}\ndata: [DONE]\n\n", ids[4])
    );
}

fn answer(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Response<Body> {
    let response = Response::builder().status(status);
    let response = headers
        .iter()
        .fold(response, |it, (name, value)| it.header(*name, *value));
    response.body(body.into()).unwrap()
}

const CONNECTION: [(&str, &str); 15] = [
    ("connection", "x-other, X-Hop"),
    ("connection", "close"),
    ("keep-alive", "timeout=5"),
    ("x-hop", "1"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "h2c"),
    ("trailer", "x-sum"),
    ("proxy-authenticate", "Basic"),
    ("set-cookie", "upstream=1"),
    ("access-control-allow-origin", "*"),
    ("strict-transport-security", "max-age=1"),
    ("alt-svc", "h3"),
    ("clear-site-data", "\"*\""),
    ("nel", "{}"),
    ("report-to", "{}"),
];

#[track_caller]
fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn headers_pass_but_for_those_of_the_connection_and_of_another_origin() {
    let mut headers = CONNECTION.to_vec();
    headers.push(("content-type", "Text/Event-Stream; charset=utf-8"));
    headers.push(("content-length", "9"));
    headers.push(("cache-control", "public, max-age=60"));
    headers.push(("x-request-id", "r1"));
    let response = Sse::proxy(answer(200, &headers, "data: a\n\n"))
        .unwrap()
        .into_response();
    assert_eq!(
        names(response.headers()),
        [
            "cache-control",
            "content-type",
            "x-accel-buffering",
            "x-content-type-options",
            "x-request-id"
        ]
    );
    assert_eq!(
        response.headers()["content-type"],
        "Text/Event-Stream; charset=utf-8"
    );
    assert_eq!(
        response.headers()["cache-control"],
        "no-cache, no-store, no-transform"
    );
    assert_eq!(response.headers()["x-request-id"], "r1");
}

#[tokio::test]
async fn what_is_no_event_stream_passes_as_it_is() {
    const JSON: (&str, &str) = ("content-type", "application/json");
    const SSE: (&str, &str) = ("content-type", "text/event-stream");
    for (status, kind, said) in [
        (
            429,
            &[JSON, ("retry-after", "5")][..],
            "the upstream answered 429 Too Many Requests",
        ),
        (503, &[SSE], "the upstream answered 503 Service Unavailable"),
        (201, &[SSE], "the upstream answered 201 Created"),
        (
            200,
            &[JSON],
            "the upstream answered \"application/json\", no event stream",
        ),
        (200, &[], "the upstream answered no event stream"),
        (
            200,
            &[SSE, ("content-encoding", "gzip")],
            "the event stream of the upstream is compressed",
        ),
    ] {
        let mut headers = CONNECTION.to_vec();
        headers.extend_from_slice(kind);
        headers.push(("content-length", "4"));
        let refused = Sse::proxy(answer(status, &headers, "body")).unwrap_err();
        assert_eq!(refused.to_string(), said);
        assert_eq!(refused.as_response().status(), status);

        let response = refused.into_response();
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap());
        let mut expected: Vec<_> = kind
            .iter()
            .map(|(name, _)| *name)
            .chain(["content-length"])
            .collect();
        expected.sort_unstable();
        assert_eq!(names(response.headers()), expected);
        assert_eq!(to_bytes(response.into_body(), 10).await.unwrap(), "body");
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_does_not_wait_for_more() {
    let chunks = ["data: a\n\ndata: b\n", "\n"];
    let chunks = stream::iter(chunks).then(async |chunk| {
        sleep(Duration::from_secs(1)).await;
        Ok(chunk.into())
    });
    let mut reader = Reader::of(
        Sse::proxy(upstream(chunks.boxed()))
            .unwrap()
            .no_keep_alive(),
    );
    for frame in [":\n", "data: a\n\n", "data: b\n\n"] {
        assert_eq!(reader.frame().await, frame);
    }
}

#[tokio::test]
async fn a_handler_returns_either() {
    #[sse_tower::sse_handler(keep_alive = "20s", retry = "1s")]
    async fn pass_on(status: axum::extract::Path<u16>) -> Result<Sse<Block>, NoEventStream> {
        Sse::proxy(answer(
            *status,
            &[("content-type", "text/event-stream")],
            "data: a\n\n",
        ))
    }
    let app = Router::new().route("/{status}", get(pass_on));
    for (path, text) in [
        ("/200", "retry: 1000\ndata: a\n\n"),
        ("/500", "data: a\n\n"),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert!(path.ends_with(response.status().as_str()));
        assert_eq!(Reader::of(response).rest().await, text);
    }
}
