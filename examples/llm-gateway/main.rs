//! One language model, and clients of every kind in front of it: `cargo run --example llm-gateway`.
//!
//! | Route | Clients |
//! |---|---|
//! | `POST /v1/chat/completions` | the SDKs of OpenAI, and everybody who is compatible |
//! | `POST /v1/responses` | the SDKs of OpenAI |
//! | `POST /v1/messages` | the SDKs of Anthropic |
//! | `POST /api/chat`, `GET /api/chat/{id}/stream` | `useChat` of the AI SDK, which may lose its connection |
//!
//! A client that leaves stops the upstream, but for the AI SDK's, which is waited for: 30 s, or until
//! it asks again. Texts only: tools and pictures pass through `/v1/chat/completions`, where nothing is
//! translated.
//!
//! `OPENAI_BASE_URL` (with `OPENAI_API_KEY`) names the upstream; without it, a Markov chain over the
//! README answers. `OPENAI_MODEL` takes the place of the model that clients ask for; `useChat` asks
//! for none. `PORT` chooses the port. Whoever reaches the port may use the key, so this listens on
//! the loopback address only. Clients read what the upstream says is wrong, unless that is about the
//! key.

mod dialect;
mod embedded;
mod endpoints;
#[path = "../demo/model.rs"]
mod model;
mod upstream;

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use serde::Deserialize;
use sse_tower::{ResumeLayer, RunKey, ScopedRunKey, Shutdown, SseLayer};
use tokio::net::TcpListener;
use tokio::signal;

use crate::endpoints::App;
use crate::upstream::Upstream;

/// The longest request.
const MAX_BODY: usize = 4 << 20;
/// The longest name of a chat.
const MAX_ID: usize = 256;

fn router(app: App, stop: &Shutdown) -> Router {
    let chat = Router::new()
        .route("/api/chat", post(endpoints::chat))
        .route("/api/chat/{id}/stream", get(endpoints::nothing))
        .layer(resumable())
        .layer(middleware::from_fn(name_chat))
        .layer(middleware::map_response(mark_ui_stream));
    Router::new()
        .route("/v1/chat/completions", post(endpoints::chat_completions))
        .route("/v1/responses", post(endpoints::responses))
        .route("/v1/messages", post(endpoints::messages))
        .merge(chat)
        .fallback(endpoints::not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(SseLayer::new().shutdown(stop))
        .with_state(app)
}

/// Keeps an answer for a page that was cut off or loaded anew. When it is complete, there is
/// nothing to resume, as the AI SDK has it: the page has stored it by then. To stop an answer is to
/// leave, which nobody can tell from being cut off; who asks again then wants the new answer alone.
fn resumable() -> ResumeLayer {
    ResumeLayer::by(run_of)
        .linger(Duration::from_secs(30))
        .forget_after(Duration::ZERO)
        .replace_running()
        .max_runs(100)
}

/// The chat that a request is about. A real application would also say whose it is.
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

/// Says which version of the UI message stream it is; a resumed stream has headers of its own.
async fn mark_ui_stream(mut response: Response) -> Response {
    if response.status() == StatusCode::OK {
        let version = HeaderValue::from_static("v1");
        response
            .headers_mut()
            .insert("x-vercel-ai-ui-message-stream", version);
    }
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let stop = Shutdown::new();
    let app = router(Arc::new(Upstream::from_env()?), &stop);
    let port = env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let address = listener.local_addr()?;
    println!("http://{address}/");
    println!(
        "the base URL of OpenAI's SDKs is http://{address}/v1, of Anthropic's http://{address}"
    );
    println!(
        r#"curl -N http://{address}/v1/chat/completions --json '{{"model":"m","stream":true,"messages":[{{"role":"user","content":"hello"}}]}}'"#
    );
    // Tokens must not wait for the acknowledgement of those before.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    let stopped = stop.begun();
    // Answers that are under way are finished first: nobody asks for them twice.
    tokio::spawn(async move { signal::ctrl_c().await.map(|()| stop.begin()) });
    Ok(axum::serve(listener, app)
        .with_graceful_shutdown(stopped)
        .await?)
}
