use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(unnamed, unnamed)]
enum Events {
    #[sse(rename = "a")]
    #[sse(rename = "b")]
    A(#[sse(id, id)] u8),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
