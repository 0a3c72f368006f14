//! Parameters and their bounds.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::Serialize;
use sse_core::SseEvent;

use crate::serde_words::{Foreign, Inner};
use crate::{check, written};

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
