use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(data = "text")]
enum Events {
    One(u8),
    Two(u8, u8),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
