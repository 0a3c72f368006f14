use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(bound = "T:")]
enum Events {
    #[sse(retry = "5")]
    A,
    #[sse(replay = "newest")]
    B,
    #[sse(retry)]
    C,
    #[serde(with = "somewhere")]
    D(u8),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
