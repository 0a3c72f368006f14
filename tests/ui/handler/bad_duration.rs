use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler(keep_alive = "15", retry = "2x..8s")]
async fn ticks() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(keep_alive = 15, retry = true)]
async fn numbers() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(keep_alive = "0s", retry)]
async fn zero() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(drain = "30", finish)]
async fn drained() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(drain = false)]
async fn undrained() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(ticks));
}
