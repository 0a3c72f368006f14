use futures_util::Stream;
use sse_macros::sse_handler;
use sse_tower::SseEvent;

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

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(ticks));
}
