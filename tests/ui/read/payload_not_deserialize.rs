use sse_tower::FromSseEvent;

struct Plain;

#[derive(FromSseEvent)]
enum Events {
    Newtype(Plain),
}

#[derive(FromSseEvent)]
enum Fields {
    Struct { ok: u8, no: Plain },
}

fn is_read<E: FromSseEvent>() {}

fn main() {
    is_read::<Events>();
    is_read::<Fields>();
}
