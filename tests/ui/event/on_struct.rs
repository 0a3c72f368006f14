use sse_tower::SseEvent;

#[derive(SseEvent)]
struct Update {
    #[sse(id)]
    seq: u64,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Update>();
}
