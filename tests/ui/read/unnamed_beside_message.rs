use sse_tower::FromSseEvent;

#[derive(FromSseEvent)]
enum ByName {
    Message(u8),
    #[sse(unnamed, data = "text")]
    Text(String),
}

#[derive(FromSseEvent)]
enum ByAlias {
    #[sse(unnamed)]
    Number(u8),
    #[sse(alias = "message")]
    Log(String),
}

// A constant is looked for before the names.
#[derive(FromSseEvent)]
enum Fine {
    Message(u8),
    #[sse(unnamed, literal = "[DONE]")]
    Done,
}

// The tag tells the first from the second.
#[derive(FromSseEvent)]
#[sse(unnamed, tag = "type")]
enum Tagged {
    Message {
        a: u8,
    },
    #[sse(data = "text")]
    Text(String),
}

fn is_read<E: FromSseEvent>() {}

fn main() {
    is_read::<ByName>();
    is_read::<ByAlias>();
    is_read::<Fine>();
    is_read::<Tagged>();
}
