use sse_tower::FromSseEvent;

#[derive(FromSseEvent)]
struct Update {
    seq: u64,
}

fn is_read<E: FromSseEvent>() {}

fn main() {
    is_read::<Update>();
}
