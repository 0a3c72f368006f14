use sse_tower::{Emitter, SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks(events: Emitter<Tick>, _: axum::http::Uri, more: sse_tower::Emitter<Tick>) {
    let _ = events.emit(Tick::Tick).await;
    let _ = more.emit(Tick::Tick).await;
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/", axum::routing::get(ticks));
}
