use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    FileSaved,
    #[sse(rename = "file_saved")]
    Saved,
    #[serde(rename = "file_saved")]
    Other,
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
