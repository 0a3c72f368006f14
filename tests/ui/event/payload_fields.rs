use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    #[sse(data = "text")]
    Two(u8, u8),
    #[sse(data = "text")]
    None(#[sse(id)] u8),
    #[sse(data = "empty")]
    Lost { lost: u8 },
    #[sse(literal = "[DONE]")]
    Literal(u8),
    #[sse(literal = "[DONE]", data = "text")]
    Both,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
