use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

struct App;

impl App {
    #[sse_handler]
    async fn ticks(&self) -> impl Stream<Item = Tick> {
        stream::iter([Tick::Tick])
    }
}

fn main() {
    let _ = App;
}
