use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Event {
    A,
}

#[sse_handler]
async fn feed(
    #[cfg(any())] _absent: Absent,
    #[cfg(all())] _present: axum::http::Uri,
) -> impl Stream<Item = Event> {
    stream::iter([Event::A])
}

fn main() {
    let _: axum::routing::MethodRouter = axum::routing::get(feed);
}
