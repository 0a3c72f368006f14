//! What a peer may send.

use std::collections::BTreeMap;

use sse_core::{FromSseEvent, Json};

use crate::{broken, check, read, unknown};

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
fn what_a_peer_sent_is_quoted_and_cut() {
    let name = format!("\u{1b}[31m{}", "x".repeat(100));
    let error = read::<Json<u8>>(&format!("event: {name}\ndata: 1\n\n")).unwrap_err();
    assert!(error.is_unknown());
    assert_eq!(
        error.to_string(),
        format!("the event \"\\u{{1b}}[31m{}\" is not known", "x".repeat(59))
    );
}
