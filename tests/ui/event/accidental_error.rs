use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    Open,
    Error(String),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
