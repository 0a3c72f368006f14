use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(tag = "type")]
enum Internal {
    Pair(u8, u8),
    Text(String),
    List(Vec<u8>),
    Field {
        r#type: u8,
    },
    Renamed {
        #[serde(rename = "type")]
        kind: u8,
    },
    Fine(std::collections::BTreeMap<String, u8>),
}

#[derive(SseEvent)]
#[sse(tag = "a", content = "a")]
enum Same {
    Unit,
}

#[derive(SseEvent)]
#[sse(content = "a")]
enum NoTag {
    Unit,
}

#[derive(SseEvent)]
#[sse(untagged, tag = "a")]
enum Neither {
    Unit,
}

#[derive(SseEvent)]
#[serde(tag = "")]
enum EmptyTag {
    Unit,
}

#[derive(SseEvent)]
#[serde(tag = "a", content = "")]
enum EmptyContent {
    Unit,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Internal>();
    is_event::<Same>();
    is_event::<NoTag>();
    is_event::<Neither>();
    is_event::<EmptyTag>();
    is_event::<EmptyContent>();
}
