use sse_tower::{FromSseEvent, SseEvent};

#[derive(SseEvent)]
enum Write {
    #[sse(data = "text")]
    Text(#[serde(serialize_with = "f")] String),
    Id {
        #[sse(id)]
        #[serde(with = "f")]
        id: u64,
        #[sse(retry, rename = "x")]
        #[serde(skip_serializing_if = "f")]
        retry: std::time::Duration,
    },
    #[sse(unnamed, rename = "x", alias = "y")]
    Unnamed(String),
    // These have one, or none that matters.
    Fine {
        #[sse(id)]
        #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        #[sse(skip)]
        #[serde(with = "f")]
        skipped: u64,
    },
}

#[derive(FromSseEvent)]
enum Read {
    #[sse(data = "text")]
    Text(#[serde(deserialize_with = "f")] String),
    // For the other direction.
    #[sse(data = "text")]
    Fine(#[serde(serialize_with = "f")] String),
    #[sse(data = "empty")]
    r#Raw(u8),
}

fn main() {}
