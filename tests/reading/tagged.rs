//! Payloads with a tag in them or beside them.

use std::collections::BTreeMap;
use std::error::Error;

use serde::{Deserialize, Serialize};
use sse_core::{FromSseEvent, SseEvent};

use crate::{broken, check, read, round};

#[test]
fn a_tagged_payload_is_read_as_serde_would() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Newtype(Inner);
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Inner {
        big: u128,
        precise: f32,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Small {
        precise: f32,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum External {
        Text(String),
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Empty;

    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Tagged {
        Newtype(Newtype),
        Boxed(Box<Inner>),
        External(External),
        Nothing(()),
        Empty(Empty),
        Flat {
            #[serde(flatten)]
            inner: Small,
            #[serde(flatten)]
            rest: BTreeMap<String, String>,
        },
    }
    let inner = || Inner {
        big: u128::MAX,
        precise: 0.1,
    };
    round(Tagged::Newtype(Newtype(inner())));
    round(Tagged::Boxed(Box::new(inner())));
    round(Tagged::External(External::Text("a".into())));
    round(Tagged::Nothing(()));
    round(Tagged::Empty(Empty));
    let rest = BTreeMap::from([("k\"ey".to_owned(), "v".to_owned())]);
    // `flatten` buffers, and serde's buffer has no 128-bit numbers.
    let inner = Small { precise: 0.1 };
    round(Tagged::Flat { inner, rest });
}

#[test]
fn the_keys_of_a_tagged_map_are_read_as_serde_would() {
    #[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct UserId(u32);
    #[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Name(Option<String>);
    #[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Side {
        Left,
        Right,
    }

    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Maps {
        Users(BTreeMap<UserId, u8>),
        Names(BTreeMap<Name, u8>),
        Sides(BTreeMap<Side, u8>),
        Flags(BTreeMap<bool, u8>),
        Letters(BTreeMap<char, u8>),
        Small(BTreeMap<i8, u8>),
        Large(BTreeMap<i128, u8>),
        Unsigned(BTreeMap<u128, u8>),
        Maybe(BTreeMap<Option<u64>, u8>),
    }
    round(Maps::Users([(UserId(7), 1), (UserId(u32::MAX), 2)].into()));
    round(Maps::Names([(Name(Some("a\"b".into())), 1)].into()));
    round(Maps::Sides([(Side::Left, 1), (Side::Right, 2)].into()));
    round(Maps::Flags([(true, 1), (false, 2)].into()));
    round(Maps::Letters([('"', 1), ('é', 2)].into()));
    round(Maps::Small([(-128, 1), (127, 2)].into()));
    round(Maps::Large([(i128::MIN, 1), (0, 2)].into()));
    round(Maps::Unsigned([(u128::MAX, 1)].into()));
    round(Maps::Maybe([(Some(u64::MAX), 1)].into()));

    // What serde_json refuses is refused.
    type Numbers = BTreeMap<u8, u8>;
    type Flags = BTreeMap<bool, u8>;
    let is_number = |key: &str| serde_json::from_str::<Numbers>(&format!("{{{key}:1}}")).is_ok();
    let is_flag = |key: &str| serde_json::from_str::<Flags>(&format!("{{{key}:1}}")).is_ok();
    #[derive(FromSseEvent, Debug)]
    #[sse(tag = "type")]
    enum Plain {
        Numbers(#[expect(dead_code, reason = "only whether it is read counts")] Numbers),
        Flags(#[expect(dead_code, reason = "only whether it is read counts")] Flags),
    }
    let keys = [
        "7", "255", "256", "-0", "-1", "07", "+7", " 7", "7 ", "7\\n", "7.0", "7e0", "1x", "",
        "null", "true", "false", "True", " true",
    ];
    for key in keys {
        let key = format!("\"{key}\"");
        let read = |name| read::<Plain>(&format!("data: {{\"type\":\"{name}\",{key}:1}}\n\n"));
        assert_eq!(read("numbers").is_ok(), is_number(&key), "{key}");
        assert_eq!(read("flags").is_ok(), is_flag(&key), "{key}");
    }
}

#[test]
fn denied_fields_and_a_tag_work_together() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[serde(tag = "type", deny_unknown_fields, rename_all = "snake_case")]
    enum Internal {
        Delta { index: u8 },
        Strict(Strict),
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        a: u8,
    }
    round(Internal::Delta { index: 1 });
    round(Internal::Strict(Strict { a: 1 }));
    broken::<Internal>(
        "event: delta\ndata: {\"type\":\"delta\",\"index\":1,\"more\":1}\n\n",
        "unknown field `more`",
    );

    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[serde(tag = "kind", content = "value", deny_unknown_fields)]
    #[sse(rename_all = "snake_case")]
    enum Adjacent {
        Delta { index: u8 },
        Text(String),
        Pair(u8, u8),
        Maybe(Option<u8>),
        Unit,
    }
    round(Adjacent::Delta { index: 1 });
    round(Adjacent::Text("a".into()));
    round(Adjacent::Pair(1, 2));
    round(Adjacent::Maybe(None));
    round(Adjacent::Unit);
    check("data: {\"kind\":\"maybe\"}\n\n", Adjacent::Maybe(None));
    check(
        "data: {\"value\":\"a\",\"kind\":\"text\"}\n\n",
        Adjacent::Text("a".into()),
    );
    broken::<Adjacent>("data: {\"kind\":\"text\"}\n\n", "missing field `value`");
    broken::<Adjacent>(
        "event: text\ndata: {\"kind\":\"text\",\"value\":\"a\",\"more\":1}\n\n",
        "unknown field `more`",
    );
    broken::<Adjacent>(
        "event: text\ndata: {\"value\":\"a\",\"value\":\"b\"}\n\n",
        "duplicate field `value`",
    );
}

#[test]
fn content_beside_a_tag_is_missed_as_in_serde() {
    #[derive(Deserialize, FromSseEvent, Debug, PartialEq)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Unit,
        Maybe(Option<u8>),
        Nothing(()),
        Any(serde_json::Value),
        Text(String),
        Pair(u8, u8),
        Struct {
            #[serde(default)]
            a: u8,
        },
        With(#[serde(deserialize_with = "maybe")] Option<u8>),
    }
    fn maybe<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
        Option::deserialize(deserializer)
    }
    let names = [
        "Unit", "Maybe", "Nothing", "Any", "Text", "Pair", "Struct", "With",
    ];
    for name in names {
        for more in [
            "",
            ",\"c\":null",
            ",\"c\":{}",
            ",\"c\":\"\"",
            ",\"d\":1",
            ",\"t\":\"Unit\"",
        ] {
            // Of a unit nothing is read.
            if name == "Unit" && !more.is_empty() {
                continue;
            }
            let json = format!("{{\"t\":{name:?}{more}}}");
            let serde = serde_json::from_str::<Adjacent>(&json);
            let ours = read::<Adjacent>(&format!("data: {json}\n\n"));
            match (serde, ours) {
                (Ok(serde), Ok(ours)) => assert_eq!(serde, ours, "{json}"),
                (Err(serde), Err(ours)) => {
                    let ours = ours.source().unwrap().to_string();
                    let (serde, _) = serde.to_string().split_once(" at ").map(own).unwrap();
                    assert!(ours.starts_with(&serde), "{json}: {serde}, not {ours}");
                }
                (serde, ours) => panic!("{json}: {serde:?}, not {ours:?}"),
            }
        }
    }
    fn own((a, b): (&str, &str)) -> (String, String) {
        (a.to_owned(), b.to_owned())
    }
}

#[test]
fn a_tagged_payload_ends_where_it_ends() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Tagged {
        Delta { i: u8 },
    }
    broken::<Tagged>(
        "event: delta\ndata: {\"type\":\"delta\",\"i\":1} garbage\n\n",
        "trailing characters",
    );
}
