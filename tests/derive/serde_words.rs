//! The words of serde on fields.

use std::time::Duration;

use serde::Serialize;
use sse_core::SseEvent;

use crate::{check, check_payload};

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
pub(crate) struct Inner {
    pub(crate) x: u8,
    pub(crate) y: u8,
}

/// A type of somebody else without `Serialize`.
#[derive(Clone)]
pub(crate) struct Foreign;

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
