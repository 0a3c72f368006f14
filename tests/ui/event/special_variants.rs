use sse_tower::{RawEvent, SseEvent};

#[derive(SseEvent)]
enum Inner {
    A,
}

#[derive(SseEvent)]
enum Events {
    #[sse(flatten)]
    Struct { inner: Inner },
    #[sse(flatten)]
    Two(Inner, Inner),
    #[sse(flatten)]
    Unit,
    #[sse(flatten, terminal)]
    Ends(Inner),
    #[sse(flatten)]
    WithId(#[sse(id)] Inner),
    #[sse(other)]
    Others(RawEvent<'static>, u8),
    #[sse(other)]
    Second,
    #[sse(skip, rename = "x")]
    Skipped,
    #[sse(comment, data = "text")]
    Heartbeat(String),
    #[sse(comment)]
    Comments(String, String),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
