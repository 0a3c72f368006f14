use sse_tower::FromSseEvent;

#[derive(FromSseEvent)]
#[sse(data = "lines")]
enum Events {
    Patch { elements: String },
    #[sse(data = "text")]
    Borrowed(&'static str),
    #[sse(comment)]
    Heartbeat(&'static str),
}

fn is_read<E: FromSseEvent>() {}

fn main() {
    is_read::<Events>();
}
