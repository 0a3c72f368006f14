//! Enums of the shapes that are special, over generated values.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use sse_core::{FromSseEvent, SseEvent};

use crate::{comes_back, written};

/// Any text, line breaks too.
const TEXT: &str = "(?s).{0,8}";

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Inner {
    big: i128,
    list: Vec<Option<String>>,
    map: BTreeMap<String, bool>,
    choice: Choice,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
enum Choice {
    Unit,
    Newtype(char),
    Struct { a: u64 },
}

/// The same variants with their payloads told apart in each of the ways that there are.
macro_rules! shapes {
    ($($name:ident $generate:ident $(#[$attribute:meta])*;)*) => {$(
        #[derive(SseEvent, FromSseEvent, Serialize, Clone, Debug, PartialEq)]
        $(#[$attribute])*
        enum $name {
            Unit,
            Inner(Inner),
            Struct {
                text: String,
                #[serde(skip_serializing_if = "Option::is_none", default)]
                none: Option<u8>,
                #[serde(rename = "type-of")]
                kind: f64,
                r#match: Vec<u8>,
            },
            Flat {
                #[serde(flatten)]
                rest: BTreeMap<String, String>,
            },
            Lone { a_b: (u8, String) },
        }

        fn $generate() -> impl Strategy<Value = $name> {
            let none = proptest::option::of(any::<u8>());
            prop_oneof![
                Just($name::Unit),
                inner().prop_map($name::Inner),
                (TEXT, none, finite(), proptest::collection::vec(any::<u8>(), 0..4)).prop_map(
                    |(text, none, kind, r#match)| $name::Struct { text, none, kind, r#match }
                ),
                proptest::collection::btree_map("k[a-zA-Z\"\n é]{0,4}", TEXT, 0..3)
                    .prop_map(|rest| $name::Flat { rest }),
                (any::<u8>(), TEXT).prop_map(|a_b| $name::Lone { a_b }),
            ]
        }
    )*};
}

shapes! {
    Plain plain;
    Tagged tagged #[serde(tag = "t\"ag", rename_all = "kebab-case")];
    Adjacent adjacent #[serde(tag = "t", content = "c", rename_all_fields = "SCREAMING-KEBAB-CASE")];
    UnnamedTagged unnamed_tagged #[sse(unnamed)] #[serde(tag = "t", rename_all = "UPPERCASE")];
    UnnamedAdjacent unnamed_adjacent #[sse(unnamed)] #[serde(tag = "t", content = "c")];
}

/// What stands on lines of its own.
#[derive(SseEvent, FromSseEvent, Clone, Debug, PartialEq)]
enum Lines {
    Both {
        #[sse(id)]
        id: Option<String>,
        #[sse(retry)]
        retry: Option<Duration>,
        #[sse(data)]
        json: Choice,
    },
    Number(#[sse(id)] i64, u8, String),
    #[sse(unnamed, data = "text")]
    Text(String),
    #[sse(data = "text")]
    Runtime {
        #[sse(event)]
        name: String,
        text: String,
    },
    #[sse(literal = "a\r\nb\rc")]
    Literal,
    #[sse(unnamed, data = "empty")]
    Empty(#[sse(id)] u8),
    #[sse(flatten)]
    Inner(UnnamedOnly),
}

#[derive(SseEvent, FromSseEvent, Clone, Debug, PartialEq)]
enum UnnamedOnly {
    #[sse(rename = "in\u{2028}ner")]
    Named(Choice),
}

fn lines() -> impl Strategy<Value = Lines> {
    // What a decoder gives back: line breaks are LF, and an id is one line.
    let text = "[^\r]{0,8}";
    let retry = (1..=2_147_483_647_u64).prop_map(Duration::from_millis);
    prop_oneof![
        (
            proptest::option::of("[^\r\n\0]{0,6}"),
            proptest::option::of(retry),
            choice()
        )
            .prop_map(|(id, retry, json)| Lines::Both { id, retry, json }),
        (any::<i64>(), any::<u8>(), TEXT).prop_map(|(id, a, b)| Lines::Number(id, a, b)),
        // The empty text is the other unnamed variant.
        "[^\r]{1,8}".prop_map(Lines::Text),
        ("row-[^\r\n]{1,6}", text).prop_map(|(name, text)| Lines::Runtime { name, text }),
        Just(Lines::Literal),
        any::<u8>().prop_map(Lines::Empty),
        choice().prop_map(|choice| Lines::Inner(UnnamedOnly::Named(choice))),
    ]
}

fn finite() -> impl Strategy<Value = f64> {
    any::<i32>().prop_map(|number| f64::from(number) / 8.0)
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Unit),
        any::<char>().prop_map(Choice::Newtype),
        any::<u64>().prop_map(|a| Choice::Struct { a }),
    ]
}

fn inner() -> impl Strategy<Value = Inner> {
    let map = proptest::collection::btree_map(TEXT, any::<bool>(), 0..3);
    (
        any::<i128>(),
        proptest::collection::vec(proptest::option::of(TEXT), 0..3),
        map,
        choice(),
    )
        .prop_map(|(big, list, map, choice)| Inner {
            big,
            list,
            map,
            choice,
        })
}

/// The payload is what serde gives for the enum, which is tagged alike.
fn is_serdes<E: SseEvent + Serialize>(event: &E) {
    let bytes = written(event);
    let bytes = str::from_utf8(&bytes).expect("it is text");
    let at = bytes.find("data: ").expect("there is a payload") + "data: ".len();
    let json = serde_json::to_string(event).expect("it can be serialized");
    assert_eq!(&bytes[at..], format!("{json}\n\n"));
}

/// serde puts the content of an untagged enum under the name of the variant.
fn is_serdes_content<E: SseEvent + Serialize>(event: &E) {
    let bytes = written(event);
    let bytes = str::from_utf8(&bytes).expect("it is text");
    let at = bytes.find("data: ").expect("there is a payload") + "data: ".len();
    let json = serde_json::to_string(event).expect("it can be serialized");
    let content = match json
        .strip_prefix('{')
        .and_then(|json| json.strip_suffix('}'))
    {
        Some(pair) => &pair[pair.find(':').expect("a key has a value") + 1..],
        None => "{}",
    };
    assert_eq!(&bytes[at..], format!("{content}\n\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_enums(event in plain()) {
        comes_back(&event);
        is_serdes_content(&event);
    }

    #[test]
    fn tagged_enums(event in tagged()) {
        comes_back(&event);
        is_serdes(&event);
    }

    #[test]
    fn adjacently_tagged_enums(event in adjacent()) {
        comes_back(&event);
        is_serdes(&event);
    }

    #[test]
    fn unnamed_tagged_enums(event in unnamed_tagged()) {
        comes_back(&event);
        is_serdes(&event);
    }

    #[test]
    fn unnamed_adjacently_tagged_enums(event in unnamed_adjacent()) {
        comes_back(&event);
        is_serdes(&event);
    }

    #[test]
    fn fields_on_lines_of_their_own(event in lines()) {
        comes_back(&event);
    }
}
