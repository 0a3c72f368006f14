use std::time::Duration;

use sse_tower::SseEvent;

#[derive(SseEvent)]
enum Events {
    Keep(#[sse(keep)] u8),
    Json {
        #[sse(json)]
        a: u8,
    },
    Key {
        #[sse(key)]
        a: u8,
    },
    #[sse(replay = "latest")]
    Keys {
        #[sse(key)]
        a: u8,
        #[sse(key)]
        b: u8,
    },
    TwoNames {
        #[sse(event)]
        a: String,
        #[sse(event)]
        b: String,
    },
    #[sse(unnamed)]
    NoLine {
        #[sse(event)]
        a: String,
    },
    #[sse(retry = "5s")]
    TwoTimes {
        #[sse(retry)]
        wait: Duration,
    },
    TwoValues(#[sse(data)] u8, #[sse(data)] u8),
    #[sse(data = "lines")]
    NoKey(u8),
}

fn is_event<E: SseEvent>() {}

fn main() {
    is_event::<Events>();
}
