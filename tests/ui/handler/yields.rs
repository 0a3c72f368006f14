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

macro_rules! with_inner {
    ($inner:path) => {
        #[sse_handler]
        async fn of_a_macro() -> impl Stream<Item = Tick> {
            $inner! { yield Tick::Tick; }
        }
    };
}
with_inner!(async_stream::stream);

fn main() {
    let _: axum::Router = axum::Router::new()
        .route("/", axum::routing::get(ticks))
        .route("/not-done", axum::routing::get(not_done))
        .route("/of-a-macro", axum::routing::get(of_a_macro));
}
