//! What is logged: what went wrong, and how streams end.
//!
//! A binary of its own, because the first subscriber decides what other threads log.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, Once};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::routing::get;
use common::Reader;
use futures_util::stream::{self, StreamExt as _};
use http::{Request, Response};
use sse_tower::{Event, Json, ResumeLayer, Retention, RunKey, Sse, SseEvent, SseLayer};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::Interest;

thread_local! {
    /// Spans are not looked at.
    static EVENTS_ALONE: Cell<bool> = const { Cell::new(false) };
    static LOG: RefCell<String> = const { RefCell::new(String::new()) };
    /// The spans of the thread in the order of their making, as `number name(level)`.
    static SPANS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Those that it is in, the innermost last.
    static ENTERED: RefCell<Vec<span::Id>> = const { RefCell::new(Vec::new()) };
}

fn name(id: &span::Id) -> String {
    let number = usize::try_from(id.into_u64()).unwrap();
    SPANS.with_borrow(|spans| spans[number - 1].clone())
}

/// Writes the events of `sse_tower` to the log of the thread.
struct Recorder;

/// Starts to record; each test does so first.
fn record() {
    static GLOBAL: Once = Once::new();
    GLOBAL.call_once(|| tracing::subscriber::set_global_default(Recorder).unwrap());
}

#[track_caller]
fn assert_logged(times: usize, text: &str) {
    let log = LOG.with_borrow(Clone::clone);
    assert_eq!(log.matches(text).count(), times, "{log}");
}

/// The response after a layer, read to its end or its error.
async fn read<E: SseEvent + 'static>(sse: Sse<E>) -> bool {
    read_response(sse.into_response()).await
}

async fn read_response(response: Response<Body>) -> bool {
    let mut response = Some(response);
    let service = service_fn(move |_: Request<Body>| {
        let response = response.take().unwrap();
        async move { Ok::<Response<Body>, std::convert::Infallible>(response) }
    });
    let request = Request::new(Body::empty());
    let response = SseLayer::new()
        .layer(service)
        .oneshot(request)
        .await
        .unwrap();
    let mut reader = Reader::of(response.map(Body::new));
    loop {
        match reader.next().await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return false,
            None => return true,
        }
    }
}

#[tokio::test]
async fn the_error_of_a_stream_is_logged_and_nowhere_else() {
    record();
    let items = [
        Ok(Event::new().data("a")),
        Err("the database password is 1234"),
    ];
    assert!(!read(Sse::new(stream::iter(items))).await);
    assert_logged(1, "event stream failed");
    assert_logged(1, "the database password is 1234");
    assert_logged(1, "reason=\"error\" events=1");
}

#[tokio::test]
async fn a_refused_field_is_named() {
    record();
    let bad = Event::named("ok").id("1\ndata: forged").data("x");
    assert!(!read(Sse::new(stream::iter([bad]))).await);
    assert_logged(1, "the `id` field cannot contain a line break");
}

#[tokio::test]
async fn the_cause_of_an_error_is_logged_too() {
    record();
    let bad = HashMap::from([((1, 2), 3)]);
    assert!(!read(Sse::new(stream::iter([Json(bad)]))).await);
    assert_logged(1, "cannot be serialized as JSON: key must be a string");
}

#[tokio::test]
async fn an_id_that_some_clients_cannot_send_back_is_logged_once() {
    record();
    let row = |id| Event::named("row").id(id).data("x");
    assert!(read(Sse::new(stream::iter([row("豆"), row("腐")]))).await);
    assert_logged(1, "not visible ASCII");
}

#[tokio::test]
async fn how_a_stream_ended_is_logged() {
    record();
    assert!(read(Sse::new(stream::iter([1, 2].map(Json)))).await);
    assert_logged(1, "event stream opened");
    assert_logged(
        1,
        "event stream closed reason=\"ended\" events=2 bytes=18 age_ms=0",
    );
}

#[tokio::test]
async fn each_stream_has_a_span_of_its_own() {
    record();
    let stream = |name| {
        let events = stream::iter([1, 2]).then(move |n| async move {
            tokio::task::yield_now().await;
            tracing::info!(target: "sse_tower::test", "event {n} of {name}");
            Json(n)
        });
        read(Sse::new(events))
    };
    assert_eq!(tokio::join!(stream("a"), stream("b")), (true, true));
    for (number, name) in [(1, "a"), (2, "b")] {
        let span = format!("{number} event_stream(DEBUG): ");
        assert_logged(1, &format!("{span}event stream opened"));
        assert_logged(1, &format!("{span}event 1 of {name}"));
        assert_logged(1, &format!("{span}event 2 of {name}"));
        assert_logged(1, &format!("span {span}events=2"));
    }
}

#[tokio::test]
async fn what_a_stream_logs_belongs_to_its_span() {
    record();
    let events = stream::iter([1]).map(|n| {
        tracing::info!(target: "sse_tower::test", "in the handler");
        Json(n)
    });
    assert!(read(Sse::new(events)).await);
    assert_logged(1, "1 event_stream(DEBUG): in the handler");
    assert_logged(1, "1 event_stream(DEBUG): event stream opened");
    assert_logged(1, "1 event_stream(DEBUG): event stream closed");
    assert_logged(1, "span 1 event_stream(DEBUG): reason=\"ended\"");
    assert_logged(1, "span 1 event_stream(DEBUG): events=1");
    assert_logged(1, "span 1 event_stream(DEBUG): bytes=9");
}

/// A stream that is not ours, read under the layer.
async fn read_foreign(items: impl IntoIterator<Item = Result<&'static str, &'static str>>) -> bool {
    let items: Vec<_> = items.into_iter().collect();
    let body = Body::from_stream(stream::iter(items));
    let head = Response::builder().header("content-type", "text/event-stream");
    read_response(head.body(body).unwrap()).await
}

#[tokio::test]
async fn streams_of_others_are_logged_too() {
    record();
    assert!(read_foreign([Ok("data: 1\n\n")]).await);
    assert_logged(1, "1 event_stream(DEBUG): event stream opened");
    assert_logged(
        1,
        "1 event_stream(DEBUG): event stream closed reason=\"ended\" events=1 bytes=9 age_ms=0",
    );
    assert_logged(1, "span 1 event_stream(DEBUG): reason=\"ended\"");
    assert_logged(0, "failed");
}

#[tokio::test]
async fn events_are_counted_for_those_who_look_at_no_span() {
    record();
    EVENTS_ALONE.set(true);
    assert!(read_foreign([Ok("data: 1\n\n")]).await);
    assert_logged(
        1,
        "event stream closed reason=\"ended\" events=1 bytes=9 age_ms=0",
    );
}

#[tokio::test]
async fn the_failure_of_another_is_logged_without_its_text() {
    record();
    assert!(!read_foreign([Ok("data: 1\n\n"), Err("secret")]).await);
    assert_logged(1, "1 event_stream(DEBUG): event stream failed");
    assert_logged(0, "secret");
    assert_logged(1, "event stream closed reason=\"error\" events=1");
}

#[tokio::test]
async fn a_client_that_falls_behind_is_nobodys_mistake() {
    record();
    let (sender, receiver) = mpsc::unbounded_channel();
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let handler = move || {
        let events = UnboundedReceiverStream::new(receiver.lock().unwrap().take().unwrap());
        std::future::ready(Sse::new(events.map(Json)))
    };
    let keep = Retention::events(2);
    let runs = ResumeLayer::by(|_| Some(RunKey::new(()).public())).keep(keep);
    let app = Router::new().route("/", get(handler)).layer(runs);
    let app = app.layer(SseLayer::new());
    let open = async || {
        let request = Request::new(Body::empty());
        Reader::of(app.clone().oneshot(request).await.unwrap())
    };
    let (mut fast, mut slow) = (open().await, open().await);
    for n in 0..9 {
        sender.send(n).unwrap();
        while !fast.frame().await.contains(&format!("data: {n}\n")) {}
    }
    while let Some(Ok(_)) = slow.next().await {}
    drop(slow);
    assert_logged(1, "event stream closed reason=\"lagged\"");
    assert_logged(0, "failed");
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => write!(self.0, "{value:?} "),
            name => write!(self.0, "{name}={value:?} "),
        }
        .unwrap();
    }
}

impl tracing::Subscriber for Recorder {
    fn register_callsite(&self, _: &'static tracing::Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        let wanted = metadata.is_event() || !EVENTS_ALONE.get();
        wanted && metadata.target().starts_with("sse_tower")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        LOG.with_borrow_mut(|log| {
            let inner = ENTERED.with_borrow(|spans| spans.last().cloned());
            if let Some(id) = event.parent().or(inner.as_ref()) {
                write!(log, "{}: ", name(id)).unwrap();
            }
            event.record(&mut Line(log));
            log.push('\n');
        });
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let metadata = span.metadata();
        SPANS.with_borrow_mut(|spans| {
            let number = spans.len() + 1;
            spans.push(format!(
                "{number} {}({})",
                metadata.name(),
                metadata.level()
            ));
            span::Id::from_u64(number as u64)
        })
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        LOG.with_borrow_mut(|log| {
            write!(log, "span {}: ", name(id)).unwrap();
            values.record(&mut Line(log));
            log.push('\n');
        });
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, id: &span::Id) {
        ENTERED.with_borrow_mut(|spans| spans.push(id.clone()));
    }

    fn exit(&self, _: &span::Id) {
        ENTERED.with_borrow_mut(Vec::pop);
    }
}
