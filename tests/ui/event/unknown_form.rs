use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(data = "jsn")]
enum Events {
    #[sse(data = "xml")]
    A,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
