//! Parameters and their bounds.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use sse_core::{EventBuffer, FromSseEvent, SseEvent};

use crate::{check, round};

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
        text: Cow<'a, str>,
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
fn what_another_derive_borrows_is_owned() {
    #[derive(SseEvent, FromSseEvent, Deserialize, Debug, PartialEq)]
    enum Borrowed<'a> {
        Fields {
            #[serde(borrow, rename = "t")]
            text: Cow<'a, str>,
        },
        Text(#[serde(borrow)] Cow<'a, str>),
    }
    round(Borrowed::Fields { text: "a".into() });
    round(Borrowed::Text("a\"".into()));
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
