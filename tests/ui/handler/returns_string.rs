use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks() -> String {
    let _ = Tick::Tick;
    String::new()
}

fn main() {}
