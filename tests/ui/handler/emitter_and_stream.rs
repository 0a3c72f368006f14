use futures_util::{Stream, stream};
use sse_tower::{Emitter, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks(_events: Emitter<Tick>) -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler]
async fn result(_events: Emitter<Tick>) -> Result<u8, String> {
    Ok(1)
}

fn main() {}
