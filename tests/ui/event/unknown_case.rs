use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(rename_all = "snakecase")]
enum Events {
    A,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
