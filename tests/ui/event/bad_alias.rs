use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    #[sse(alias = "a\nb")]
    A,
    #[sse(alias = "")]
    B,
    #[serde(alias = "sse-tower:end")]
    C,
    #[sse(alias = "a\rb")]
    D,
}

#[derive(SseEvent)]
#[sse(tag = "")]
enum Tagged {
    A,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
    is_event::<Tagged>();
}
