use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler(keep_alive = "1s")]
async fn ticks() -> impl Stream<Item = Tick> {
    let wrong: u8 = "text";
    stream::iter([Tick::Tick])
}

fn main() {}
