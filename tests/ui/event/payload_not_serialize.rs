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

mod own {
    pub struct String(pub u8);
}

/// Types may have the names of others.
mod named {
    use super::own::String;

    #[derive(sse_tower::SseEvent)]
    pub enum Events {
        Newtype(String),
        Struct { text: String },
    }
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
    is_event::<named::Events>();
}
