//! `#[derive(SseEvent)]`: every shape and attribute, as bytes.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fmt::Display;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use sse_core::{Block, DataFormat, EventBuffer, EventMeta, Keep, SseEvent};

#[track_caller]
fn check(event: &impl SseEvent, expected: &str) {
    assert_eq!(written(event), expected);
}

#[track_caller]
fn written(event: &impl SseEvent) -> String {
    let mut buffer = EventBuffer::new();
    buffer.write(event).unwrap();
    String::from_utf8(buffer.take().to_vec()).unwrap()
}

/// The payload is what serde writes for `value`.
#[track_caller]
fn check_payload(event: &impl SseEvent, value: &impl Serialize) {
    let bytes = written(event);
    let (_, payload) = bytes.split_once("data: ").unwrap();
    assert_eq!(payload.trim_end(), serde_json::to_string(value).unwrap());
}

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

#[test]
fn names() {
    #[derive(SseEvent)]
    #[sse(rename_all = "dot.case")]
    enum Names {
        SessionCreated,
        #[sse(rename = "error")]
        Error,
        r#Try,
        #[sse(unnamed)]
        Quiet,
    }
    check(
        &Names::SessionCreated,
        "event: session.created\ndata: {}\n\n",
    );
    check(&Names::Error, "event: error\ndata: {}\n\n");
    check(&Names::Try, "event: try\ndata: {}\n\n");
    check(&Names::Quiet, "data: {}\n\n");
    assert_eq!(Names::SessionCreated.event_name(), Some("session.created"));
    assert_eq!(Names::Quiet.event_name(), None);
}

#[test]
fn serde_gives_the_names_unless_sse_does() {
    #[derive(Serialize, SseEvent)]
    #[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
    #[expect(clippy::enum_variant_names, reason = "cases of names")]
    enum Serde {
        FirstOne {
            file_name: u8,
        },
        #[serde(rename = "zwei")]
        SecondOne,
        #[serde(rename(serialize = "drei", deserialize = "trois"))]
        ThirdOne,
        #[serde(rename = "vier")]
        #[sse(rename = "four")]
        FourthOne,
        #[serde(rename_all = "UPPERCASE")]
        FifthOne {
            file_name: u8,
        },
    }
    check(
        &Serde::FirstOne { file_name: 1 },
        "event: first-one\ndata: {\"fileName\":1}\n\n",
    );
    check(&Serde::SecondOne, "event: zwei\ndata: {}\n\n");
    check(&Serde::ThirdOne, "event: drei\ndata: {}\n\n");
    check(&Serde::FourthOne, "event: four\ndata: {}\n\n");
    check(
        &Serde::FifthOne { file_name: 1 },
        "event: fifth-one\ndata: {\"FILE_NAME\":1}\n\n",
    );

    #[derive(SseEvent)]
    #[serde(rename_all(serialize = "UPPERCASE"))]
    #[sse(rename_all = "lowercase")]
    enum Wins {
        FirstOne,
    }
    check(&Wins::FirstOne, "event: firstone\ndata: {}\n\n");
}

#[test]
fn the_end_is_marked() {
    #[derive(SseEvent)]
    enum Job {
        Step,
        #[sse(terminal)]
        Done,
        #[sse(terminal)]
        Failed(String),
    }
    let ends = [Job::Step, Job::Done, Job::Failed(String::new())].map(|event| event.is_terminal());
    assert_eq!(ends, [false, true, true]);

    #[derive(SseEvent)]
    enum Only {
        #[sse(terminal)]
        Done,
    }
    assert!(Only::Done.is_terminal());
}

#[test]
fn descriptions() {
    /// Not this.
    #[derive(SseEvent)]
    #[allow(dead_code)]
    enum Build {
        /// The build began.
        ///
        ///  Second line.
        Started {
            #[sse(id)]
            seq: u64,
        },
        #[sse(data = "text", unnamed)]
        Log(String),
        #[sse(data = "empty")]
        Ping,
        #[sse(literal = "[DONE]", terminal)]
        Done,
    }
    let mut metas = Vec::new();
    Build::describe(&mut metas);
    let meta = |name, tag, format| EventMeta {
        name,
        tag,
        format,
        terminal: false,
        has_id: false,
        doc: "",
    };
    assert_eq!(
        metas,
        [
            EventMeta {
                has_id: true,
                doc: "The build began.\n\n Second line.",
                ..meta(Some("started"), "started", DataFormat::Json)
            },
            meta(None, "log", DataFormat::Text),
            meta(Some("ping"), "ping", DataFormat::Empty),
            EventMeta {
                terminal: true,
                ..meta(Some("done"), "done", DataFormat::Literal("[DONE]"))
            },
        ]
    );
}

#[test]
fn descriptions_of_what_is_not_json() {
    #[derive(SseEvent)]
    #[allow(dead_code)]
    enum Inner {
        Only,
    }
    #[derive(SseEvent)]
    #[allow(dead_code)]
    enum Outer {
        #[sse(data = "lines")]
        Patch { a: u8 },
        #[sse(comment)]
        Heartbeat,
        #[sse(flatten)]
        Inner(Inner),
        Row {
            #[sse(event)]
            name: String,
        },
        #[sse(skip)]
        Skipped,
        #[sse(other)]
        Other,
    }
    let mut metas = Vec::new();
    Outer::describe(&mut metas);
    let seen: Vec<_> = metas
        .iter()
        .map(|meta| (meta.name, meta.tag, meta.format))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("patch"), "patch", DataFormat::Lines),
            (None, "heartbeat", DataFormat::Comment),
            (Some("only"), "only", DataFormat::Json),
            (None, "row", DataFormat::Json),
        ]
    );
}

#[test]
fn what_a_log_keeps() {
    #[derive(SseEvent)]
    enum Inner {
        #[sse(replay = "never")]
        Cursor,
        #[sse(replay = "latest")]
        Price,
        #[sse(replay = "latest", unnamed, data = "text")]
        Line(u8),
        #[sse(replay = "latest", unnamed, data = "text")]
        LINE(u8),
    }
    #[derive(SseEvent)]
    enum Prices {
        #[sse(replay = "latest")]
        Price {
            #[sse(key)]
            symbol: &'static str,
            cents: u32,
        },
        #[sse(replay = "latest", rename = "state-of-market")]
        State(u8),
        #[sse(replay = "all")]
        Trade(u8),
        #[sse(flatten)]
        Inner(Inner),
    }
    let price = Prices::Price {
        symbol: "X",
        cents: 1,
    };
    let latest = |kind, key: &'static str| Keep::Latest {
        kind,
        key: key.into(),
    };
    let path = concat!(module_path!(), "::Prices::Price");
    assert_eq!(price.keep(), latest(path, "X"));
    check(
        &price,
        "event: price\ndata: {\"symbol\":\"X\",\"cents\":1}\n\n",
    );
    let path = concat!(module_path!(), "::Prices::State");
    assert_eq!(Prices::State(1).keep(), latest(path, ""));
    assert_eq!(Prices::Trade(1).keep(), Keep::All);
    assert_eq!(Prices::Inner(Inner::Cursor).keep(), Keep::Never);

    // The same name on the wire, or none, but not the newest of the same.
    let path = concat!(module_path!(), "::Inner::Price");
    assert_eq!(Prices::Inner(Inner::Price).keep(), latest(path, ""));
    assert_ne!(Inner::Line(1).keep(), Inner::LINE(1).keep());
}

#[test]
fn encoded_blocks_inside_an_enum_are_not_copied() {
    #[derive(SseEvent)]
    enum Relayed {
        #[sse(flatten)]
        Encoded(Block),
        Own,
    }
    let block = Block::encode(&Relayed::Own).unwrap();
    let relayed = Relayed::Encoded(block.clone());
    assert_eq!(
        relayed.block().unwrap().bytes().as_ptr(),
        block.bytes().as_ptr()
    );
    assert!(Relayed::Own.block().is_none());
    check(&relayed, "event: own\ndata: {}\n\n");
}

#[test]
fn values_that_cannot_be_written_leave_no_trace() {
    struct Refuses;
    impl Display for Refuses {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }
    impl Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("refused"))
        }
    }
    #[derive(SseEvent)]
    enum Refused {
        #[sse(comment)]
        Comment(Refuses),
        #[sse(data = "lines")]
        Text { fine: u8, refuses: Refuses },
        #[sse(data = "lines")]
        Json {
            #[sse(json)]
            refuses: Refuses,
        },
        Row {
            #[sse(event)]
            name: &'static str,
        },
    }
    let text = Refused::Text {
        fine: 1,
        refuses: Refuses,
    };
    let json = Refused::Json { refuses: Refuses };
    let name = Refused::Row { name: "a\nid: 7" };
    for event in [Refused::Comment(Refuses), text, json, name] {
        let mut writer = EventBuffer::new();
        assert!(writer.write(&event).is_err());
        assert!(writer.is_empty());
    }
}

/// Functions as serde users write them: some take the exact type, some are generic.
mod functions {
    use serde::{Serialize, Serializer};

    pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
        *value == T::default()
    }

    pub(crate) fn twice<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(value * 2)
    }

    pub(crate) mod list {
        use super::{Serialize, Serializer};

        pub(crate) fn serialize<T: Clone + IntoIterator<Item: Serialize>, S: Serializer>(
            value: &T,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(value.clone())
        }
    }
}

#[derive(Serialize, Clone)]
struct Inner {
    x: u8,
    y: u8,
}

/// A type of somebody else without `Serialize`.
#[derive(Clone)]
struct Foreign;

fn foreign<S: serde::Serializer>(_: &Foreign, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("foreign")
}

#[test]
fn serde_attributes_of_fields_keep_their_meaning() {
    #[derive(SseEvent)]
    enum Event {
        All {
            #[sse(id)]
            seq: u8,
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(serialize_with = "functions::twice")]
            twice: u32,
            #[serde(with = "functions::list")]
            list: [u8; 2],
            #[serde(skip_serializing_if = "Option::is_none")]
            none: Option<u8>,
            #[serde(skip_serializing_if = "functions::is_default")]
            zero: u8,
            #[serde(skip)]
            #[allow(dead_code)]
            skipped: Foreign,
            #[serde(serialize_with = "foreign")]
            other: Foreign,
            #[serde(default)]
            default: u8,
            #[serde(flatten)]
            inner: Inner,
            r#fn: bool,
        },
        Tuple(#[serde(serialize_with = "functions::twice")] u32, u8),
        Newtype(#[serde(serialize_with = "functions::twice")] u32),
        Value(#[sse(id)] u8, #[serde(serialize_with = "foreign")] Foreign),
        Listed(
            #[serde(with = "functions::list")] [u8; 2],
            #[sse(retry)] Option<Duration>,
        ),
    }

    #[derive(Serialize)]
    struct All {
        #[serde(rename = "type")]
        kind: &'static str,
        #[serde(serialize_with = "functions::twice")]
        twice: u32,
        #[serde(with = "functions::list")]
        list: [u8; 2],
        #[serde(skip_serializing_if = "Option::is_none")]
        none: Option<u8>,
        #[serde(skip_serializing_if = "functions::is_default")]
        zero: u8,
        #[serde(serialize_with = "foreign")]
        other: Foreign,
        default: u8,
        #[serde(flatten)]
        inner: Inner,
        r#fn: bool,
    }

    let inner = Inner { x: 1, y: 2 };
    for (none, zero) in [(None, 0), (Some(1), 1)] {
        let event = Event::All {
            seq: 1,
            kind: "k",
            twice: 2,
            list: [1, 2],
            none,
            zero,
            skipped: Foreign,
            other: Foreign,
            default: 3,
            inner: inner.clone(),
            r#fn: true,
        };
        let value = All {
            kind: "k",
            twice: 2,
            list: [1, 2],
            none,
            zero,
            other: Foreign,
            default: 3,
            inner: inner.clone(),
            r#fn: true,
        };
        check_payload(&event, &value);
    }
    check(&Event::Tuple(2, 3), "event: tuple\ndata: [4,3]\n\n");
    check(&Event::Newtype(2), "event: newtype\ndata: 4\n\n");
    check(
        &Event::Value(1, Foreign),
        "event: value\nid: 1\ndata: \"foreign\"\n\n",
    );
    check(
        &Event::Listed([1, 2], None),
        "event: listed\ndata: [1,2]\n\n",
    );
}

trait Shape {
    type Side;
}

struct Square;

impl Shape for Square {
    type Side = u8;
}

#[derive(SseEvent)]
enum Generic<'a, T, I, S, U = u8, const N: usize = 2>
where
    S: Shape,
{
    Json {
        value: &'a T,
        more: Vec<Option<T>>,
        side: S::Side,
        sides: Vec<S::Side>,
    },
    #[sse(data = "text")]
    Text(I),
    Id(#[sse(id)] Option<I>, PhantomData<[u8; N]>),
    Unused(PhantomData<U>),
    UnusedStruct {
        phantom: PhantomData<U>,
        n: u8,
    },
    Tree(Box<Self>, u8),
}

// `Tree` makes the enum its own payload, which only `Serialize` can settle.
impl<T, I, S: Shape, U, const N: usize> Serialize for Generic<'_, T, I, S, U, N> {
    fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_str("tree")
    }
}

#[test]
fn bounds_are_inferred() {
    type G<'a> = Generic<'a, Inner, u8, Square, Foreign>;

    let value = Inner { x: 1, y: 2 };
    let json: G<'_> = Generic::Json {
        value: &value,
        more: vec![None],
        side: 3,
        sides: vec![],
    };
    check(
        &json,
        "event: json\ndata: {\"value\":{\"x\":1,\"y\":2},\"more\":[null],\"side\":3,\"sides\":[]}\n\n",
    );
    check(&G::Text(1), "event: text\ndata: 1\n\n");
    check(
        &G::Id(Some(1), PhantomData),
        "event: id\nid: 1\ndata: null\n\n",
    );
    check(&G::Unused(PhantomData), "event: unused\ndata: null\n\n");
    let unused = G::UnusedStruct {
        phantom: PhantomData,
        n: 1,
    };
    check(
        &unused,
        "event: unused_struct\ndata: {\"phantom\":null,\"n\":1}\n\n",
    );
    check(
        &G::Tree(Box::new(G::Text(1)), 2),
        "event: tree\ndata: [\"tree\",2]\n\n",
    );
}

#[test]
fn an_enum_in_a_generic_function() {
    fn inner<T: Display + Serialize>(value: T) -> String {
        #[derive(SseEvent)]
        enum Local<T> {
            #[sse(data = "text")]
            Text(T),
            Pair(T, T),
        }
        written(&Local::Text(&value)) + &written(&Local::Pair(&value, &value))
    }
    assert_eq!(
        inner(1),
        "event: text\ndata: 1\n\nevent: pair\ndata: [1,1]\n\n"
    );
}

#[test]
fn an_enum_without_variants_is_fine() {
    #[derive(SseEvent)]
    enum Never {}

    let mut metas = Vec::new();
    Never::describe(&mut metas);
    assert!(metas.is_empty());
}

/// The derive names nothing that its surroundings could mean something else by.
#[deny(warnings, clippy::all, clippy::pedantic)]
mod hygiene {
    #![allow(dead_code, non_camel_case_types, clippy::items_after_test_module)]

    pub(crate) struct String;
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Vec;
    pub(crate) struct Box;
    pub(crate) struct str;
    pub(crate) struct bool;
    pub(crate) struct u8;
    pub(crate) trait Display {}
    pub(crate) trait Serialize {}
    pub(crate) trait SseEvent {}
    pub(crate) mod serde {}
    pub(crate) mod std {}
    pub(crate) mod core {}
    pub(crate) fn drop() {}
    #[allow(non_snake_case)]
    pub(crate) fn Ok() {}
    #[allow(non_snake_case)]
    pub(crate) fn Some() {}
    #[allow(non_upper_case_globals)]
    pub(crate) const None: () = ();

    pub(crate) mod inner {
        #[allow(unused_imports)]
        use super::*;
        #[derive(::sse_core::SseEvent)]
        #[sse(data = "lines", tag = "type", content = "value")]
        pub(crate) enum Lines<'a> {
            Patch {
                selector: ::core::option::Option<&'a ::core::primitive::str>,
                #[sse(json)]
                signals: ::std::vec::Vec<::core::primitive::u64>,
            },
            #[sse(data = "json")]
            Json(&'a ::core::primitive::str),
        }

        #[derive(::sse_core::SseEvent)]
        pub(crate) enum Event<T> {
            Unit,
            Text(&'static ::core::primitive::str),
            Struct {
                #[sse(id)]
                id: ::core::option::Option<::core::primitive::u64>,
                value: T,
            },
            Pair(
                #[sse(id)] T,
                #[serde(default)] T,
                #[sse(retry)] ::core::time::Duration,
            ),
            #[deprecated]
            Old {
                value: T,
            },
            #[sse(terminal, data = "text")]
            Last(T),
            #[sse(literal = "[DONE]", terminal)]
            End,
        }
    }

    /// serde's own `Deserialize` names the primitive types, so those cannot be shadowed.
    pub(crate) mod reads {
        #[allow(unused_imports)]
        use super::{
            Box, Display, None, Ok, Option, Result, Serialize, Some, SseEvent, String, Vec, core,
            drop, serde, std,
        };

        #[derive(::sse_core::SseEvent, ::sse_core::FromSseEvent)]
        #[sse(tag = "type")]
        pub(crate) enum Tagged<T> {
            Unit,
            #[sse(replay = "latest")]
            Struct {
                #[sse(id, keep)]
                id: ::core::option::Option<::core::primitive::u64>,
                #[sse(key, rename = "Value")]
                value: T,
                list: ::std::vec::Vec<::std::string::String>,
                text: ::std::borrow::Cow<'static, ::core::primitive::str>,
                none: ::core::option::Option<T>,
            },
            #[sse(unnamed, literal = "[DONE]", terminal)]
            Done,
            #[sse(data = "text")]
            Text(T),
            #[sse(data = "empty", retry = "5s", replay = "never")]
            Empty,
            #[sse(unnamed, data = "text")]
            Unnamed(T),
            #[sse(comment)]
            Heartbeat(::std::string::String),
            #[sse(flatten)]
            Inner(::std::boxed::Box<Numbers>),
            Runtime {
                #[sse(event)]
                name: ::std::string::String,
                #[sse(data)]
                #[serde(default)]
                data: ::std::collections::BTreeMap<::std::string::String, T>,
                #[sse(skip)]
                skipped: ::core::primitive::u8,
            },
            #[sse(skip)]
            Skipped,
            #[sse(other)]
            Other(::sse_core::RawEvent<'static>),
        }

        #[derive(::sse_core::SseEvent, ::sse_core::FromSseEvent)]
        #[sse(unnamed)]
        pub(crate) enum Numbers {
            Value(::core::primitive::u64),
            Pair(
                ::core::primitive::u64,
                ::std::vec::Vec<::core::primitive::u8>,
            ),
        }
    }
}

#[test]
fn shadowed_names_do_not_matter() {
    let event = hygiene::inner::Event::Struct {
        id: Some(1),
        value: "x",
    };
    check(&event, "event: struct\nid: 1\ndata: {\"value\":\"x\"}\n\n");
    let event = hygiene::reads::Tagged::Runtime {
        name: "row-7".into(),
        data: [("a".to_owned(), 1)].into(),
        skipped: 0,
    };
    check(
        &event,
        "event: row-7\ndata: {\"type\":\"runtime\",\"a\":1}\n\n",
    );
    let event = hygiene::inner::Event::Pair(1, 2, Duration::from_secs(1));
    check(&event, "event: pair\nid: 1\nretry: 1000\ndata: 2\n\n");
}

/// Attributes may come out of a `macro_rules!` macro.
#[test]
fn attributes_from_macros() {
    macro_rules! events {
        ($name:ident, $rename:literal, $ty:ty) => {
            #[derive(SseEvent)]
            enum $name {
                #[sse(rename = $rename)]
                Only(#[sse(id)] $ty, u8),
            }
        };
    }
    events!(Made, "made-up", Option<u64>);
    check(
        &Made::Only(Some(1), 2),
        "event: made-up\nid: 1\ndata: 2\n\n",
    );
}

mod elsewhere {
    pub(crate) mod renamed {
        pub(crate) use sse_core::*;
    }
}

#[test]
fn the_crate_may_have_another_name() {
    #[derive(SseEvent)]
    #[sse(crate = crate::elsewhere::renamed)]
    enum Renamed {
        Pair(u8, u8),
    }
    check(&Renamed::Pair(1, 2), "event: pair\ndata: [1,2]\n\n");
}

/// What is allowed in an enum is allowed in what the derives repeat of it.
#[deny(warnings, clippy::all)]
#[allow(dead_code, unreachable_pub)]
mod lints {
    use serde::Serialize;
    use sse_core::{FromSseEvent, SseEvent};

    #[deprecated]
    #[derive(Serialize, serde::Deserialize, Debug)]
    pub struct Old;

    #[derive(SseEvent, FromSseEvent)]
    #[expect(non_snake_case, reason = "a test")]
    #[sse(tag = "type")]
    pub enum Field {
        Z { fooBar: Vec<u32> },
    }

    #[derive(SseEvent, FromSseEvent)]
    #[allow(non_camel_case_types)]
    pub enum Variant {
        file_saved { x: Vec<u32> },
    }

    #[derive(SseEvent, FromSseEvent)]
    #[allow(deprecated)]
    pub enum Type {
        Z {
            x: Old,
            y: u8,
        },
        #[allow(dead_code)]
        Lone(Old),
    }

    #[derive(SseEvent, FromSseEvent)]
    pub enum InField {
        Z {
            #[expect(deprecated)]
            x: Old,
            y: u8,
        },
    }

    #[derive(SseEvent, FromSseEvent)]
    #[allow(clippy::type_complexity)]
    pub enum Long {
        Z {
            x: Vec<
                Option<
                    Result<Vec<Option<(u8, Vec<u16>, Option<Vec<u32>>)>>, Vec<Option<(u8, u8)>>>,
                >,
            >,
            y: u8,
        },
    }

    #[deprecated]
    #[derive(SseEvent, FromSseEvent)]
    pub enum Whole {
        A { x: Vec<u32> },
        B(u8),
    }
}

#[test]
fn names_that_join_to_the_same_do_not_collide() {
    #[derive(SseEvent)]
    #[allow(non_camel_case_types)]
    enum Joined {
        A_b { c: Vec<u8> },
        A { b_c: Vec<u8> },
    }
    check(
        &Joined::A_b { c: vec![1] },
        "event: a_b\ndata: {\"c\":[1]}\n\n",
    );
    check(
        &Joined::A { b_c: vec![2] },
        "event: a\ndata: {\"b_c\":[2]}\n\n",
    );
}

#[test]
fn self_in_a_path_is_the_enum() {
    #[derive(SseEvent)]
    enum Paths<T> {
        A {
            #[serde(skip_serializing_if = "Self::zero")]
            a: u8,
            #[serde(serialize_with = "Self::twice")]
            b: u8,
            c: T,
        },
        Lone(#[serde(serialize_with = "Self::twice")] u8),
        Beside(#[sse(id)] u8, #[serde(serialize_with = "Self::twice")] u8),
    }
    impl<T> Paths<T> {
        fn zero(value: &u8) -> bool {
            *value == 0
        }

        fn twice<S: serde::Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u8(value * 2)
        }
    }
    let event = Paths::A { a: 0, b: 1, c: 3 };
    check(&event, "event: a\ndata: {\"b\":2,\"c\":3}\n\n");
    check(&Paths::<u8>::Lone(2), "event: lone\ndata: 4\n\n");
    check(
        &Paths::<u8>::Beside(1, 3),
        "event: beside\nid: 1\ndata: 6\n\n",
    );
}

#[test]
fn bounds_of_a_variant_replace_the_inferred_ones() {
    struct NoPayload;

    #[derive(SseEvent)]
    enum Bounded<T> {
        #[serde(bound = "")]
        A {
            a: PhantomData<T>,
            #[serde(serialize_with = "nothing")]
            b: Option<T>,
        },
        #[serde(bound(serialize = "T: Clone"))]
        B {
            #[serde(skip)]
            _b: Option<T>,
        },
    }
    fn nothing<T, S: serde::Serializer>(_: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
    impl Clone for NoPayload {
        fn clone(&self) -> Self {
            Self
        }
    }
    let event = Bounded::A {
        a: PhantomData,
        b: Some(NoPayload),
    };
    check(&event, "event: a\ndata: {\"a\":null,\"b\":null}\n\n");
    check(
        &Bounded::B {
            _b: Some(NoPayload),
        },
        "event: b\ndata: {}\n\n",
    );

    #[derive(SseEvent)]
    #[serde(bound = "")]
    enum Whole<T> {
        A(
            #[serde(serialize_with = "nothing")] Option<T>,
            PhantomData<T>,
        ),
    }
    check(
        &Whole::A(Some(NoPayload), PhantomData),
        "event: a\ndata: [null,null]\n\n",
    );

    #[derive(SseEvent)]
    enum Wrapped<T> {
        #[serde(bound = "Json<T>: Serialize")]
        A(Json<T>),
    }
    #[derive(Serialize)]
    #[serde(bound = "")]
    struct Json<T>(PhantomData<T>);
    check(
        &Wrapped::A(Json::<NoPayload>(PhantomData)),
        "event: a\ndata: null\n\n",
    );
}

#[test]
fn the_crate_may_come_from_a_macro() {
    use sse_core::FromSseEvent;

    macro_rules! declare {
        ($name:ident, $root:path) => {
            #[derive(SseEvent, FromSseEvent)]
            #[sse(crate = $root, tag = "type")]
            enum $name {
                A { a: Vec<u8> },
            }
            check(
                &$name::A { a: vec![1] },
                "event: a\ndata: {\"type\":\"a\",\"a\":[1]}\n\n",
            );
        };
        ($name:ident) => {
            #[derive(SseEvent, FromSseEvent)]
            #[sse(crate = $crate::facade)]
            enum $name {
                A { a: Vec<u8> },
            }
            check(&$name::A { a: vec![1] }, "event: a\ndata: {\"a\":[1]}\n\n");
            declare!(Inner, $crate::facade);
        };
    }
    declare!(Outer);
}

mod facade {
    pub(crate) use sse_core::__private;
}

#[test]
fn an_id_is_what_its_whole_path_says() {
    mod my {
        #[expect(non_camel_case_types, reason = "a name that is known")]
        pub(super) struct u64;

        impl std::fmt::Display for u64 {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("mine")
            }
        }
    }
    #[derive(SseEvent)]
    enum Ids {
        A(#[sse(id)] my::u64),
        B(#[sse(id)] Option<my::u64>),
        C(#[sse(id)] std::primitive::u64),
    }
    check(&Ids::A(my::u64), "event: a\nid: mine\ndata: {}\n\n");
    check(&Ids::B(Some(my::u64)), "event: b\nid: mine\ndata: {}\n\n");
    check(&Ids::C(7), "event: c\nid: 7\ndata: {}\n\n");
}

#[test]
fn each_line_of_a_value_has_its_key() {
    #[derive(SseEvent)]
    #[sse(data = "lines")]
    enum Patch {
        Elements {
            mode: &'static str,
            html: &'static str,
        },
    }
    let event = Patch::Elements {
        mode: "append",
        html: "<p>\r\na\rb\n</p>",
    };
    let mut buffer = EventBuffer::new();
    buffer.write(&event).unwrap();
    assert_eq!(
        str::from_utf8(buffer.as_bytes()).unwrap(),
        "event: elements\ndata: mode append\ndata: html <p>\ndata: html a\ndata: html b\ndata: html </p>\n\n"
    );
}
