use std::collections::BTreeMap;

use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    Skipped {
        #[sse(data)]
        #[serde(skip)]
        a: u8,
    },
    Merged {
        #[sse(data)]
        #[serde(flatten)]
        a: BTreeMap<String, u8>,
    },
    Newtype(#[serde(flatten)] BTreeMap<String, u8>),
    Tuple(u8, #[serde(flatten)] BTreeMap<String, u8>),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
