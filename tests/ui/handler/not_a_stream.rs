use axum::response::IntoResponse;
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn vec() -> Vec<Tick> {
    vec![Tick::Tick]
}

#[sse_handler]
async fn iterator() -> Result<impl Iterator<Item = Tick>, String> {
    Ok([Tick::Tick].into_iter())
}

#[sse_handler]
async fn boxed() -> Option<Box<dyn Iterator<Item = Tick> + Send>> {
    None
}

#[sse_handler]
async fn response() -> impl IntoResponse {
    "text"
}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/vec", axum::routing::get(vec))
        .route("/iterator", axum::routing::get(iterator));
}
