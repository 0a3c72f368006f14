//! What writing an event costs.

use std::time::Duration;

use serde::Serialize;
use sse_core::{EventBuffer, RawEvent, SseEvent};

/// One variant per way to write.
#[derive(SseEvent)]
enum Way {
    Struct {
        #[sse(id)]
        n: u64,
        text: &'static str,
    },
    Tuple(u8, &'static str),
    Newtype(Inner),
    Unit,
    Beside(#[sse(id)] Option<&'static str>, Inner),
    Retry {
        #[sse(retry)]
        after: Duration,
        #[serde(flatten)]
        inner: Inner,
    },
    Named {
        #[sse(event)]
        name: &'static str,
    },
    #[sse(data = "text")]
    Text(&'static str),
    #[sse(data = "lines")]
    Lines {
        count: u8,
        text: &'static str,
        #[sse(json)]
        inner: Inner,
    },
    #[sse(data = "lines")]
    NoLines {
        absent: Option<u8>,
    },
    #[sse(data = "empty")]
    Empty,
    #[sse(literal = "[DONE]")]
    Literal,
    #[sse(comment)]
    Comment(&'static str),
    #[sse(flatten)]
    Tagged(Tagged),
    #[sse(flatten)]
    Adjacent(Adjacent),
    #[sse(other)]
    Other(RawEvent<'static>),
}

#[derive(SseEvent)]
#[sse(tag = "type")]
enum Tagged {
    Unit,
    Newtype(Inner),
}

#[derive(SseEvent)]
#[sse(tag = "type", content = "content")]
enum Adjacent {
    Tuple(u8, u8),
}

#[derive(Serialize, Clone, Copy)]
struct Inner {
    numbers: [u8; 2],
}

#[test]
fn no_way_to_write_allocates_once_the_buffer_has_grown() {
    let inner = Inner { numbers: [1, 2] };
    let mut decoder = sse_core::Decoder::new();
    decoder.push("event: a\nid: 1\ndata: x\ndata: y\n\n");
    let other = decoder.next_event().unwrap().unwrap().into_owned();
    let ways = [
        ("struct", Way::Struct { n: 7, text: "a\nb" }),
        ("tuple", Way::Tuple(1, "a")),
        ("newtype", Way::Newtype(inner)),
        ("unit", Way::Unit),
        ("value beside", Way::Beside(Some("a-1"), inner)),
        (
            "retry",
            Way::Retry {
                after: Duration::from_secs(1),
                inner,
            },
        ),
        ("name", Way::Named { name: "row-7" }),
        ("text", Way::Text("a")),
        ("text of lines", Way::Text("a\r\nb\nc\r")),
        (
            "lines",
            Way::Lines {
                count: 1,
                text: "a\nb",
                inner,
            },
        ),
        ("no lines", Way::NoLines { absent: None }),
        ("empty", Way::Empty),
        ("literal", Way::Literal),
        ("comment", Way::Comment("a\n\nb")),
        ("tagged unit", Way::Tagged(Tagged::Unit)),
        ("tagged", Way::Tagged(Tagged::Newtype(inner))),
        ("adjacent", Way::Adjacent(Adjacent::Tuple(1, 2))),
        ("other", Way::Other(other)),
    ];
    for (name, event) in ways {
        let mut buffer = EventBuffer::new();
        buffer.reserve(64 * 1024);
        let count = allocation_counter::measure(|| {
            for _ in 0..100 {
                buffer.write(&event).unwrap();
            }
        });
        assert_eq!(count.count_total, 0, "{name}");
    }
}
