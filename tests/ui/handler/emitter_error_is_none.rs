use sse_tower::{Emitter, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

struct NoError;

#[sse_handler]
async fn ticks(events: Emitter<Tick>) -> Result<(), NoError> {
    events.emit(Tick::Tick).await.map_err(|_| NoError)
}

fn main() {}
