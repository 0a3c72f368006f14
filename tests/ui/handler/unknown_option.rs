use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler(keepalive = "15s", heartbeat = "1s", frobnicate)]
async fn ticks() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(on_err = |_| Tick::Tick, done = Tick::Tick, id = 1, shutdown = "1s", drian = "1s")]
async fn habits() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(ticks));
}
