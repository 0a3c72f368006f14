use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler(retry = "8s..2s")]
async fn ticks() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(retry = "2s..2s")]
async fn alike() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(retry = "2s..=8s")]
async fn inclusive() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(ticks));
}
