//! A server for clients: every route is an event stream that is hard in one way, or that of an SDK.
//!
//! `GET /log` tells what clients asked, `DELETE /log` forgets it and them.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, Query, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router, body::Bytes, middleware};
use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use sse_tower::{
    EncodeError, Event, EventId, KeepAlive, LAST_EVENT_ID, LastEventId, Resume, Retry, Sse,
    SseEvent, SseLayer,
};
use tokio::net::TcpListener;
use tokio::time::sleep;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::log::{self, Log};
use crate::{foreign, jobs, llm, mcp};

#[tokio::main]
pub(crate) async fn run(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("{}", json!({ "port": listener.local_addr()?.port() }));
    // Small events must not wait for the acknowledgement of the one before.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, app()).await?;
    Ok(())
}

pub(crate) fn app() -> Router {
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(true);
    let shared = Shared::default();
    let record = middleware::from_fn_with_state(shared.clone(), log::record);
    Router::new()
        .route("/sse/basic", get(basic))
        .route("/sse/resume", get(resume))
        .route("/sse/keepalive", get(keepalive))
        .route("/sse/burst", get(burst))
        .route("/sse/multiline", get(multiline))
        .route("/sse/id-echo", get(id_echo))
        .route("/sse/retry", get(retry))
        .route("/sse/terminal", get(terminal))
        .route("/sse/last-event-id", get(last_event_id))
        .route("/sse/204", get(StatusCode::NO_CONTENT))
        .route("/sse/status/{status}", get(status))
        .route("/sse/headers", get(headers))
        .route("/sse/redirect/{status}", get(redirect))
        .route("/sse/echo", post(echo))
        .route("/sse/slow", get(slow))
        .route("/sse/raw", get(foreign::raw))
        .route("/sse/ctype", get(foreign::content_type))
        .route("/v1/chat/completions", post(llm::chat_completions))
        .route("/v1/responses", post(llm::responses))
        .route("/v1/messages", post(llm::messages))
        .route("/api/chat", post(llm::chat))
        .route("/api/chat/{id}/stream", get(StatusCode::NO_CONTENT))
        .route(
            "/mcp",
            post(mcp::request).get(mcp::resume).delete(StatusCode::OK),
        )
        .layer(SseLayer::new())
        .merge(jobs::router())
        // Outside, because `SseLayer` answers some requests itself.
        .layer(cors)
        .route_layer(record)
        .route("/log", get(requests).delete(forget))
        .route("/", get(Html(PAGE)))
        .with_state(shared)
}

/// A browser opens streams from a page of the same origin.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>sse</title>";

/// What most routes send.
#[derive(SseEvent)]
enum Feed {
    #[sse(unnamed, data = "text")]
    Text(&'static str),
    #[sse(unnamed, data = "text")]
    Item(#[sse(id)] u64, String),
    Tick(#[sse(id)] u64, u64),
    #[sse(data = "text", terminal)]
    Done(&'static str),
    #[sse(data = "text", terminal)]
    Finished(&'static str),
}

const BYE: Feed = Feed::Done("bye");

/// The numbers that routes take.
#[derive(Deserialize)]
struct Numbers {
    total: Option<u64>,
    per: Option<u64>,
    retry: Option<u64>,
    cut: Option<u64>,
    idle: Option<u64>,
    every: Option<u64>,
    n: Option<u64>,
    ms: Option<u64>,
    gap: Option<u64>,
}

fn millis(number: Option<u64>, default: u64) -> Duration {
    Duration::from_millis(number.unwrap_or(default))
}

/// What outlives a connection.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) log: Log,
    pub(crate) mcp: mcp::Streams,
    /// The routes that remember a client, with their queries.
    seen: Mutex<HashSet<String>>,
}

pub(crate) type Shared = Arc<Memory>;

impl Memory {
    /// Whether this is the first connection to `route` with this query.
    fn is_first(&self, route: &str, query: Option<&str>) -> bool {
        self.seen()
            .insert(format!("{route}?{}", query.unwrap_or_default()))
    }

    fn seen(&self) -> MutexGuard<'_, HashSet<String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn requests(State(shared): State<Shared>) -> Json<Vec<log::Entry>> {
    Json(shared.log.entries())
}

async fn forget(State(shared): State<Shared>) {
    shared.log.forget();
    shared.seen().clear();
}

/// Events by hand: a comment, no name, a name, two lines.
async fn basic(before: Option<LastEventId>) -> Result<Sse<Event>, StatusCode> {
    if before.is_some() {
        return Err(StatusCode::NO_CONTENT);
    }
    Ok(Sse::new(stream::iter([
        Ok(Event::new().comment("hello").data("one")),
        Event::named("update").id(1).json(&json!({ "n": 1 })),
        Ok(Event::new().id(2).data("line1\nline2")),
        Ok::<_, EncodeError>(Event::named("done").data("bye")),
    ])))
}

/// A few ticks per connection, which may break off; the client comes back until it has all.
async fn resume(after: Resume<u64>, Query(q): Query<Numbers>) -> Result<Sse<Feed>, StatusCode> {
    let total = q.total.unwrap_or(6);
    let seen = after.after().unwrap_or(0);
    if seen >= total {
        return Err(StatusCode::NO_CONTENT);
    }
    let last = total.min(seen.saturating_add(q.per.unwrap_or(2)));
    let ticks = (seen + 1..=last).map(|n| Feed::Tick(n, n));
    let done = (last == total).then_some(Feed::Done("all"));
    let cut = q.cut.map(|_| Err("cut off"));
    let events = ticks.chain(done).map(Ok).chain(cut);
    let retry = Retry::fixed(millis(q.retry, 100));
    Ok(Sse::new(stream::iter(events)).retry(retry))
}

/// Nothing but comments while the stream is silent.
async fn keepalive(Query(q): Query<Numbers>) -> Sse<Feed> {
    let start = stream::iter([Feed::Text("start")]);
    let end = stream::once(async move {
        sleep(millis(q.idle, 1200)).await;
        stream::iter([Feed::Text("end"), BYE])
    });
    let keep_alive = KeepAlive::every(millis(q.every, 200));
    Sse::new(start.chain(end.flatten())).keep_alive(keep_alive)
}

async fn burst(Query(q): Query<Numbers>) -> Sse<Feed> {
    let items = (0..q.n.unwrap_or(2000)).map(|n| Feed::Item(n, format!("m{n}")));
    Sse::new(stream::iter(items.chain([BYE])))
}

async fn multiline() -> Sse<Feed> {
    let texts = [
        "a\nb",
        "a\r\nb",
        " leading",
        "",
        "ends\n",
        "€豆腐\u{2028}x",
        ":colon",
        "data: x\n\nid: 9",
    ];
    Sse::new(stream::iter(texts.map(Feed::Text).into_iter().chain([BYE])))
}

/// What a client makes of an id.
#[derive(SseEvent)]
enum IdEcho {
    #[sse(unnamed, data = "text")]
    First(#[sse(id)] EventId, &'static str),
    #[sse(data = "text")]
    Echo(String),
    #[sse(data = "text", terminal)]
    Done(&'static str),
}

#[derive(Deserialize)]
struct IdQuery {
    id: Option<String>,
}

/// Sends the id, and when the client comes back, the bytes that it sent for it.
///
/// An id that cannot be sent as it is, such as one with a line break, is refused.
async fn id_echo(
    State(memory): State<Shared>,
    RawQuery(query): RawQuery,
    Query(IdQuery { id }): Query<IdQuery>,
    request: HeaderMap,
) -> Result<Sse<IdEcho>, (StatusCode, String)> {
    let refused = |why: String| (StatusCode::BAD_REQUEST, why);
    let id = id.unwrap_or("x".into());
    if id.contains(char::REPLACEMENT_CHARACTER) {
        return Err(refused("the id is not UTF-8".into()));
    }
    let id = EventId::new(id).map_err(|error| refused(error.to_string()))?;

    if memory.is_first("id-echo", query.as_deref()) {
        let first = IdEcho::First(id, "first");
        let retry = Retry::fixed(Duration::from_millis(50));
        return Ok(Sse::new(stream::iter([first])).retry(retry));
    }
    let hex = match request.get(LAST_EVENT_ID) {
        Some(value) => log::hex(value.as_bytes()),
        None => "-".into(),
    };
    Ok(Sse::new(stream::iter([
        IdEcho::Echo(hex),
        IdEcho::Done("bye"),
    ])))
}

/// Asks for exactly this delay: a hint of the stream would be clamped to what clients can bear.
async fn retry(
    State(memory): State<Shared>,
    RawQuery(query): RawQuery,
    Query(q): Query<Numbers>,
) -> Sse<Event> {
    let event = if memory.is_first("retry", query.as_deref()) {
        Event::new().id(1).retry(millis(q.ms, 700)).data("first")
    } else {
        Event::named("done").data("bye")
    };
    Sse::new(stream::iter([event]))
}

/// Is over for good: a client that a 204 can stop comes back once and never again.
async fn terminal() -> Sse<Feed> {
    let events = [Feed::Item(1, "only".into()), Feed::Finished("for good")];
    Sse::new(stream::iter(events)).retry(Retry::fixed(Duration::from_millis(100)))
}

#[derive(SseEvent)]
enum Seen {
    Lei { id: Option<String> },
}

async fn last_event_id(id: Option<LastEventId>) -> Sse<Seen> {
    let id = id.map(|LastEventId(id)| id);
    Sse::new(stream::iter([Seen::Lei { id }]))
}

/// A client must not read the events of a failed request.
async fn status(Path(status): Path<u16>) -> Result<impl IntoResponse, StatusCode> {
    Ok((
        final_status(status)?,
        Sse::new(stream::iter([Feed::Text("data")])),
    ))
}

async fn redirect(Path(status): Path<u16>) -> Result<impl IntoResponse, StatusCode> {
    Ok((final_status(status)?, [(LOCATION, "/sse/basic")]))
}

/// A status that can end a request; those below 200 announce another.
fn final_status(status: u16) -> Result<StatusCode, StatusCode> {
    let status = StatusCode::from_u16(status).map_err(|_| StatusCode::BAD_REQUEST)?;
    Some(status)
        .filter(|status| !status.is_informational())
        .ok_or(StatusCode::BAD_REQUEST)
}

/// What the server saw of a request.
#[derive(SseEvent)]
enum Request {
    Headers(BTreeMap<String, String>),
    Echo {
        method: String,
        body: String,
        content_type: Option<String>,
    },
    #[sse(data = "text", terminal)]
    Done(&'static str),
}

async fn headers(headers: HeaderMap) -> Sse<Request> {
    let seen = Request::Headers(log::texts(&headers));
    Sse::new(stream::iter([seen, Request::Done("bye")]))
}

async fn echo(method: Method, headers: HeaderMap, body: Bytes) -> Sse<Request> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let echo = Request::Echo {
        method: method.to_string(),
        body: String::from_utf8_lossy(&body).into_owned(),
        content_type: content_type.map(str::to_owned),
    };
    Sse::new(stream::iter([echo, Request::Done("bye")]))
}

/// Each event has to leave when it is made; its data is the time.
async fn slow(Query(q): Query<Numbers>) -> Sse<Feed> {
    let started = Instant::now();
    let gap = millis(q.gap, 300);
    let times = stream::iter(0..q.n.unwrap_or(3)).then(move |n| async move {
        if n > 0 {
            sleep(gap).await;
        }
        Feed::Item(n, started.elapsed().as_millis().to_string())
    });
    Sse::new(times.chain(stream::iter([BYE])))
}
