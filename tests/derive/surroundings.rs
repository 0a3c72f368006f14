//! Surroundings that could change what generated code means.

use std::time::Duration;

use sse_core::SseEvent;

use crate::check;

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
