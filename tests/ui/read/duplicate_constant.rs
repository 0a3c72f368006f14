use sse_tower::{FromSseEvent, SseEvent};

#[derive(FromSseEvent)]
#[sse(unnamed)]
enum Events {
    #[sse(literal = "a\nb")]
    Done,
    #[sse(literal = "a\r\nb")]
    Ended,
    #[sse(data = "empty")]
    Empty,
    #[sse(literal = "")]
    Nothing,
}

// Nothing is read here, and there the names tell them apart.
#[derive(SseEvent)]
#[sse(unnamed, data = "empty")]
enum Written {
    A,
    B,
}

#[derive(FromSseEvent)]
#[sse(data = "empty")]
enum Named {
    A,
    B,
}

fn is_read<E: FromSseEvent>() {}
fn is_event<E: SseEvent>() {}

fn main() {
    is_read::<Events>();
    is_event::<Written>();
    is_read::<Named>();
}
