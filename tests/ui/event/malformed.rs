use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse]
enum Events {
    #[sse = "a"]
    A,
    #[sse("b")]
    B,
    #[sse(rename = "c" terminal, unnamed)]
    C,
    #[sse()]
    Fine,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
