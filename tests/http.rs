//! Handlers under `SseLayer`, as a router runs them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use common::Reader;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{Method, Request, StatusCode};
use sse_tower::{
    Drain, END_ID, Event, EventId, Ids, Json, KeepAlive, LastEventId, LastEventIdRejection, Resume,
    Retry, Shutdown, Sse, SseEvent, SseLayer, sse_handler,
};
use tokio::time::Instant;
use tower::ServiceExt as _;

/// The events of these tests.
#[derive(SseEvent)]
enum Job {
    Step(u32),
    #[sse(terminal)]
    Done,
}

const END: &str = "event: sse-tower:end\nid: sse-tower:end\ndata: {}\n\n";

async fn job() -> Sse<Job> {
    Sse::new(stream::iter([Job::Step(1), Job::Done, Job::Step(2)]))
}

fn request(method: Method, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

async fn call(app: &Router, method: Method, headers: &[(&str, &str)]) -> Response {
    app.clone().oneshot(request(method, headers)).await.unwrap()
}

async fn text(app: &Router, method: Method, headers: &[(&str, &str)]) -> String {
    Reader::of(call(app, method, headers).await).rest().await
}

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

#[tokio::test]
async fn a_terminal_event_tells_an_event_source_not_to_come_back() {
    let app = Router::new()
        .route("/", get(job).post(job))
        .layer(SseLayer::new());
    let events = "event: step\ndata: 1\n\nevent: done\ndata: {}\n\n";
    assert_eq!(
        text(&app, Method::GET, &[EVENTS]).await,
        format!("{events}{END}")
    );
    // Clients that do not come back by themselves get the terminal event alone.
    assert_eq!(text(&app, Method::GET, &[("accept", "*/*")]).await, events);
    assert_eq!(text(&app, Method::GET, &[]).await, events);
    assert_eq!(text(&app, Method::POST, &[EVENTS]).await, events);

    let off = Router::new()
        .route("/", get(job))
        .layer(SseLayer::new().end_marker(false));
    assert_eq!(text(&off, Method::GET, &[EVENTS]).await, events);
    let bare = Router::new().route("/", get(job));
    assert_eq!(text(&bare, Method::GET, &[EVENTS]).await, events);
}

#[tokio::test]
async fn a_stream_that_ends_without_a_terminal_event_has_no_marker() {
    let app = Router::new()
        .route(
            "/",
            get(|| async { Sse::new(stream::iter([Job::Step(1)])) }),
        )
        .layer(SseLayer::new());
    assert_eq!(
        text(&app, Method::GET, &[EVENTS]).await,
        "event: step\ndata: 1\n\n"
    );
}

#[tokio::test]
async fn a_terminal_block_is_followed_by_the_marker() {
    let block = sse_tower::Block::encode(&Job::Done).unwrap();
    let app = Router::new()
        .route(
            "/",
            get(move || async move { Sse::new(stream::iter([block])) }),
        )
        .layer(SseLayer::new());
    assert_eq!(
        text(&app, Method::GET, &[EVENTS]).await,
        format!("event: done\ndata: {{}}\n\n{END}")
    );
}

#[tokio::test]
async fn a_client_past_the_end_gets_204_without_the_handler() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let handler = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        job()
    };
    let route = get(handler.clone()).post(handler);
    let app = Router::new().route("/", route).layer(SseLayer::new());

    let response = call(&app, Method::GET, &[EVENTS, ("last-event-id", END_ID)]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(calls.load(Ordering::Relaxed), 0);

    // Any other request is untouched.
    for (method, headers) in [
        (Method::GET, &[("last-event-id", END_ID)][..]),
        (Method::GET, &[EVENTS, ("last-event-id", "sse-tower:en")]),
        (Method::GET, &[EVENTS, ("last-event-id", "7")]),
        (Method::POST, &[EVENTS, ("last-event-id", END_ID)]),
    ] {
        assert_eq!(call(&app, method, headers).await.status(), StatusCode::OK);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 4);

    // Nor does a layer answer that never sends the marker.
    let off = Router::new()
        .route("/", get(job))
        .layer(SseLayer::new().end_marker(false));
    let response = call(&off, Method::GET, &[EVENTS, ("last-event-id", END_ID)]).await;
    assert_eq!(response.status(), StatusCode::OK);
}

/// Who may decide about a stream, the first of them with the last word.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Handler = 1,
    Attribute,
    Inner,
    Outer,
}

impl By {
    const ALL: [Self; 4] = [Self::Handler, Self::Attribute, Self::Inner, Self::Outer];

    fn secs(self) -> Duration {
        Duration::from_secs(self as u64)
    }

    fn keep_alive(self) -> KeepAlive {
        KeepAlive::every(Duration::from_millis(100)).comment(&format!("{self:?}"))
    }

    fn retry(self) -> Retry {
        Retry::fixed(self.secs())
    }

    fn ids(self) -> Ids {
        Ids::by(move |_| EventId::from(self as u64))
    }

    fn drain(self) -> Drain {
        Drain::FinishWithin(self.secs())
    }

    fn layer(self, knob: Knob) -> SseLayer {
        let layer = SseLayer::new();
        match knob {
            Knob::KeepAlive => layer.keep_alive(self.keep_alive()),
            Knob::Retry => layer.retry(self.retry()),
            Knob::Ids => layer.ids(self.ids()),
            Knob::Drain => layer.drain(self.drain()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Knob {
    KeepAlive,
    Retry,
    Ids,
    Drain,
}

/// An event, then silence; the handler itself turns `knob` if it `decides`.
fn one_event(knob: Knob, decides: bool) -> Sse<Job> {
    let sse = Sse::new(stream::iter([Job::Step(1)]).chain(stream::pending()));
    match knob {
        _ if !decides => sse,
        Knob::KeepAlive => sse.keep_alive(By::Handler.keep_alive()),
        Knob::Retry => sse.retry(By::Handler.retry()),
        Knob::Ids => sse.ids(By::Handler.ids()),
        Knob::Drain => sse.drain(By::Handler.drain()),
    }
}

#[sse_handler]
async fn bare(State((knob, decides)): State<(Knob, bool)>) -> Sse<Job> {
    one_event(knob, decides)
}

#[sse_handler(
    keep_alive = By::Attribute.keep_alive(),
    retry = By::Attribute.retry(),
    ids = By::Attribute.ids(),
    drain = By::Attribute.drain(),
)]
async fn attributed(State((knob, decides)): State<(Knob, bool)>) -> Sse<Job> {
    one_event(knob, decides)
}

/// Whose word about `knob` counts where `who` decides.
async fn winner(knob: Knob, who: &[By]) -> By {
    let stop = Shutdown::new();
    let layer = |by: By| {
        let decides = who.contains(&by).then(|| by.layer(knob));
        decides.unwrap_or_default()
    };
    let route = match who.contains(&By::Attribute) {
        true => get(attributed),
        false => get(bare),
    };
    let app = Router::new()
        .route("/", route)
        .with_state((knob, who.contains(&By::Handler)))
        .layer(layer(By::Inner))
        .layer(layer(By::Outer).shutdown(&stop));
    let mut reader = Reader::of(call(&app, Method::GET, &[]).await);
    let mut text = String::new();
    if knob == Knob::Drain {
        stop.begin();
        let begun = Instant::now();
        reader.rest().await;
        let after = begun.elapsed();
        return *By::ALL.iter().find(|by| by.secs() == after).unwrap();
    }
    for _ in 0..3 {
        text += &reader.frame().await;
    }
    let wanted = |by: &By| match knob {
        Knob::KeepAlive => text.contains(&format!(": {by:?}\n")),
        Knob::Retry => text.contains(&format!("retry: {}000\n", *by as u64)),
        Knob::Ids => text.contains(&format!("id: {}\n", *by as u64)),
        Knob::Drain => unreachable!("it returned"),
    };
    *By::ALL.iter().find(|by| wanted(by)).expect(&text)
}

#[tokio::test(start_paused = true)]
async fn the_innermost_who_decides_has_the_last_word() {
    for knob in [Knob::KeepAlive, Knob::Retry, Knob::Ids, Knob::Drain] {
        for set in 1..1 << By::ALL.len() {
            let who = By::ALL.into_iter().enumerate();
            let who: Vec<_> = who
                .filter_map(|(n, by)| (set >> n & 1 == 1).then_some(by))
                .collect();
            assert_eq!(winner(knob, &who).await, who[0], "{knob:?} by {who:?}");
        }
    }
}

#[tokio::test]
async fn uuids_are_of_version_7_and_rise() {
    let ids = SseLayer::new().ids(Ids::uuid_v7());
    let handler = async || Sse::new(stream::iter([1, 2, 3].map(Json)));
    let app = Router::new().route("/", get(handler)).layer(ids);
    let text = text(&app, Method::GET, &[]).await;
    let ids: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    for id in ids {
        let groups: Vec<_> = id.split('-').collect();
        let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        let hex = |group: &&str| u64::from_str_radix(group, 16).unwrap();
        let numbers: Vec<_> = groups.iter().map(hex).collect();
        assert_eq!((numbers[2] >> 12, numbers[3] >> 14), (7, 0b10), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn nested_layers_send_one_keep_alive_and_one_marker() {
    let app = Router::new()
        .route("/", get(|| async { Sse::new(stream::pending::<Event>()) }))
        .layer(SseLayer::new())
        .layer(
            SseLayer::new().keep_alive(KeepAlive::every(Duration::from_secs(5)).comment("outer")),
        );
    let mut reader = Reader::of(call(&app, Method::GET, &[EVENTS]).await);
    assert_eq!(reader.frame().await, ":\n");
    for _ in 0..3 {
        assert_eq!(reader.frame().await, ": outer\n");
    }

    let app = Router::new()
        .route("/", get(job))
        .layer(SseLayer::new())
        .layer(SseLayer::new());
    assert_eq!(
        text(&app, Method::GET, &[EVENTS])
            .await
            .matches(END)
            .count(),
        1
    );
}

#[tokio::test]
async fn settings_survive_what_changes_the_response_in_between() {
    let app = Router::new()
        .route("/", get(job))
        .layer(axum::middleware::map_response(
            |response: Response| async move {
                let (parts, body) = response.into_parts();
                Response::from_parts(parts, Body::new(body))
            },
        ))
        .layer(SseLayer::new().retry(Retry::fixed(Duration::from_secs(4))));
    let bytes = text(&app, Method::GET, &[EVENTS]).await;
    assert!(
        bytes.starts_with("retry: 4000\n") && bytes.ends_with(END),
        "{bytes}"
    );
}

/// A middleware that waits for the first event, say to choose a status, begins the stream.
#[tokio::test(start_paused = true)]
async fn a_stream_that_has_begun_already_is_anyones() {
    let layer = SseLayer::new().reconnect(Retry::fixed(Duration::from_secs(2)));
    let events = || stream::iter([Job::Step(1)]).chain(stream::pending());
    let app = Router::new()
        .route("/", get(async move || Sse::new(events())))
        .layer(axum::middleware::map_response(
            |mut response: Response| async move {
                let mut body = std::mem::take(response.body_mut()).into_data_stream();
                let first = body.next().await;
                *response.body_mut() = Body::from_stream(stream::iter(first).chain(body));
                response
            },
        ))
        .layer(layer.clone());
    let (_, body) = call(&app, Method::GET, &[EVENTS]).await.into_parts();
    let mut reader = Reader { body };
    assert_eq!(reader.frame().await, "event: step\ndata: 1\n\n");
    assert_eq!(layer.open_streams(), 1);
    layer.end_streams();
    assert_eq!(reader.rest().await, "retry: 2000\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_body_put_in_place_of_ours_is_anyones() {
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(4)));
    let app = Router::new()
        .route("/", get(job))
        .layer(axum::middleware::map_response(
            |response: Response| async move { response.map(|_| Body::from("data: other\n\n")) },
        ))
        .layer(layer);
    let bytes = text(&app, Method::GET, &[EVENTS]).await;
    assert_eq!(bytes, "retry: 4000\ndata: other\n\n");
}

/// What is known of the response, for the log say, may live longer than its stream.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_dropped_unread_leaves_at_once() {
    let layer = SseLayer::new();
    let silent = async || Sse::new(stream::pending::<Event>());
    let foreign = async || {
        let silent = stream::pending::<Result<String, std::convert::Infallible>>();
        (
            [("content-type", "text/event-stream")],
            Body::from_stream(silent),
        )
    };
    for route in [get(silent), get(foreign)] {
        let app = Router::new().route("/", route).layer(layer.clone());
        let (_parts, body) = call(&app, Method::GET, &[]).await.into_parts();
        assert_eq!(layer.open_streams(), 1);
        drop(body);
        assert_eq!(layer.open_streams(), 0);
    }
}

#[tokio::test]
async fn a_body_taken_out_of_its_response_is_anyones() {
    let app = Router::new()
        .route("/", get(job))
        .layer(axum::middleware::map_response(
            |response: Response| async move {
                (
                    [("content-type", "text/event-stream")],
                    response.into_body(),
                )
                    .into_response()
            },
        ))
        .layer(SseLayer::new().retry(Retry::fixed(Duration::from_secs(4))));
    let bytes = text(&app, Method::GET, &[EVENTS]).await;
    assert_eq!(
        bytes,
        "retry: 4000\nevent: step\ndata: 1\n\nevent: done\ndata: {}\n\n"
    );
}

#[tokio::test]
async fn events_without_an_id_get_one() {
    async fn plain() -> Sse<Json<char>> {
        Sse::new(stream::iter(['a', 'b', 'c'].map(Json)))
    }
    let app = |ids| {
        Router::new()
            .route("/", get(plain))
            .layer(SseLayer::new().ids(ids))
    };
    let sequence = app(Ids::sequence());
    let bytes = text(&sequence, Method::GET, &[]).await;
    assert_eq!(
        bytes,
        "id: 1\ndata: \"a\"\n\nid: 2\ndata: \"b\"\n\nid: 3\ndata: \"c\"\n\n"
    );
    let bytes = text(&sequence, Method::GET, &[("last-event-id", "41")]).await;
    assert!(bytes.starts_with("id: 42\n"));
    // The header is anyone's: no overflow, no nonsense.
    let bytes = text(
        &sequence,
        Method::GET,
        &[("last-event-id", "18446744073709551615")],
    )
    .await;
    assert!(bytes.starts_with("id: 18446744073709551615\n"));
    let bytes = text(&sequence, Method::GET, &[("last-event-id", "x")]).await;
    assert!(bytes.starts_with("id: 1\n"));

    let shared = app(Ids::shared());
    text(&shared, Method::GET, &[]).await;
    assert!(
        text(&shared, Method::GET, &[]).await.starts_with("id: 4\n"),
        "counts on"
    );

    let by = app(Ids::by(|context| {
        let after = context.last_event_id().unwrap_or("start");
        let id = EventId::new(format!("{after}-{}", context.assigned()));
        // What a client sends may be no id at all.
        id.unwrap_or(EventId::from(0))
    }));
    let bytes = text(&by, Method::GET, &[("last-event-id", "k")]).await;
    assert!(
        bytes.starts_with("id: k-0\n") && bytes.contains("id: k-1\n"),
        "{bytes}"
    );
}

#[tokio::test]
async fn ids_of_the_handler_and_of_the_layer_never_mix() {
    #[derive(SseEvent)]
    enum Typed {
        Plain(u8),
        #[allow(dead_code, reason = "the declaration counts")]
        Own {
            #[sse(id)]
            id: u8,
        },
    }
    // Only events with data get an id, and the first id of the handler ends it.
    let untyped = || async {
        let events = [
            Event::new().data("a"),
            Event::new().comment("b"),
            Event::new().data("c").id("own"),
            Event::new().data("d"),
        ];
        Sse::new(stream::iter(events))
    };
    let typed = || async { Sse::new(stream::iter([Typed::Plain(1)])) };
    let layer = SseLayer::new().ids(Ids::sequence());
    let app = Router::new()
        .route("/", get(untyped).post(typed))
        .layer(layer);
    assert_eq!(
        text(&app, Method::GET, &[]).await,
        "id: 1\ndata: a\n\n: b\nid: own\ndata: c\n\ndata: d\n\n"
    );
    assert_eq!(
        text(&app, Method::POST, &[]).await,
        "event: plain\ndata: 1\n\n"
    );
}

#[tokio::test(start_paused = true)]
async fn open_streams_are_counted_and_can_be_ended() {
    let layer = SseLayer::new().reconnect(Retry::fixed(Duration::from_secs(2)));
    let app = Router::new()
        .route("/", get(|| async { Sse::new(stream::pending::<Event>()) }))
        .layer(layer.clone());
    let mut first = Reader::of(call(&app, Method::GET, &[]).await);
    let second = call(&app, Method::GET, &[]).await;
    assert_eq!(layer.open_streams(), 2);
    drop(second);
    assert_eq!(layer.open_streams(), 1);

    assert_eq!(first.frame().await, ":\n");
    let waiting = tokio::spawn(first.rest());
    tokio::task::yield_now().await;
    let asked = Instant::now();
    layer.end_streams();
    assert_eq!(waiting.await.unwrap(), "retry: 2000\n\n");
    assert_eq!(
        asked.elapsed(),
        Duration::ZERO,
        "an idle stream wakes up to end"
    );
    assert_eq!(layer.open_streams(), 0);

    let app = Router::new().route("/", get(job)).layer(layer.clone());
    text(&app, Method::GET, &[]).await;
    assert_eq!(layer.open_streams(), 0);
}

#[tokio::test]
async fn a_stream_that_panics_is_not_counted_any_more() {
    let layer = SseLayer::new();
    let panics =
        || async { Sse::new(stream::iter([1]).map(|_| -> Event { panic!("handler bug") })) };
    let app = Router::new().route("/", get(panics)).layer(layer.clone());
    let response = call(&app, Method::GET, &[]).await;
    assert_eq!(layer.open_streams(), 1);
    assert!(tokio::spawn(Reader::of(response).rest()).await.is_err());
    assert_eq!(layer.open_streams(), 0);
}

#[tokio::test]
async fn head_gets_headers_only_and_is_not_counted() {
    let layer = SseLayer::new();
    let app = Router::new().route("/", get(job)).layer(layer.clone());
    let response = call(&app, Method::HEAD, &[EVENTS]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    assert_eq!(layer.open_streams(), 0);
    assert_eq!(Reader::of(response).rest().await, "");
}

/// What the four ways to read `Last-Event-ID` make of one header.
async fn check_extractors(header: Option<&str>, expected: [&str; 4]) {
    async fn required(LastEventId(id): LastEventId<u64>) -> String {
        format!("{id}")
    }
    async fn optional(id: Option<LastEventId<u64>>) -> String {
        format!("{id:?}")
    }
    async fn decide(id: Result<Option<LastEventId<u64>>, LastEventIdRejection>) -> String {
        let sent =
            |rejection: LastEventIdRejection| rejection.raw().map(|raw| raw.as_bytes().len());
        format!("{:?}", id.map_err(sent))
    }
    async fn resume(resume: Resume<u64>) -> String {
        format!("{resume:?}")
    }
    let routes = [get(required), get(optional), get(decide), get(resume)];
    for (route, expected) in routes.into_iter().zip(expected) {
        let app = Router::new().route("/", route);
        let headers: Vec<_> = header
            .map(|value| ("last-event-id", value))
            .into_iter()
            .collect();
        let response = call(&app, Method::GET, &headers).await;
        let status = response.status().as_u16();
        assert_eq!(
            format!("{status} {}", Reader::of(response).rest().await),
            expected
        );
    }
}

#[tokio::test]
async fn last_event_id_is_strict_and_resume_is_lenient() {
    const MISSING: &str = "400 the `Last-Event-ID` header is missing";
    const INVALID: &str = "400 the `Last-Event-ID` header is not a valid `u64`";
    const TOO_LONG: &str = "400 the `Last-Event-ID` header is longer than 8192 bytes";
    let long = "9".repeat(8 * 1024 + 1);
    let seven = [
        "200 7",
        "200 Some(LastEventId(7))",
        "200 Ok(Some(LastEventId(7)))",
        "200 After(7)",
    ];
    check_extractors(None, [MISSING, "200 None", "200 Ok(None)", "200 Fresh"]).await;
    check_extractors(
        Some(" "),
        [MISSING, "200 None", "200 Ok(None)", "200 Fresh"],
    )
    .await;
    check_extractors(Some(" 7 "), seven).await;
    let odd = [
        INVALID,
        INVALID,
        "200 Err(Some(8))",
        "200 Unreadable(Raw(8 bytes))",
    ];
    check_extractors(Some("<script>"), odd).await;
    let odd = [
        TOO_LONG,
        TOO_LONG,
        "200 Err(None)",
        "200 Unreadable(Raw(8193 bytes))",
    ];
    check_extractors(Some(&long), odd).await;
}

#[tokio::test]
async fn an_id_is_utf8_or_else_latin_1() {
    async fn echo(LastEventId(id): LastEventId) -> String {
        id
    }
    let app = Router::new().route("/", post(echo));
    for (bytes, id) in [("…".as_bytes(), "…"), (b"\xE9", "é"), (b"a b", "a b")] {
        let request = Request::post("/")
            .header("last-event-id", bytes)
            .body(Body::empty())
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(Reader::of(response).rest().await, id);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_decides_no_layer_changes() {
    async fn handler() -> impl axum::response::IntoResponse {
        let events = stream::iter([Event::new().data("a")]).chain(stream::pending());
        let keep_alive = KeepAlive::every(Duration::from_secs(1)).comment("handler");
        let sse = Sse::new(events)
            .keep_alive(keep_alive)
            .ids(Ids::by(|_| EventId::from(77)));
        ([("x-accel-buffering", "yes")], sse)
    }
    let layer = SseLayer::new().no_keep_alive().ids(Ids::sequence());
    let app = Router::new().route("/", get(handler)).layer(layer);
    let response = call(&app, Method::GET, &[]).await;
    assert_eq!(response.headers()["x-accel-buffering"], "yes");
    let mut reader = Reader::of(response);
    assert_eq!(reader.frame().await, "id: 77\ndata: a\n\n");
    assert_eq!(reader.frame().await, ": handler\n");
}

#[tokio::test]
async fn what_an_inner_layer_leaves_open_the_outer_one_decides() {
    let marker = |inner: SseLayer, outer: SseLayer| async {
        let app = Router::new().route("/", get(job)).layer(inner).layer(outer);
        text(&app, Method::GET, &[EVENTS]).await.contains(END)
    };
    let off = || SseLayer::new().end_marker(false);
    assert!(marker(SseLayer::new(), SseLayer::new()).await);
    assert!(!marker(SseLayer::new(), off()).await);
    assert!(!marker(off(), SseLayer::new().end_marker(true)).await);
}

#[tokio::test]
async fn a_stream_of_ours_is_configured_before_it_is_compressed() {
    let app = Router::new()
        .route("/", get(job))
        .layer(axum::middleware::map_response(
            |mut response: Response| async move {
                response
                    .headers_mut()
                    .insert("content-encoding", "gzip".parse().unwrap());
                response
            },
        ))
        .layer(SseLayer::new());
    assert!(text(&app, Method::GET, &[EVENTS]).await.ends_with(END));
}

#[tokio::test]
async fn only_a_200_that_is_still_an_event_stream_is_one() {
    let failed = || async { (StatusCode::BAD_GATEWAY, job().await) };
    // The parts of our response around another body.
    let replaced = || async {
        let (mut parts, _) = job().await.into_response().into_parts();
        parts
            .headers
            .insert("content-type", "application/json".parse().unwrap());
        parts.headers.insert("content-length", "2".parse().unwrap());
        Response::from_parts(parts, Body::from("{}"))
    };
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(1)));
    let app = Router::new()
        .route("/", get(failed).post(replaced))
        .layer(layer.clone());
    let bytes = text(&app, Method::GET, &[EVENTS]).await;
    assert_eq!(bytes, "event: step\ndata: 1\n\nevent: done\ndata: {}\n\n");
    let json = call(&app, Method::POST, &[]).await;
    assert_eq!(json.headers()["content-length"], "2");
    assert_eq!(layer.open_streams(), 0);
}

#[tokio::test]
async fn ids_stop_at_the_first_that_is_not_theirs_in_blocks_too() {
    let own = sse_tower::Block::encode(&Event::new().id("own").data("a")).unwrap();
    let plain = sse_tower::Block::encode(&Event::new().data("b")).unwrap();
    let events = move || async move {
        let events: Vec<Box<dyn SseEvent + Send>> = vec![
            Box::new(plain),
            Box::new(own),
            Box::new(Event::new().data("c")),
        ];
        Sse::new(stream::iter(events)).ids(Ids::sequence())
    };
    let app = Router::new().route("/", get(events));
    let bytes = text(&app, Method::GET, &[]).await;
    assert_eq!(bytes, "data: b\n\nid: own\ndata: a\n\ndata: c\n\n");
}

#[tokio::test]
async fn a_type_that_declares_an_id_is_never_counted_however_it_is_held() {
    #[derive(SseEvent)]
    enum Typed {
        Plain(u8),
        #[allow(dead_code, reason = "the declaration counts")]
        Own(#[sse(id)] u8),
    }
    async fn bytes<E: SseEvent + Send + 'static>(event: E, ids: Ids) -> String {
        Reader::of(Sse::new(stream::iter([event])).ids(ids))
            .rest()
            .await
    }
    #[derive(SseEvent)]
    enum Outer {
        #[sse(flatten)]
        #[allow(dead_code, reason = "the declaration counts")]
        Typed(Typed),
        Plain(u8),
    }
    let plain = "event: plain\ndata: 1\n\n";
    assert_eq!(bytes(Typed::Plain(1), Ids::sequence()).await, plain);
    assert_eq!(bytes(Outer::Plain(1), Ids::sequence()).await, plain);
    assert_eq!(
        bytes(Box::new(Typed::Plain(1)), Ids::sequence()).await,
        plain
    );
    assert_eq!(
        bytes(Arc::new(Typed::Plain(1)), Ids::sequence()).await,
        plain
    );
    let boxed: Box<dyn SseEvent + Send> = Box::new(Typed::Plain(1));
    assert_eq!(bytes(boxed, Ids::sequence()).await, plain);
    // Whoever asks for other ids knows the type.
    let by = Ids::by(|_| EventId::from(5));
    assert_eq!(
        bytes(Typed::Plain(1), by).await,
        "event: plain\nid: 5\ndata: 1\n\n"
    );
    assert!(
        bytes(Typed::Plain(1), Ids::shared())
            .await
            .contains("id: 1\n")
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_ended_before_its_first_event_completes_its_hint() {
    let layer = SseLayer::new()
        .retry(Retry::fixed(Duration::from_secs(2)))
        .reconnect(Retry::fixed(Duration::from_secs(7)));
    let idle = || async { Sse::new(stream::pending::<Event>()) };
    let app = Router::new().route("/", get(idle)).layer(layer.clone());
    let mut reader = Reader::of(call(&app, Method::GET, &[]).await);
    assert_eq!(reader.frame().await, "retry: 2000\n");
    layer.end_streams();
    assert_eq!(reader.rest().await, "retry: 7000\n\n");
}

#[tokio::test]
async fn clones_of_a_layer_share_their_counters() {
    let plain = || async { Sse::new(stream::iter([Json(1)])) };
    let app = Router::new()
        .route("/", get(plain))
        .route("/other", get(plain))
        .layer(SseLayer::new().ids(Ids::shared()));
    assert!(text(&app, Method::GET, &[]).await.starts_with("id: 1\n"));
    let other = Request::get("/other").body(Body::empty()).unwrap();
    let other = app.oneshot(other).await.unwrap();
    assert!(Reader::of(other).rest().await.starts_with("id: 2\n"));
}

#[tokio::test]
async fn a_client_past_the_end_gets_204_whatever_the_route() {
    let app = Router::new()
        .layer(SseLayer::new())
        .fallback(|| async { StatusCode::NOT_FOUND });
    let app = app.layer(SseLayer::new());
    let response = call(&app, Method::GET, &[EVENTS, ("last-event-id", END_ID)]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        call(&app, Method::GET, &[EVENTS]).await.status(),
        StatusCode::NOT_FOUND
    );
}
