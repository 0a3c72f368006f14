use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    A {
        #[serde(renam = "b")]
        a: u8,
    },
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
