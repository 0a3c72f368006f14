use futures_util::{Stream, stream};
use sse_tower::{Emitter, Sse, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler(on_error = |_| Tick::Tick)]
async fn events() -> impl Stream<Item = Tick> {
    stream::iter([Tick::Tick])
}

#[sse_handler(on_error = |_| Tick::Tick)]
async fn response() -> Result<Sse<Tick>, String> {
    Ok(Sse::new(stream::iter([Tick::Tick])))
}

#[sse_handler(keep_alive = "1s", on_error = |_: String| Tick::Tick)]
async fn pushed(_events: Emitter<Tick>) {}

fn main() {}
