use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    Struct {
        #[sse(id, keep)]
        a: u8,
        #[sse(data)]
        b: u8,
    },
    #[sse(data = "text")]
    Tuple(#[sse(id, keep)] u8, #[sse(data)] String),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
