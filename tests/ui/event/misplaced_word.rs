use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(terminal)]
enum Events {
    #[sse(id)]
    A(u8),
    B(#[sse(data = "text")] u8),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
