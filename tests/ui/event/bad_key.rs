use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(data = "lines")]
enum Events {
    Broken {
        #[sse(rename = "a\nb")]
        a: u8,
        #[serde(rename = "")]
        b: u8,
        #[sse(rename = "c\rid:")]
        c: u8,
    },
    Twice {
        r#type: u8,
        #[sse(rename = "type")]
        kind: u8,
        // Not on the wire.
        #[sse(id)]
        #[serde(rename = "type")]
        id: u8,
    },
    #[serde(rename_all = "camelCase")]
    Cased {
        a_b: u8,
        a__b: u8,
    },
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
