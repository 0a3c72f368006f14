use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(crate = ::sse_tower::nope)]
enum Events {
    A { a: Vec<u8> },
}

fn main() {}
