use serde::{Deserialize, Serialize};
use sse_tower::{FromSseEvent, SseEvent};

#[derive(SseEvent, FromSseEvent, Serialize, Deserialize)]
#[serde(rename_all = "snakecase", renam = "x")]
enum Events {
    #[serde(rename_all = "dot.case", renam = "x")]
    A {
        #[serde(renam = "x")]
        a: u8,
    },
}

fn main() {}
