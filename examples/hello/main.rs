//! The program of the README: `cargo run --example hello`, then open http://127.0.0.1:3000.

use std::time::Duration;

use axum::{Router, response::Html, routing::get};
use sse_tower::{EmitError, Emitter, Resume, SseEvent, SseLayer, sse_handler};

#[derive(SseEvent)]
enum Launch {
    /// `event: count`, `id: 3`, `data: {"seconds":7}`
    Count {
        #[sse(id)]
        step: u32,
        seconds: u32,
    },
    /// The last event: browsers do not come back after it.
    #[sse(terminal)]
    Liftoff,
}

#[sse_handler(retry = "1s..3s")]
async fn launch(resume: Resume<u32>, events: Emitter<Launch>) -> Result<(), EmitError> {
    // A browser that lost its connection goes on after the last step it has seen.
    let first = resume.after().map_or(0, |step| step.saturating_add(1));
    for step in first..10 {
        let seconds = 10 - step;
        events.emit(Launch::Count { step, seconds }).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    events.emit(Launch::Liftoff).await
}

const PAGE: &str = "<!doctype html>
<h1 id=text>…</h1>
<script>
  const events = new EventSource('/launch')
  events.addEventListener('count', ({ data }) => text.textContent = JSON.parse(data).seconds)
  events.addEventListener('liftoff', () => text.textContent = 'Liftoff!')
</script>";

pub(crate) fn app() -> Router {
    Router::new()
        .route("/", get(Html(PAGE)))
        .route("/launch", get(launch))
        .layer(SseLayer::new())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app()).await
}
