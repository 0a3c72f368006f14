use sse_tower::{FromSseEvent, SseEvent};

#[derive(Clone, SseEvent)]
#[serde(into = "u8")]
enum Into {
    A,
}

#[derive(SseEvent, FromSseEvent)]
#[serde(remote = "Into")]
enum Remote {
    A,
}

#[derive(SseEvent, FromSseEvent)]
#[serde(transparent)]
enum Transparent {
    A,
}

#[derive(FromSseEvent)]
#[serde(try_from = "u8")]
enum TryFrom {
    A,
}

#[derive(SseEvent)]
#[serde(renam_all = "camelCase")]
enum Misspelt {
    #[serde(renam = "b")]
    A,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Into>();
    is_event::<Remote>();
    is_event::<Transparent>();
    is_event::<Misspelt>();
}
