use sse_tower::{FromSseEvent, Json, RawEvent};

#[derive(FromSseEvent)]
enum Events {
    A,
    #[sse(other)]
    Other(Json<u8>),
}

#[derive(FromSseEvent)]
enum Fine {
    A,
    #[sse(other)]
    Other(Box<RawEvent<'static>>),
}

fn is_read<E: FromSseEvent>() {}

fn main() {
    is_read::<Events>();
    is_read::<Fine>();
}
