use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    #[sse(name = "x")]
    A,
    #[sse(done)]
    B,
    #[sse(transparent)]
    C(u8),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
