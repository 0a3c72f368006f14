use sse_tower::{Emitter, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks(events: Emitter) {
    let _ = events.emit(Tick::Tick).await;
}

fn main() {}
