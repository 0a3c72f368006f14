use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks() -> impl Stream<Item = Tick> {
    let counted = std::rc::Rc::new(1);
    stream::iter((0..1).map(move |_| {
        let _ = &counted;
        Tick::Tick
    }))
}

fn main() {}
