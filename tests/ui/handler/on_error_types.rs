use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

type Failing = Result<Tick, std::io::Error>;

#[sse_handler(on_error = |_: std::fmt::Error| Tick::Tick)]
async fn other_error() -> impl Stream<Item = Failing> {
    stream::iter([Ok(Tick::Tick)])
}

#[sse_handler(on_error = |error| error.to_string())]
async fn no_event() -> impl Stream<Item = Failing> {
    stream::iter([Ok(Tick::Tick)])
}

#[sse_handler(on_error = "failed")]
async fn no_closure() -> impl Stream<Item = Failing> {
    stream::iter([Ok(Tick::Tick)])
}

struct Plain;

#[sse_handler(on_error = |_| Plain)]
async fn no_events() -> impl Stream<Item = Result<Plain, std::io::Error>> {
    stream::iter([Ok(Plain)])
}

fn main() {}
