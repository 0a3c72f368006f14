use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    #[sse(rename = "a\nb")]
    A,
    #[sse(rename = "")]
    B,
    #[sse(rename = "sse-tower:end")]
    C,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
