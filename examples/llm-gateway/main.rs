//! One language model for clients of every kind: `cargo run --example llm-gateway`.
//!
//! | Route | Clients |
//! |---|---|
//! | `POST /v1/chat/completions` | the SDKs of OpenAI, and everything compatible with them |
//! | `POST /v1/responses` | the SDKs of OpenAI |
//! | `POST /v1/messages` | the SDKs of Anthropic |
//! | `POST /api/chat`, `GET /api/chat/{id}/stream` | `useChat` of the AI SDK, which may lose its connection |
//!
//! A client that leaves stops the upstream. Only a chat of the AI SDK goes on without it, for 30 s or
//! until it asks again. Texts only: tools and pictures pass through `/v1/chat/completions`, where
//! nothing is translated.
//!
//! `OPENAI_BASE_URL` (with `OPENAI_API_KEY`) names the upstream; without it, a Markov chain over the
//! README answers. `OPENAI_MODEL` replaces the model that clients ask for; `useChat` asks for none.
//! `PORT` chooses the port. Whoever reaches the port can use the key, so this listens on the loopback
//! address only. Clients are told what the upstream says is wrong, unless that is about the key.

mod chat;
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
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use sse_tower::{Shutdown, SseLayer};
use tokio::net::TcpListener;
use tokio::signal;

use crate::endpoints::App;
use crate::upstream::Upstream;

fn router(app: App, stop: &Shutdown) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(endpoints::chat_completions))
        .route("/v1/responses", post(endpoints::responses))
        .route("/v1/messages", post(endpoints::messages))
        .merge(chat::routes(post(endpoints::chat)))
        .fallback(endpoints::not_found)
        .layer(DefaultBodyLimit::max(chat::MAX_BODY))
        .layer(SseLayer::new().shutdown(stop))
        .with_state(app)
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
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.begun());
    let limit = async {
        signal::ctrl_c().await?;
        // Answers that are under way are finished first: nobody asks for them twice.
        stop.begin();
        // The rest belongs to clients that do not read, for which the server would wait for ever.
        tokio::time::sleep(Duration::from_secs(30)).await;
        Ok(())
    };
    tokio::select! {
        served = server => Ok(served?),
        stopped = limit => stopped,
    }
}
