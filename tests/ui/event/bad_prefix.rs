use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(prefix = "a\n")]
enum Events {
    A,
    B,
}

#[derive(SseEvent)]
#[sse(prefix = "a\r")]
enum Returns {
    A,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
    is_event::<Returns>();
}
