use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

struct NoExtractor;

#[sse_handler]
#[axum::debug_handler]
async fn ticks(_: NoExtractor) -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

fn main() {}
