use sse_tower::SseEvent;

#[derive(SseEvent)]
#[serde(tag = "type", content = "data")]
enum Events {
    A,
    #[serde(skip)]
    B,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
