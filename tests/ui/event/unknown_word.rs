use sse_tower::SseEvent;

#[derive(SseEvent)]
#[sse(renam_all = "lowercase")]
enum Events {
    #[sse(renme = "b")]
    A {
        #[sse(idd)]
        id: u8,
        #[sse(frobnicate(x, y = "z"), id)]
        other: u8,
    },
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
