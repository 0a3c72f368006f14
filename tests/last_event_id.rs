//! The conformance cases of `vectors/` for the header `Last-Event-ID`, over a real connection:
//! what clients send does not always pass through an HTTP library.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail like the test"
)]

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::routing::get;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use sse_core::Decoder;
use sse_tower::{Json, LastEventId, Sse, SseLayer};
use sse_tower_tests::read;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[derive(Deserialize)]
struct Case {
    name: String,
    field: String,
    headers_hex: Vec<String>,
    query: String,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Expect {
    Id { id: String },
    None,
    NoneOrReject,
    OneOf { ids: Vec<String> },
}

/// What a handler made of a request.
#[derive(Debug, PartialEq)]
enum Answer {
    Id(Option<String>),
    /// A status of the kind 4xx.
    Refused,
}

impl Expect {
    fn allows(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Id { id }, Answer::Id(Some(seen))) => id == seen,
            (Self::OneOf { ids }, Answer::Id(Some(seen))) => ids.contains(seen),
            (Self::None | Self::NoneOrReject | Self::OneOf { .. }, Answer::Id(None)) => true,
            (Self::NoneOrReject | Self::OneOf { .. }, Answer::Refused) => true,
            _ => false,
        }
    }
}

#[tokio::test]
async fn last_event_id_cases() {
    let server = serve().await;
    let lines = include_str!("vectors/last-event-id-cases.jsonl").lines();
    let cases: Vec<Case> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let answer = ask(server, &case).await;
        assert!(case.expect.allows(&answer), "{}: {answer:?}", case.name);
    }
}

#[derive(Serialize, Deserialize)]
struct Seen {
    id: Option<String>,
}

async fn serve() -> SocketAddr {
    async fn seen(id: Option<LastEventId>) -> Sse<Json<Seen>> {
        let id = id.map(|LastEventId(id)| id);
        Sse::new(stream::iter([Json(Seen { id })]))
    }
    let app = Router::new().route("/", get(seen)).layer(SseLayer::new());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// Sends the bytes of the case and reads the answer; HTTP/1.0, so that the body is not chunked.
async fn ask(server: SocketAddr, case: &Case) -> Answer {
    let mut request = format!("GET /?{} HTTP/1.0\r\nHost: localhost\r\n", case.query).into_bytes();
    for value in &case.headers_hex {
        request.extend_from_slice(format!("{}: ", case.field).as_bytes());
        request.extend_from_slice(&from_hex(value));
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");

    let mut socket = TcpStream::connect(server).await.unwrap();
    socket.write_all(&request).await.unwrap();
    let mut response = Vec::new();
    socket.read_to_end(&mut response).await.unwrap();

    let text = String::from_utf8(response).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole response");
    match head.split(' ').nth(1).expect("a status") {
        "200" => {
            let events = read(&mut Decoder::new(), [body.as_bytes()]).events;
            let seen: Seen = serde_json::from_str(&events[0].data).unwrap();
            Answer::Id(seen.id)
        }
        status if status.starts_with('4') => Answer::Refused,
        status => panic!("{}: status {status}", case.name),
    }
}

fn from_hex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}
