use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

struct Plain;

#[sse_handler]
async fn ticks() -> impl Stream<Item = Plain> {
    let _ = Tick::Tick;
    stream::iter([Plain])
}

fn main() {}
