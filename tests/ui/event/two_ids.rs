use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    A {
        #[sse(id)]
        a: u8,
        #[sse(id)]
        b: u8,
        #[sse(retry)]
        c: std::time::Duration,
        #[sse(retry)]
        d: std::time::Duration,
    },
    B(#[sse(id, retry)] u8),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
