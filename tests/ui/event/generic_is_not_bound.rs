use sse_tower::SseEvent;

struct Plain;

#[derive(SseEvent)]
enum Events<T> {
    A(T),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events<u8>>();
    is_event::<Events<Plain>>();
}
