use futures_util::{Stream, stream};
use sse_macros::sse_handler;
use sse_tower::SseEvent;

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
