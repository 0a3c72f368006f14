use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks() {
    let _ = Tick::Tick;
}

#[sse_handler]
async fn unit() -> () {}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(ticks));
}
