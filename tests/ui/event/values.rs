use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(unnamed = true)]
enum Events {
    #[sse(rename)]
    A(#[sse(id = "x")] u8),
    #[sse(rename = b)]
    B(#[sse(retry(x))] std::time::Duration),
    #[sse(rename("c"))]
    C,
    #[sse(literal = )]
    D,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
