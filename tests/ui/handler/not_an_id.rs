use futures_util::{Stream, stream};
use sse_tower::{LastEventId, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

struct NotFromStr;

#[sse_handler]
#[axum::debug_handler]
async fn ticks(_: LastEventId<NotFromStr>) -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

fn main() {}
