use sse_macros::sse_handler;
use sse_tower::SseEvent;

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
