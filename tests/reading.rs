//! `#[derive(FromSseEvent)]`: which variant an event is read as, and what goes wrong.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sse_core::{
    DecodeCause, DecodeError, Decoder, EventBuffer, EventId, EventName, FromSseEvent, Json,
    RawEvent, SseEvent,
};

#[track_caller]
fn read<E: FromSseEvent>(bytes: &str) -> Result<E, DecodeError> {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    E::from_event(&decoder.next_event().unwrap().expect("a whole event"))
}

#[track_caller]
fn check<E: FromSseEvent + PartialEq + Debug>(bytes: &str, expected: E) {
    assert_eq!(read::<E>(bytes).unwrap(), expected);
}

#[track_caller]
fn unknown<E: FromSseEvent + Debug>(bytes: &str) {
    let error = read::<E>(bytes).unwrap_err();
    assert!(error.is_unknown(), "{error}: {:?}", error.source());
}

/// A payload that does not parse, with the end of the reason.
#[track_caller]
fn broken<E: FromSseEvent + Debug>(bytes: &str, reason: &str) {
    let error = read::<E>(bytes).unwrap_err();
    assert!(matches!(error.cause(), DecodeCause::Payload(_)), "{error}");
    let source = error.source().unwrap().to_string();
    assert!(source.contains(reason), "{source}");
}

#[track_caller]
fn round<E: SseEvent + FromSseEvent + PartialEq + Debug>(event: E) {
    let mut writer = EventBuffer::new();
    writer.write(&event).unwrap();
    check(str::from_utf8(writer.as_bytes()).unwrap(), event);
}

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
fn a_tag_stands_in_for_the_name() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Tagged {
        Delta { index: u8 },
        Ping,
        Map(BTreeMap<String, u8>),
    }
    // A proxy dropped the `event:` line.
    check(
        "data: {\"index\":1,\"type\":\"delta\"}\n\n",
        Tagged::Delta { index: 1 },
    );
    check("data: {\"type\":\"ping\"}\n\n", Tagged::Ping);
    // The name wins.
    check(
        "event: ping\ndata: {\"type\":\"delta\",\"index\":1}\n\n",
        Tagged::Ping,
    );
    // The tag is not needed beside a name, and never part of the content.
    check(
        "event: delta\ndata: {\"index\":1}\n\n",
        Tagged::Delta { index: 1 },
    );
    let map = BTreeMap::from([("a".to_owned(), 1)]);
    check(
        "event: map\ndata: {\"a\":1,\"type\":\"map\"}\n\n",
        Tagged::Map(map),
    );
    unknown::<Tagged>("data: {\"type\":\"later\"}\n\n");
    unknown::<Tagged>("data: {\"type\":7}\n\n");
    unknown::<Tagged>("data: not JSON\n\n");
    broken::<Tagged>(
        "event: delta\ndata: [1]\n\n",
        "expected an object with the tag `type`",
    );
}

#[test]
fn an_unnamed_tagged_enum_needs_its_tag() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed, tag = "type")]
    enum Parts {
        Start,
        Delta { text: String },
    }
    check(
        "data: {\"type\":\"delta\",\"text\":\"a\"}\n\n",
        Parts::Delta { text: "a".into() },
    );
    // Tomorrow's parts are unknown; what is no part at all is broken.
    unknown::<Parts>("data: {\"type\":\"later\"}\n\n");
    broken::<Parts>("data: {\"text\":\"a\"}\n\n", "the tag `type` is missing");
    broken::<Parts>("data: {\n\n", "EOF");
    broken::<Parts>("data: {\"type\":\"delta\"}\n\n", "missing field `text`");
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
fn what_a_peer_sent_is_quoted_and_cut() {
    let name = format!("\u{1b}[31m{}", "x".repeat(100));
    let error = read::<Json<u8>>(&format!("event: {name}\ndata: 1\n\n")).unwrap_err();
    assert!(error.is_unknown());
    assert_eq!(
        error.to_string(),
        format!("the event \"\\u{{1b}}[31m{}\" is not known", "x".repeat(59))
    );
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

trait Shape {
    type Side;
}

#[derive(Debug, PartialEq)]
struct Square;

impl Shape for Square {
    type Side = u8;
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
enum Generic<'a, T, I, S, U = u8, const N: usize = 2>
where
    S: Shape,
{
    Json {
        value: T,
        more: Vec<Option<T>>,
        side: S::Side,
        text: std::borrow::Cow<'a, str>,
    },
    #[sse(data = "text")]
    Text(I),
    Id(#[sse(id)] Option<I>, PhantomData<[u8; N]>),
    Unused(PhantomData<U>),
    Pair(T, #[serde(default)] T),
    With(#[serde(default)] T),
}

#[test]
fn bounds_are_inferred() {
    type G = Generic<'static, u8, String, Square, *const ()>;
    round::<G>(Generic::Json {
        value: 1,
        more: vec![None, Some(2)],
        side: 3,
        text: "a".into(),
    });
    round::<G>(Generic::Text("a".into()));
    round::<G>(Generic::Id(Some("7".into()), PhantomData));
    round::<G>(Generic::Unused(PhantomData));
    round::<G>(Generic::Pair(1, 2));
    round::<G>(Generic::With(1));
}

#[test]
fn given_bounds_replace_the_inferred_ones() {
    struct Opaque;
    impl Serialize for Wrapped<Opaque> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u8(1)
        }
    }
    struct Wrapped<T>(PhantomData<T>);

    #[derive(SseEvent)]
    #[sse(bound = "Wrapped<T>: serde::Serialize")]
    enum Bound<T> {
        Only(Wrapped<T>),
    }
    let mut writer = EventBuffer::new();
    writer
        .write(&Bound::<Opaque>::Only(Wrapped(PhantomData)))
        .unwrap();
    assert_eq!(writer.as_bytes(), b"event: only\ndata: 1\n\n");

    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(bound(
        serialize = "T: Unknown",
        deserialize = "T: serde::de::DeserializeOwned"
    ))]
    enum OneWay<T> {
        Only(T),
    }
    check("event: only\ndata: 1\n\n", OneWay::Only(1));
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
fn other_types_that_can_be_read() {
    check("event: x\nid: 1\ndata: a\n\n", {
        let mut decoder = Decoder::new();
        decoder.push("event: x\nid: 1\ndata: a\n\n");
        let event = decoder.next_event().unwrap().unwrap();
        event.clone().into_owned()
    });
    let _: RawEvent<'static> = read("data: 1\n\n").unwrap();
    check("data: [1]\n\n", Json(vec![1]));
    check("data: [1]\n\n", Box::new(Json(vec![1])));
    unknown::<Json<u8>>("event: x\ndata: 1\n\n");
}

#[test]
fn enums_inside_enums() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Numbers {
        Number(u8),
        #[sse(literal = "stop", terminal)]
        Stop,
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Lists {
        List(Vec<u8>),
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum All {
        #[sse(flatten)]
        Numbers(Box<Numbers>),
        #[sse(flatten)]
        Lists(Lists),
        Own,
    }
    check("data: 1\n\n", All::Numbers(Box::new(Numbers::Number(1))));
    check("data: [1]\n\n", All::Lists(Lists::List(vec![1])));
    check("event: own\ndata: {}\n\n", All::Own);
    assert!(All::Numbers(Box::new(Numbers::Stop)).ends_stream());
    assert!(!All::Own.ends_stream());
    broken::<All>("data: {}\n\n", "expected u8");
    unknown::<All>("event: x\ndata: 1\n\n");
}

#[test]
fn self_in_a_path_is_the_enum() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Paths<T> {
        A {
            #[serde(default = "Self::seven")]
            a: u8,
            #[serde(deserialize_with = "Self::twice")]
            b: u8,
            c: T,
        },
        Lone(#[serde(deserialize_with = "Self::twice")] u8),
    }
    impl<T> Paths<T> {
        fn seven() -> u8 {
            7
        }

        fn twice<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
            u8::deserialize(deserializer).map(|value| value * 2)
        }
    }
    check(
        "event: a\ndata: {\"b\":1,\"c\":3}\n\n",
        Paths::A { a: 7, b: 2, c: 3 },
    );
    check("event: lone\ndata: 4\n\n", Paths::<u8>::Lone(8));
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

#[test]
fn a_name_of_its_own_says_more_than_a_tag() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Chat {
        Ping,
        #[sse(rename = "error", terminal)]
        Error {
            code: u8,
        },
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Job {
        Progress { r#type: String, n: u8 },
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum App {
        #[sse(flatten)]
        Chat(Chat),
        #[sse(flatten)]
        Job(Job),
    }
    let progress = Job::Progress {
        r#type: "ping".into(),
        n: 1,
    };
    let bytes = "event: progress\ndata: {\"type\":\"ping\",\"n\":1}\n\n";
    check(bytes, App::Job(progress));
    unknown::<Chat>("event: theirs\ndata: {\"type\":\"error\",\"code\":1}\n\n");
    // A proxy dropped the name.
    check(
        "data: {\"type\":\"error\",\"code\":1}\n\n",
        Chat::Error { code: 1 },
    );
}

#[test]
fn a_tag_stands_for_tagged_variants_only() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Mixed {
        Delta {
            i: u8,
        },
        #[sse(data = "empty", terminal)]
        Close,
        #[sse(data = "text")]
        Log(String),
        #[sse(unnamed, data = "text")]
        Raw(String),
    }
    round(Mixed::Raw("{\"type\":\"close\"}".into()));
    round(Mixed::Raw("{\"type\":\"log\"}".into()));
    check(
        "data: {\"type\":\"delta\",\"i\":1}\n\n",
        Mixed::Delta { i: 1 },
    );
}

#[test]
fn a_tag_tells_names_chosen_at_run_time_apart() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", rename_all = "lowercase")]
    enum Rows {
        Gone(#[sse(event)] String),
        Moved {
            #[sse(event)]
            row: String,
            to: u8,
        },
        Added {
            #[sse(event)]
            row: String,
            to: u8,
        },
        Ping,
    }
    let row = || String::from("row-7");
    round(Rows::Gone(row()));
    round(Rows::Moved { row: row(), to: 1 });
    round(Rows::Added { row: row(), to: 1 });
    round(Rows::Ping);
    unknown::<Rows>("event: row-7\ndata: {\"type\":\"ping\"}\n\n");
    unknown::<Rows>("event: row-7\ndata: {}\n\n");
    broken::<Rows>(
        "event: row-7\ndata: {\"type\":\"added\"}\n\n",
        "missing field `to`",
    );

    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "t", content = "c")]
    enum Adjacent {
        Unit(#[sse(event)] String),
        Named,
    }
    round(Adjacent::Unit(row()));
}

#[test]
fn an_alias_is_found_through_the_tag() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", unnamed)]
    enum Aliased {
        #[sse(alias = "text-delta")]
        Delta { i: u8 },
        #[serde(alias = "bye")]
        End,
    }
    let delta = "data: {\"i\":1,\"type\":\"text-delta\"}\n\n";
    check(delta, Aliased::Delta { i: 1 });
    check("data: {\"type\":\"bye\"}\n\n", Aliased::End);
    unknown::<Aliased>("data: {\"type\":\"hello\"}\n\n");
}

#[test]
fn no_name_is_not_the_tag_message() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", unnamed)]
    enum Tagged {
        Message {
            a: u8,
        },
        #[sse(data = "text")]
        Text(String),
    }
    round(Tagged::Message { a: 1 });
    round(Tagged::Text("{\"a\":1}".into()));

    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", unnamed)]
    enum Alone {
        Message { a: u8 },
    }
    broken::<Alone>("data: {\"a\":1}\n\n", "the tag `type` is missing");
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
fn a_hostile_payload_is_a_value_or_an_error() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Internal {
        A {
            a: f64,
        },
        Flat {
            #[serde(flatten)]
            rest: BTreeMap<String, serde_json::Value>,
        },
        Any(serde_json::Value),
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", content = "content")]
    enum Adjacent {
        A(String),
        Any(serde_json::Value),
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Untagged {
        A { a: f64 },
        Any(serde_json::Value),
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum All {
        #[sse(flatten)]
        Internal(Internal),
        #[sse(flatten)]
        Untagged(Untagged),
    }
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let deep = format!("{open}{close}");
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let payloads = [
        deep.clone(),
        open.clone(),
        objects,
        format!("{{\"type\":{deep}}}"),
        format!("{{\"type\":\"a\",\"a\":{deep}}}"),
        format!("{{\"more\":{deep},\"type\":\"a\",\"a\":1}}"),
        format!("{{\"type\":\"a\",\"content\":{deep}}}"),
        "{\"type\":\"a\",\"a\":1e999}".into(),
        "{\"type\":\"a\",\"a\":1,\"a\":2}".into(),
        "{\"type\":\"a\",\"type\":\"any\",\"a\":1}".into(),
        "{\"type\":\"\\ud800\"}".into(),
        "{\"type\":\"a\",\"content\":\"\\udc00\\ud800\"}".into(),
        "{\"\\ud800\":1}".into(),
    ];
    for payload in &payloads {
        for name in ["", "event: a\n", "event: any\n", "event: flat\n"] {
            let bytes = format!("{name}data: {payload}\n\n");
            let _ = read::<Internal>(&bytes);
            let _ = read::<Adjacent>(&bytes);
            let _ = read::<Untagged>(&bytes);
            let _ = read::<All>(&bytes);
        }
    }
    // What is not read may be as deep as it likes.
    check(
        &format!("data: {}\n\n", payloads[5]),
        Internal::A { a: 1.0 },
    );
    broken::<Internal>(
        &format!("event: any\ndata: {}\n\n", payloads[4]),
        "recursion limit",
    );
    broken::<Untagged>(&format!("data: {deep}\n\n"), "invalid type: sequence");
    broken::<Internal>(&format!("data: {}\n\n", payloads[7]), "number out of range");
    broken::<Internal>(&format!("data: {}\n\n", payloads[8]), "duplicate field `a`");
    broken::<Internal>(
        &format!("data: {}\n\n", payloads[9]),
        "duplicate field `type`",
    );
    broken::<Adjacent>(&format!("data: {}\n\n", payloads[11]), "surrogate");
    unknown::<Internal>(&format!("data: {}\n\n", payloads[10]));
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

#[test]
fn what_belongs_to_the_layer_of_an_upstream_is_not_passed_on() {
    #[derive(SseEvent, FromSseEvent, Debug)]
    enum Any {
        #[sse(other)]
        Other(RawEvent<'static>),
    }
    let passed = |bytes| {
        let event: Any = read(bytes).unwrap();
        let mut buffer = EventBuffer::new();
        buffer.write(&event).unwrap();
        String::from_utf8(buffer.take().to_vec()).unwrap()
    };
    assert_eq!(passed("event: sse-tower:x\ndata: 1\n\n"), "");
    assert_eq!(passed("id: sse-tower:q\ndata: 1\n\n"), "data: 1\n\n");
    assert_eq!(
        passed("event: a\nid: 1\ndata: 1\n\n"),
        "event: a\nid: 1\ndata: 1\n\n"
    );
}
