//! What the fields of a variant are read from.

use std::error::Error;
use std::time::Duration;

use sse_core::{DecodeCause, Decoder, EventBuffer, FromSseEvent, SseEvent};

use crate::{check, read, round, unknown};

#[test]
fn ids_and_times() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum Fields {
        All {
            #[sse(id)]
            seq: u64,
            #[sse(retry)]
            wait: Duration,
            a: u8,
        },
        Maybe(
            #[sse(id)] Option<i32>,
            #[sse(retry)] Option<Duration>,
            String,
        ),
        #[sse(retry = "5s")]
        Kept {
            #[sse(id, keep)]
            seq: u8,
        },
    }
    round(Fields::All {
        seq: 7,
        wait: Duration::from_millis(5),
        a: 1,
    });
    round(Fields::Maybe(
        Some(-1),
        Some(Duration::from_secs(1)),
        "x".into(),
    ));
    round(Fields::Maybe(None, None, String::new()));
    round(Fields::Kept { seq: 3 });
    // The payload has it, also when a proxy dropped the line.
    check(
        "event: kept\ndata: {\"seq\":3}\n\n",
        Fields::Kept { seq: 3 },
    );

    let error = read::<Fields>("event: all\nid: x\nretry: 1\ndata: {\"a\":1}\n\n").unwrap_err();
    assert_eq!((error.event(), error.id()), ("all", Some("x")));
    assert!(matches!(error.cause(), DecodeCause::Id(_)));
    assert_eq!(
        error.to_string(),
        "the id of the event \"all\" with the id \"x\" does not parse"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "invalid digit found in string"
    );
    let error = read::<Fields>("event: all\ndata: {\"a\":1}\n\n").unwrap_err();
    assert_eq!(error.to_string(), "the event \"all\" has no id");
    let error = read::<Fields>("event: all\nid: 1\ndata: {\"a\":1}\n\n").unwrap_err();
    assert!(matches!(error.cause(), DecodeCause::NoRetry));
}

#[test]
fn an_id_is_that_of_its_own_event() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Tick {
        At(#[sse(id)] Option<u64>, char),
    }
    let mut decoder = Decoder::new();
    decoder.push("id: 7\ndata: \"a\"\n\ndata: \"b\"\n\nid:\ndata: \"c\"\n\n");
    let mut seen = Vec::new();
    while let Some(event) = decoder.next_event().unwrap() {
        seen.push(Tick::from_event(&event).unwrap());
    }
    let ids = [
        Tick::At(Some(7), 'a'),
        Tick::At(None, 'b'),
        Tick::At(None, 'c'),
    ];
    assert_eq!(seen, ids);
}

#[test]
fn fields_that_are_not_on_the_wire_have_defaults() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum Defaults {
        Struct {
            a: u8,
            #[sse(skip)]
            skipped: Vec<u8>,
            #[serde(skip)]
            also: u8,
            #[serde(default = "seven")]
            seven: u8,
            #[sse(rename = "other-key")]
            #[serde(rename = "overruled", alias = "old")]
            key: u8,
        },
        Value(#[sse(data)] u8, String),
        Tuple(u8, #[serde(skip)] u8, u8),
        #[sse(skip)]
        Never(NotDefault),
    }
    #[derive(Debug, PartialEq)]
    struct NotDefault;
    fn seven() -> u8 {
        7
    }
    let event = Defaults::Struct {
        a: 1,
        skipped: vec![],
        also: 0,
        seven: 7,
        key: 2,
    };
    let mut writer = EventBuffer::new();
    writer.write(&event).unwrap();
    assert_eq!(
        writer.take(),
        "event: struct\ndata: {\"a\":1,\"seven\":7,\"other-key\":2}\n\n"
    );
    check("event: struct\ndata: {\"a\":1,\"other-key\":2}\n\n", event);
    check(
        "event: struct\ndata: {\"a\":1,\"old\":2,\"seven\":3}\n\n",
        Defaults::Struct {
            a: 1,
            skipped: vec![],
            also: 0,
            seven: 3,
            key: 2,
        },
    );
    round(Defaults::Value(1, String::new()));
    round(Defaults::Tuple(1, 0, 2));
    unknown::<Defaults>("event: never\ndata: {}\n\n");
    let mut writer = EventBuffer::new();
    writer.write(&Defaults::Never(NotDefault)).unwrap();
    assert!(writer.is_empty());
}

mod functions {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[test]
fn serde_attributes_of_fields_keep_their_meaning() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(rename_all_fields = "camelCase")]
    enum With {
        Newtype(#[serde(with = "functions")] u32),
        Beside(#[sse(id)] u8, #[serde(with = "functions")] u32),
        Named {
            #[sse(data)]
            #[serde(with = "functions")]
            value: u32,
        },
        Fields {
            #[serde(with = "functions")]
            as_text: u32,
            #[serde(skip_serializing_if = "Option::is_none", default)]
            may_be: Option<u8>,
            r#type: u8,
        },
    }
    round(With::Newtype(1));
    round(With::Beside(1, 2));
    round(With::Named { value: 3 });
    round(With::Fields {
        as_text: 4,
        may_be: None,
        r#type: 5,
    });
    check(
        "event: fields\ndata: {\"asText\":\"4\",\"mayBe\":1,\"type\":5}\n\n",
        With::Fields {
            as_text: 4,
            may_be: Some(1),
            r#type: 5,
        },
    );
}
