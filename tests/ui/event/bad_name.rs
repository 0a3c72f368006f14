use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    #[sse(rename = "a\nb")]
    A,
    #[sse(rename = "")]
    B,
    #[sse(rename = "sse-tower:end")]
    C,
    #[sse(rename = "a\rid: 9")]
    D,
    #[sse(rename = "a\r\nb")]
    E,
}

#[derive(SseEvent)]
#[sse(unnamed, tag = "type")]
enum Tagged {
    #[sse(rename = "")]
    A,
    // No tag, no name.
    #[sse(rename = "", literal = "[DONE]")]
    C,
}

#[derive(SseEvent)]
#[sse(unnamed, tag = "type")]
enum Aliased {
    #[sse(alias = "")]
    A,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
    is_event::<Tagged>();
    is_event::<Aliased>();
}
