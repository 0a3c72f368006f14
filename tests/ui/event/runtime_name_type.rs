use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    Runtime {
        #[sse(event)]
        name: u8,
        payload: u8,
    },
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
