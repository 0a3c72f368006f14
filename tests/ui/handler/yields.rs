use futures_util::Stream;
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks() -> impl Stream<Item = Tick> {
    loop {
        yield Tick::Tick;
    }
}

#[sse_handler]
async fn not_done() -> impl Stream<Item = Tick> {
    let done = false;
    while !done {
        yield Tick::Tick;
    }
}

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/", axum::routing::get(ticks))
        .route("/not-done", axum::routing::get(not_done));
}
