use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler(keep_alive = std::time::Duration::from_secs(1))]
async fn ticks() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(finish = 5u8)]
async fn finished() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(ids = 1)]
async fn numbered() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(drain = std::time::Duration::from_secs(1))]
async fn drained() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

fn main() {}
