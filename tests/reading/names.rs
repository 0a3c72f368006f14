//! Which variant an event is, by its name or without one.

use std::num::ParseIntError;
use std::str::FromStr;

use sse_core::{DecodeCause, EventBuffer, EventId, EventName, FromSseEvent, SseEvent};

use crate::{broken, check, read, round, unknown};

#[test]
fn the_name_decides() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Named {
        #[sse(alias = "begun", alias = "begin")]
        Started {
            at: u8,
        },
        #[serde(alias = "line")]
        Log(String),
        Unit,
        Message(u8),
    }
    for name in ["started", "begun", "begin"] {
        check(
            &format!("event: {name}\ndata: {{\"at\":1}}\n\n"),
            Named::Started { at: 1 },
        );
    }
    check("event: line\ndata: \"a\"\n\n", Named::Log("a".into()));
    // What a unit variant gets does not matter: a field added later is a compatible change.
    for payload in ["{}", "{\"more\":1}", "", "null", "not JSON"] {
        check(&format!("event: unit\ndata: {payload}\n\n"), Named::Unit);
    }
    // To a client no name is the name `message`.
    check("data: 1\n\n", Named::Message(1));
    check("event: message\ndata: 1\n\n", Named::Message(1));
    unknown::<Named>("event: Started\ndata: {\"at\":1}\n\n");
    unknown::<Named>("event: constructor\ndata: {}\n\n");
    broken::<Named>("event: log\ndata: 1\n\n", "expected a string");
    broken::<Named>("event: started\ndata: {\"at\":1} 2\n\n", "trailing");
}

#[test]
fn unnamed_variants_are_tried_in_order() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Tried {
        #[sse(literal = "[DONE]\r\nbye")]
        Done,
        #[sse(data = "empty")]
        Nothing,
        Number(u8),
        Fields {
            a: u8,
        },
        Unit,
        #[sse(data = "text")]
        Text(String),
    }
    check("data: [DONE]\ndata: bye\n\n", Tried::Done);
    check("data\n\n", Tried::Nothing);
    check("data: 7\n\n", Tried::Number(7));
    check("data: {\"a\":1}\n\n", Tried::Fields { a: 1 });
    check("data: {}\n\n", Tried::Unit);
    check("data: {\"b\":1}\n\n", Tried::Text("{\"b\":1}".into()));
    // A browser does not hand an event with another name to `onmessage`.
    unknown::<Tried>("event: other\ndata: 7\n\n");

    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Failing {
        First { a: u8 },
        Second { b: u8 },
    }
    broken::<Failing>("data: {\"c\":1}\n\n", "missing field `a`");
}

#[test]
fn names_chosen_at_run_time_come_after_the_others() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(data = "text")]
    enum Swap {
        #[sse(data = "empty", terminal)]
        Close,
        Row {
            #[sse(event)]
            target: EventName,
            #[sse(id)]
            id: Option<EventId>,
            html: String,
        },
        #[sse(unnamed)]
        Page(String),
    }
    check("event: close\ndata: x\n\n", Swap::Close);
    round(Swap::Row {
        target: EventName::from_static("row-7"),
        id: Some(EventId::from(7)),
        html: "<td>".into(),
    });
    check("data: <p>\n\n", Swap::Page("<p>".into()));
    let reserved = read::<Swap>("event: sse-tower:x\ndata: a\n\n").unwrap_err();
    assert!(matches!(reserved.cause(), DecodeCause::Name(_)));
}

#[test]
fn a_constant_payload_under_any_name_is_that_payload() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum Any {
        #[sse(data = "text")]
        Text {
            #[sse(event)]
            name: String,
            text: String,
        },
        #[sse(literal = "[DONE]")]
        Done {
            #[sse(event)]
            name: String,
        },
        #[sse(data = "empty")]
        Empty {
            #[sse(event)]
            name: String,
        },
    }
    let name = || "row-7".to_owned();
    round(Any::Done { name: name() });
    round(Any::Empty { name: name() });
    round(Any::Text {
        name: name(),
        text: "[DONE] ".into(),
    });
    // The type of the name may tell two apart that send the same.
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(data = "empty")]
    enum Gone {
        Row(#[sse(event)] Number),
        Column(#[sse(event)] String),
    }
    round(Gone::Row("7".parse().unwrap()));
    round(Gone::Column("seven".into()));

    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Done {
        #[sse(literal = "[DONE]")]
        Done {
            #[sse(event)]
            name: String,
        },
    }
    unknown::<Done>("event: row-7\ndata: [NOT YET]\n\n");
    unknown::<Done>("data: [DONE]\n\n");
}

#[test]
fn serde_names_for_one_direction() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum OneWay {
        #[serde(rename(serialize = "out", deserialize = "in"))]
        Both(u8),
        #[serde(skip_deserializing)]
        Written(u8),
        #[serde(other)]
        Rest,
    }
    check("event: in\ndata: 1\n\n", OneWay::Both(1));
    check("event: out\ndata: 1\n\n", OneWay::Rest);
    check("event: written\ndata: 1\n\n", OneWay::Rest);
    let mut writer = EventBuffer::new();
    writer.write(&OneWay::Both(1)).unwrap();
    writer.write(&OneWay::Written(1)).unwrap();
    writer.write(&OneWay::Rest).unwrap();
    assert_eq!(
        writer.as_bytes(),
        b"event: out\ndata: 1\n\nevent: written\ndata: 1\n\nevent: rest\ndata: {}\n\n"
    );
}

#[test]
fn names_that_join_to_the_same_do_not_collide() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[allow(non_camel_case_types)]
    enum Joined {
        A_b { c: Vec<u8> },
        A { b_c: Vec<u8> },
        A_b_c { d: u8 },
    }
    round(Joined::A_b { c: vec![1] });
    round(Joined::A { b_c: vec![2] });
    round(Joined::A_b_c { d: 3 });
}

/// A name that is a number.
#[derive(Debug, PartialEq)]
struct Number(String);

impl AsRef<str> for Number {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Number {
    type Err = ParseIntError;

    fn from_str(name: &str) -> Result<Self, ParseIntError> {
        name.parse::<u32>().map(|_| Self(name.into()))
    }
}
