use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    Open,
    Error(String),
    #[sse(rename = "error")]
    OnPurpose,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
