use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

struct NoError;

#[sse_handler]
async fn ticks() -> impl Stream<Item = Result<Tick, NoError>> {
    stream::iter([Ok(Tick::Tick), Err(NoError)])
}

fn main() {}
