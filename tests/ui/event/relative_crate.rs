use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(crate = my::events)]
enum Events {
    A,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
