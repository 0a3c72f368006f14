//! A server of the Model Context Protocol with tools whose answers outlive their connections.
//!
//! A call is answered with an event that has an id and nothing else, and the stream is closed; the
//! result, or an error, comes later. The client asks for it with the id, whose epoch is that of its
//! stream. A call that is cancelled stops, and has no answer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use sse_tower::{Cursor, Resume, Retention, Sse, SseEvent, SseEventExt as _, Topic};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::serve::Shared;

#[derive(SseEvent)]
enum Mcp {
    Message(Value),
    /// Something to come back with.
    #[sse(unnamed, data = "empty")]
    Priming {
        #[sse(retry)]
        retry: Duration,
    },
}

/// The streams that may be asked for again, by their epochs.
#[derive(Default)]
pub(crate) struct Streams {
    topics: Mutex<HashMap<u64, Topic<Mcp>>>,
    running: Mutex<HashMap<Call, AbortHandle>>,
}

/// The session of a client, and the id of its request as JSON.
type Call = (Option<HeaderValue>, String);

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

const TOOLS: [(&str, &str); 4] = [
    ("t", "answers after the connection was lost"),
    ("fails", "fails after the connection was lost"),
    ("waits", "answers never"),
    ("running", "tells how many calls are not answered"),
];

/// A request, or a notification, which has no id.
pub(crate) async fn request(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let session = headers.get(SESSION).cloned();
    let params = &request["params"];
    let Some(id) = request.get("id") else {
        if request["method"] == "notifications/cancelled" {
            shared
                .mcp
                .cancel(&(session, params["requestId"].to_string()));
        }
        return StatusCode::ACCEPTED.into_response();
    };
    let result = match (request["method"].as_str(), params["name"].as_str()) {
        (Some("initialize"), _) => {
            let result = json!({
                "protocolVersion": params["protocolVersion"],
                "serverInfo": { "name": "conformance", "version": "1" },
                "capabilities": { "tools": {} },
            });
            let session = [(SESSION, format!("{:x}", fastrand::u64(..)))];
            return (session, Sse::new(stream::iter([Mcp::answer(id, result)]))).into_response();
        }
        (Some("tools/list"), _) => {
            let tools = TOOLS.map(|(name, description)| {
                let schema = json!({ "type": "object", "properties": {} });
                json!({ "name": name, "description": description, "inputSchema": schema })
            });
            json!({ "tools": tools })
        }
        (Some("tools/call"), Some("running")) => text(lock(&shared.mcp.running).len()),
        (Some("tools/call"), tool) => {
            let answer = work(tool.unwrap_or_default().to_owned(), id.clone());
            return call(shared, (session, id.to_string()), answer).into_response();
        }
        _ => {
            let error = json!({ "code": -32601, "message": "there is no such method" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Sse::new(stream::iter([Mcp::answer(id, result)])).into_response()
}

async fn work(tool: String, id: Value) -> Mcp {
    sleep(Duration::from_millis(50)).await;
    match &*tool {
        "t" => Mcp::answer(&id, text("resumed")),
        "waits" => std::future::pending().await,
        _ => Mcp::failure(&id, "it broke"),
    }
}

fn text(text: impl ToString) -> Value {
    json!({ "content": [{ "type": "text", "text": text.to_string() }] })
}

/// Begins to work, and hangs up.
fn call(
    shared: Shared,
    call: Call,
    answer: impl Future<Output = Mcp> + Send + 'static,
) -> Result<impl IntoResponse, StatusCode> {
    let topic = Topic::new(Retention::events(16));
    let retry = Duration::from_millis(300);
    let primed = topic.publish(Mcp::Priming { retry });
    let Ok(Some(cursor)) = primed else {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    };
    lock(&shared.mcp.topics).insert(cursor.epoch(), topic.clone());
    let working = tokio::spawn(answer);
    lock(&shared.mcp.running).insert(call.clone(), working.abort_handle());
    tokio::spawn(async move {
        // An error says that it was cancelled: then there is nothing to come back for.
        if let Ok(answer) = working.await {
            lock(&shared.mcp.running).remove(&call);
            if let Err(error) = topic.close(answer) {
                eprintln!("a result was lost: {error}");
            }
            sleep(Duration::from_secs(60)).await;
        }
        lock(&shared.mcp.topics).remove(&cursor.epoch());
    });
    Ok(Sse::new(stream::iter([
        Mcp::Priming { retry }.with_id(cursor)
    ])))
}

/// What is missing of a stream. Others are not offered.
pub(crate) async fn resume(State(shared): State<Shared>, resume: Resume<Cursor>) -> Response {
    let Resume::After(cursor) = resume else {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    };
    let topic = lock(&shared.mcp.topics).get(&cursor.epoch()).cloned();
    match topic {
        Some(topic) => topic.subscribe(resume).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Mcp {
    fn answer(id: &Value, result: Value) -> Self {
        Self::Message(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }

    fn failure(id: &Value, message: &str) -> Self {
        let error = json!({ "code": -32000, "message": message });
        Self::Message(json!({ "jsonrpc": "2.0", "id": id, "error": error }))
    }
}

impl Streams {
    fn cancel(&self, call: &Call) {
        if let Some(working) = lock(&self.running).remove(call) {
            working.abort();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
