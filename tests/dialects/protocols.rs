//! Protocols of remote calls, and heartbeats.

use std::borrow::Cow;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sse_core::{FromSseEvent, SseEvent};

use crate::{both, writes};

#[test]
fn row_10_graphql_sse() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum GraphQl {
        Next(Value),
        #[sse(data = "empty", terminal)]
        Complete,
    }
    both(
        &GraphQl::Next(json!({"data": {"a": 1}})),
        "event: next\ndata: {\"data\":{\"a\":1}}\n\n",
    );
    both(&GraphQl::Complete, "event: complete\ndata:\n\n");
}

#[test]
fn row_11_trpc() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(rename_all = "kebab-case", rename_all_fields = "camelCase")]
    enum Trpc {
        Connected {
            reconnect_after_inactivity_ms: u64,
        },
        #[sse(data = "empty")]
        Ping,
        #[sse(data = "empty", terminal)]
        Return,
        SerializedError(Value),
        #[sse(unnamed)]
        Data {
            #[sse(id)]
            id: Option<String>,
            #[sse(data)]
            json: Value,
        },
    }
    both(
        &Trpc::Connected {
            reconnect_after_inactivity_ms: 5000,
        },
        "event: connected\ndata: {\"reconnectAfterInactivityMs\":5000}\n\n",
    );
    both(&Trpc::Ping, "event: ping\ndata:\n\n");
    both(&Trpc::Return, "event: return\ndata:\n\n");
    both(
        &Trpc::SerializedError(json!({"message": "x"})),
        "event: serialized-error\ndata: {\"message\":\"x\"}\n\n",
    );
    let data = Trpc::Data {
        id: Some("7".into()),
        json: json!({"a": 1}),
    };
    both(&data, "id: 7\ndata: {\"a\":1}\n\n");
    let data = Trpc::Data {
        id: None,
        json: json!(1),
    };
    both(&data, "data: 1\n\n");
}

#[test]
fn row_12_heartbeat() {
    #[derive(SseEvent)]
    enum Beat {
        #[sse(comment)]
        Heartbeat(&'static str),
        #[sse(comment)]
        Silent,
    }
    writes(&Beat::Heartbeat("hi"), ": hi\n");
    writes(&Beat::Heartbeat("a\nb"), ": a\n: b\n");
    writes(&Beat::Silent, ":\n");
    assert_eq!(Beat::Silent.event_name(), None);
}

#[test]
fn row_13_adjacent_tag() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "kind", content = "payload")]
    enum Adjacent<'a, T> {
        Generic { v: T },
        Newtype(T),
        Pair(Cow<'a, str>, T),
        Empty {},
        Unit,
    }
    type A<'a> = Adjacent<'a, u8>;
    both(
        &A::Generic { v: 1 },
        "event: generic\ndata: {\"kind\":\"generic\",\"payload\":{\"v\":1}}\n\n",
    );
    both(
        &A::Newtype(1),
        "event: newtype\ndata: {\"kind\":\"newtype\",\"payload\":1}\n\n",
    );
    both(
        &A::Pair("a".into(), 1),
        "event: pair\ndata: {\"kind\":\"pair\",\"payload\":[\"a\",1]}\n\n",
    );
    both(
        &A::Empty {},
        "event: empty\ndata: {\"kind\":\"empty\",\"payload\":{}}\n\n",
    );
    both(&A::Unit, "event: unit\ndata: {\"kind\":\"unit\"}\n\n");

    // A reference can only be written.
    #[derive(SseEvent)]
    #[sse(tag = "kind", content = "payload")]
    enum Borrowed<'a, T> {
        Generic { v: &'a T },
    }
    writes(
        &Borrowed::Generic { v: &1 },
        "event: generic\ndata: {\"kind\":\"generic\",\"payload\":{\"v\":1}}\n\n",
    );
}

/// Functions as serde users write them.
mod functions {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn as_text<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct More {
    e: u8,
}

/// An enum that was there before.
#[derive(Serialize, Deserialize, SseEvent, FromSseEvent, Debug, PartialEq)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum Existing {
    FileSaved {
        color_code: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<u8>,
        #[serde(flatten)]
        more: More,
        #[serde(
            serialize_with = "functions::as_text",
            deserialize_with = "functions::from_text"
        )]
        other: u32,
    },
    #[serde(rename_all = "UPPERCASE")]
    Shout {
        color_code: u8,
    },
    #[serde(rename = "moved")]
    FileMoved(More),
    Closed,
}

#[test]
fn row_16_existing_serde_enum() {
    let saved = Existing::FileSaved {
        color_code: "ff".into(),
        absent: None,
        more: More { e: 1 },
        other: 10,
    };
    both(
        &saved,
        "event: fileSaved\ndata: {\"type\":\"fileSaved\",\"colorCode\":\"ff\",\"e\":1,\"other\":\"10\"}\n\n",
    );
    let others = [
        Existing::Shout { color_code: 1 },
        Existing::FileMoved(More { e: 2 }),
        Existing::Closed,
    ];
    for event in others {
        let json = serde_json::to_string(&event).unwrap();
        let name = event.event_name().unwrap();
        both(&event, &format!("event: {name}\ndata: {json}\n\n"));
    }

    // Without a rule for names, serde's stand as they are.
    #[derive(Serialize, SseEvent, FromSseEvent, Debug, PartialEq)]
    #[serde(tag = "kind", content = "value")]
    enum Verbatim {
        FileSaved(u8),
        Unit,
    }
    for event in [Verbatim::FileSaved(1), Verbatim::Unit] {
        let json = serde_json::to_string(&event).unwrap();
        let name = event.event_name().unwrap();
        both(&event, &format!("event: {name}\ndata: {json}\n\n"));
    }
}
