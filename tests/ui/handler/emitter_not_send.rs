use sse_tower::{Emitter, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks(events: Emitter<Tick>) {
    let held = std::rc::Rc::new(1);
    let _ = events.emit(Tick::Tick).await;
    drop(held);
}

fn main() {}
