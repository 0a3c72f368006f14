use sse_tower::SseEvent;

struct Plain;

#[derive(SseEvent)]
enum Events {
    #[sse(data = "text")]
    Text(Plain),
    Id(#[sse(id)] Plain),
    MaybeId(#[sse(id)] Option<Plain>),
    Retry(#[sse(retry)] u64),
    #[sse(replay = "latest", data = "empty")]
    Key(
        #[sse(key)]
        #[sse(id)]
        Option<u8>,
    ),
    #[sse(data = "lines")]
    Lines { plain: Plain },
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
