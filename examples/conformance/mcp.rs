//! A server of the Model Context Protocol with one tool, whose answer outlives its connection.
//!
//! A call is answered with an event that has an id and nothing else, and the stream is closed; the
//! result comes later. The client asks for it with the id, whose epoch is that of its stream.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use sse_tower::{Cursor, Resume, Retention, Sse, SseEvent, SseEventExt as _, Topic};
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
pub(crate) struct Streams(Mutex<HashMap<u64, Topic<Mcp>>>);

/// A request, or a notification, which has no id.
pub(crate) async fn request(State(shared): State<Shared>, Json(request): Json<Value>) -> Response {
    let Some(id) = request.get("id") else {
        return StatusCode::ACCEPTED.into_response();
    };
    let result = match request["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": request["params"]["protocolVersion"],
            "serverInfo": { "name": "conformance", "version": "1" },
            "capabilities": { "tools": {} },
        }),
        Some("tools/list") => json!({
            "tools": [{
                "name": "t",
                "description": "answers after the connection was lost",
                "inputSchema": { "type": "object", "properties": {} },
            }],
        }),
        Some("tools/call") => return call(shared, id.clone()).into_response(),
        _ => {
            let error = json!({ "code": -32601, "message": "there is no such method" });
            return Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response();
        }
    };
    Sse::new(stream::iter([Mcp::answer(id, result)])).into_response()
}

/// Begins to work, and hangs up.
fn call(shared: Shared, id: Value) -> Result<impl IntoResponse, StatusCode> {
    let topic = Topic::new(Retention::events(16));
    let retry = Duration::from_millis(300);
    let primed = topic.publish(Mcp::Priming { retry });
    let Ok(Some(cursor)) = primed else {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    };
    shared.mcp.lock().insert(cursor.epoch(), topic.clone());
    tokio::spawn(async move {
        sleep(Duration::from_millis(50)).await;
        let content = json!([{ "type": "text", "text": "resumed" }]);
        if let Err(error) = topic.close(Mcp::answer(&id, json!({ "content": content }))) {
            eprintln!("a result was lost: {error}");
        }
        sleep(Duration::from_secs(60)).await;
        shared.mcp.lock().remove(&cursor.epoch());
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
    let topic = shared.mcp.lock().get(&cursor.epoch()).cloned();
    match topic {
        Some(topic) => topic.subscribe(resume).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Mcp {
    fn answer(id: &Value, result: Value) -> Self {
        Self::Message(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Topic<Mcp>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
