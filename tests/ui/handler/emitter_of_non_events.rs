use sse_tower::{Emitter, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

struct Plain;

#[sse_handler]
async fn ticks(events: Emitter<Plain>) -> Result<(), std::io::Error> {
    let _ = Tick::Tick;
    let _ = events.emit(Plain).await;
    Ok(())
}

#[sse_handler(on_error = |_| Plain, finish = Tick::Tick)]
async fn options(_: axum::http::Uri, events: Emitter<Plain>) -> Result<(), std::io::Error> {
    let _ = events.emit(Plain).await;
    Ok(())
}

fn main() {}
