use futures_util::{Stream, stream};
use sse_tower::{SseEvent, sse_handler};

#[derive(SseEvent)]
enum Tick {
    Tick,
}

#[sse_handler]
async fn ticks() -> impl Stream<Item = Tick> {
    let held = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(held);
    stream::iter([Tick::Tick])
}

#[sse_handler(finish = Tick::Tick, on_error = |_| Tick::Tick, drain = "1s")]
async fn options() -> impl Stream<Item = std::io::Result<Tick>> {
    let held = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(held);
    stream::iter([Ok(Tick::Tick)])
}

fn main() {}
