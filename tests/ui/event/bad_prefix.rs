use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(prefix = "a\n")]
enum Events {
    A,
    B,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
