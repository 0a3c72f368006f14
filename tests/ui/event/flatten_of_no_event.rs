use sse_tower::SseEvent;

enum NotEvents {}

#[derive(SseEvent)]
enum Events {
    #[sse(flatten)]
    Inner(NotEvents),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
