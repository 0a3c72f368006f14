use sse_tower::FromSseEvent;

struct Plain;

#[derive(FromSseEvent)]
enum Events {
    #[sse(data = "text")]
    Text(Plain),
    Id(#[sse(id)] Plain),
    MaybeId(#[sse(id)] Option<Plain>),
    Retry(#[sse(retry)] u64),
    Runtime {
        #[sse(event)]
        name: Plain,
    },
    Skipped(u8, #[sse(skip)] Plain),
    #[sse(flatten)]
    Inner(Plain),
}

fn is_read<E: FromSseEvent>() {}

fn main() {
    is_read::<Events>();
}
