//! The answers of a chat, which outlive the connection of their page.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use serde::Deserialize;
use sse_tower::{ResumeLayer, Retention, RunKey, ScopedRunKey};

/// The longest request.
pub(crate) const MAX_BODY: usize = 4 << 20;
/// The longest name of a chat.
const MAX_ID: usize = 256;

/// Where `useChat` asks `answer`, and comes back to it.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(answer: MethodRouter<S>) -> Router<S> {
    // What there is to resume if `ResumeLayer` knows of nothing.
    let nothing = async || StatusCode::NO_CONTENT;
    Router::new()
        .route("/api/chat", answer)
        .route("/api/chat/{id}/stream", get(nothing))
        .layer(resumable())
        .layer(middleware::from_fn(name_chat))
        .layer(middleware::map_response(mark_ui_stream))
}

/// Keeps an answer for a page that was cut off or reloaded. The AI SDK does not resume an answer
/// that was read to its end: a page that has stored it would show it twice. A user who stops an
/// answer looks like one who was cut off; whoever then asks again wants the new answer alone.
fn resumable() -> ResumeLayer {
    ResumeLayer::by(run_of)
        .linger(Duration::from_secs(30))
        .forget_after(Duration::from_secs(30))
        .forget_when_read()
        // Room for the longest answer in its smallest pieces, because a page that comes back has no
        // id, and reads from the beginning. For all runs together that is 256 MiB at most.
        .keep(Retention::events(65_536).bytes(8 << 20))
        .replace_running()
        .max_runs(32)
}

/// The chat that a request is about. A real application would also check whose it is.
#[derive(Clone)]
struct ChatId(String);

fn run_of(parts: &Parts) -> Option<ScopedRunKey> {
    let ChatId(id) = parts.extensions.get()?;
    Some(RunKey::new(id.clone()).public())
}

/// Finds the name of a chat: in the path of a `GET`, in the JSON of a `POST`.
async fn name_chat(path: Option<Path<String>>, request: Request, next: Next) -> Response {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let id = path.map(|Path(id)| id).or_else(|| {
        let named: Option<Named> = serde_json::from_slice(&body).ok();
        named.map(|named| named.id)
    });
    if let Some(id) = id {
        if id.len() > MAX_ID {
            return StatusCode::BAD_REQUEST.into_response();
        }
        parts.extensions.insert(ChatId(id));
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// Adds the version of the UI message stream, which a resumed stream would not have.
async fn mark_ui_stream(mut response: Response) -> Response {
    if response.status() == StatusCode::OK {
        let version = HeaderValue::from_static("v1");
        response
            .headers_mut()
            .insert("x-vercel-ai-ui-message-stream", version);
    }
    response
}
