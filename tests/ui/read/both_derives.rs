use sse_tower::{FromSseEvent, SseEvent};

#[derive(SseEvent, FromSseEvent)]
#[sse(renam_all = "lowercase")]
enum Events {
    Error(u8),
}

fn is_both<E: SseEvent + FromSseEvent>() {}

fn main() {
    is_both::<Events>();
}
