use sse_tower::Sse;

enum Events {
    #[sse(rename = "session.created")]
    Created,
    Token(#[sse(id)] u64, String),
}

fn answer(event: Events) -> Sse<Events> {
    Sse::new(futures_util::stream::iter([event]))
}

fn main() {}
