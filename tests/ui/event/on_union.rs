use sse_tower::SseEvent;

#[derive(SseEvent)]
union Update {
    a: u8,
    b: i8,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Update>();
}
