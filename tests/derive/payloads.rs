//! What goes to the `data` lines.

use std::time::Duration;

use sse_core::{EventBuffer, SseEvent};

use crate::check;

#[test]
fn the_payload_is_the_content_of_the_variant() {
    #[derive(SseEvent)]
    enum Shapes {
        Unit,
        EmptyTuple(),
        EmptyStruct {},
        Newtype(String),
        Tuple(u8, &'static str),
        Struct { target: String, size: Option<u8> },
        Lone { size: u8 },
    }
    check(&Shapes::Unit, "event: unit\ndata: {}\n\n");
    check(&Shapes::EmptyTuple(), "event: empty_tuple\ndata: {}\n\n");
    check(&Shapes::EmptyStruct {}, "event: empty_struct\ndata: {}\n\n");
    check(
        &Shapes::Newtype("a\nb".into()),
        "event: newtype\ndata: \"a\\nb\"\n\n",
    );
    check(&Shapes::Tuple(1, "b"), "event: tuple\ndata: [1,\"b\"]\n\n");
    let event = Shapes::Struct {
        target: "x86".into(),
        size: None,
    };
    check(
        &event,
        "event: struct\ndata: {\"target\":\"x86\",\"size\":null}\n\n",
    );
    check(
        &Shapes::Lone { size: 3 },
        "event: lone\ndata: {\"size\":3}\n\n",
    );
}

#[test]
fn id_and_retry_are_lines_and_not_payload() {
    const SECOND: Duration = Duration::from_secs(1);

    #[derive(SseEvent)]
    enum Lines {
        Both {
            #[sse(id)]
            seq: u64,
            a: u8,
            #[sse(retry)]
            wait: Duration,
        },
        OnlyId(#[sse(id)] u64),
        IdAndValue(#[sse(id)] i128, Vec<u8>),
        ValueAndId(&'static str, #[sse(id)] &'static str),
        IdAndTuple(#[sse(id)] u8, u8, u8),
        AllTaken {
            #[sse(id)]
            seq: String,
        },
        Maybe {
            #[sse(id)]
            seq: Option<u64>,
            #[sse(retry)]
            wait: Option<Duration>,
        },
        MaybeText(#[sse(id)] std::option::Option<String>, u8),
    }
    let both = Lines::Both {
        seq: 7,
        a: 1,
        wait: SECOND,
    };
    check(
        &both,
        "event: both\nid: 7\nretry: 1000\ndata: {\"a\":1}\n\n",
    );
    check(&Lines::OnlyId(1), "event: only_id\nid: 1\ndata: {}\n\n");
    check(
        &Lines::IdAndValue(-1, vec![1]),
        "event: id_and_value\nid: -1\ndata: [1]\n\n",
    );
    check(
        &Lines::ValueAndId("v", "i"),
        "event: value_and_id\nid: i\ndata: \"v\"\n\n",
    );
    check(
        &Lines::IdAndTuple(1, 2, 3),
        "event: id_and_tuple\nid: 1\ndata: [2,3]\n\n",
    );
    check(
        &Lines::AllTaken { seq: "a".into() },
        "event: all_taken\nid: a\ndata: {}\n\n",
    );
    let maybe = Lines::Maybe {
        seq: Some(1),
        wait: Some(SECOND),
    };
    check(&maybe, "event: maybe\nid: 1\nretry: 1000\ndata: {}\n\n");
    check(
        &Lines::Maybe {
            seq: None,
            wait: None,
        },
        "event: maybe\ndata: {}\n\n",
    );
    check(&Lines::MaybeText(None, 2), "event: maybe_text\ndata: 2\n\n");
    check(
        &Lines::MaybeText(Some("x".into()), 2),
        "event: maybe_text\nid: x\ndata: 2\n\n",
    );

    let bad = Lines::AllTaken {
        seq: "a\nid: 2".into(),
    };
    assert!(EventBuffer::new().write(&bad).is_err());
    let instant = Lines::Maybe {
        seq: None,
        wait: Some(Duration::ZERO),
    };
    check(&instant, "event: maybe\nretry: 1\ndata: {}\n\n");
}

#[test]
fn payload_forms() {
    #[derive(SseEvent)]
    enum Forms {
        #[sse(data = "text")]
        Text(String),
        #[sse(data = "text")]
        Named {
            #[sse(id)]
            at: u8,
            line: f32,
        },
        #[sse(data = "empty")]
        Empty,
        #[sse(data = "empty")]
        EmptyWithId(#[sse(id)] u8),
        #[sse(literal = "[DONE]", unnamed)]
        Done,
        #[sse(literal = "a\nb")]
        Lines,
        #[sse(data = "json")]
        Json(u8),
    }
    check(
        &Forms::Text("a\nb".into()),
        "event: text\ndata: a\ndata: b\n\n",
    );
    check(
        &Forms::Named { at: 1, line: 0.5 },
        "event: named\nid: 1\ndata: 0.5\n\n",
    );
    check(&Forms::Empty, "event: empty\ndata:\n\n");
    check(
        &Forms::EmptyWithId(1),
        "event: empty_with_id\nid: 1\ndata:\n\n",
    );
    check(&Forms::Done, "data: [DONE]\n\n");
    check(&Forms::Lines, "event: lines\ndata: a\ndata: b\n\n");
    check(&Forms::Json(1), "event: json\ndata: 1\n\n");

    #[derive(SseEvent)]
    #[sse(data = "text", unnamed)]
    enum AllText {
        Line(&'static str),
        #[sse(data = "json")]
        Value(&'static str),
        #[sse(literal = "x")]
        Literal,
    }
    check(&AllText::Line("a"), "data: a\n\n");
    check(&AllText::Value("a"), "data: \"a\"\n\n");
    check(&AllText::Literal, "data: x\n\n");
    assert_eq!(AllText::Literal.event_name(), None);
}
