use sse_tower::SseEvent;

struct Plain;

#[derive(SseEvent)]
enum Events {
    Newtype(Plain),
    Struct { ok: u8, no: Plain },
    Tuple(Plain, u8),
    Beside(#[sse(id)] u8, Plain),
    Inside { list: Vec<Plain> },
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
