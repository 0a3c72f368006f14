use sse_macros::sse_handler;
use sse_tower::SseEvent;

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
