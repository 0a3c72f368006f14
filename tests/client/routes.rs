//! The routes that browsers visit too, with what Chromium makes of them.
//!
//! It differs where the standard is silent, or was not kept: Chromium refuses a `charset` other
//! than UTF-8, comes back 3 ms after `retry: 0`, and sends control characters in a header.

use std::net::SocketAddr;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::StreamExt as _;
use sse_tower::client::{
    Backoff, ConnectionError, EventSource, EventSourceError, Http, Phase, reqwest,
};
use sse_tower::{FromSseEvent, RawEvent};
use tokio::sync::mpsc::unbounded_channel;

use crate::net::{serve, soon};
use crate::support::http;

/// What ends after the event `done`, as the scenarios of browsers do.
#[derive(FromSseEvent, Debug)]
enum Event {
    #[sse(data = "text", terminal)]
    Done(String),
    #[sse(other)]
    Other(RawEvent<'static>),
}

struct Visit {
    /// Type, data and last event id of each event.
    events: Vec<(String, String, String)>,
    error: Option<ConnectionError>,
    /// What each request sent as `Last-Event-ID`.
    ids: Vec<Option<String>>,
    /// How long it waited before each request but the first.
    delays: Vec<Duration>,
}

impl Visit {
    fn data(&self) -> Vec<&str> {
        self.events.iter().map(|(_, data, _)| &**data).collect()
    }
}

struct Server {
    address: SocketAddr,
    http: Http,
}

impl Server {
    async fn start() -> Self {
        Self {
            address: serve(crate::serve::app()).await,
            http: http(),
        }
    }

    async fn visit(&self, path: &str) -> Visit {
        // Only a test looks at the log, and one test has one server.
        self.log(reqwest::Method::DELETE).await;
        let mut visit = Visit {
            events: Vec::new(),
            error: None,
            ids: Vec::new(),
            delays: Vec::new(),
        };
        let (sender, mut delays) = unbounded_channel();
        let mut events =
            EventSource::<Event>::get(&self.http, format!("http://{}{path}", self.address))
                .backoff(Backoff::new().jitter(0.0).initial(Duration::from_millis(1)))
                .give_up_after(3)
                .on_change(move |state| {
                    if let Phase::Waiting { delay } = state.phase {
                        sender.send(delay).unwrap();
                    }
                })
                .start();
        while let Some(item) = soon(events.next()).await {
            match item {
                Ok(Event::Done(data)) => {
                    let id = events.last_event_id().to_owned();
                    visit.events.push(("done".into(), data, id));
                }
                Ok(Event::Other(event)) => visit.events.push((
                    event.event().into(),
                    event.data().into(),
                    event.last_event_id().into(),
                )),
                Err(EventSourceError::Connection(error)) => visit.error = Some(error),
                Err(error) => panic!("{error}"),
            }
        }
        while let Ok(delay) = delays.try_recv() {
            visit.delays.push(delay);
        }
        let log = self.log(reqwest::Method::GET).await;
        for entry in log.as_array().unwrap() {
            let id = entry["headers"]["last-event-id"].as_str();
            visit.ids.push(id.map(str::to_owned));
        }
        visit
    }

    async fn log(&self, method: reqwest::Method) -> serde_json::Value {
        let client = reqwest::Client::new();
        let url = format!("http://{}/log", self.address);
        let answer = soon(client.request(method, url).send()).await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
    }
}

fn some(ids: &[&str]) -> Vec<Option<String>> {
    let first = [None];
    first
        .into_iter()
        .chain(ids.iter().map(|id| Some((*id).to_owned())))
        .collect()
}

fn raw(text: &str) -> String {
    let b64 = BASE64_STANDARD.encode(text).replace('+', "%2B");
    format!("/sse/raw?gap=0&b64={b64}")
}

#[tokio::test]
async fn names_ids_comments_lines_and_redirects() {
    let server = Server::start().await;
    for path in ["/sse/basic", "/sse/redirect/301", "/sse/redirect/307"] {
        let seen = server.visit(path).await;
        let events: Vec<_> = seen
            .events
            .iter()
            .map(|(a, b, c)| (&**a, &**b, &**c))
            .collect();
        let expected = [
            ("message", "one", ""),
            ("update", "{\"n\":1}", "1"),
            ("message", "line1\nline2", "2"),
            ("done", "bye", "2"),
        ];
        assert_eq!(events, expected, "{path}");
    }
}

#[tokio::test]
async fn data_is_what_was_sent_line_by_line() {
    let seen = Server::start().await.visit("/sse/multiline").await;
    let sent = [
        "a\nb",
        "a\nb",
        " leading",
        "",
        "ends\n",
        "€豆腐\u{2028}x",
        ":colon",
        "data: x\n\nid: 9",
        "bye",
    ];
    assert_eq!(seen.data(), sent);
}

#[tokio::test]
async fn it_goes_on_after_the_last_event_that_arrived() {
    let server = Server::start().await;
    for path in ["/sse/resume", "/sse/resume?cut=1"] {
        let seen = server.visit(path).await;
        assert_eq!(seen.data(), ["1", "2", "3", "4", "5", "6", "all"], "{path}");
        assert_eq!(seen.ids, some(&["2", "4"]), "{path}");
    }
}

#[tokio::test]
async fn keep_alive_is_silent_and_a_burst_arrives_whole() {
    let server = Server::start().await;
    let seen = server.visit("/sse/keepalive?idle=300&every=50").await;
    assert_eq!(seen.data(), ["start", "end", "bye"]);
    let seen = server.visit("/sse/burst").await;
    assert_eq!(seen.events.len(), 2001);
    assert!((0..2000).all(|n| seen.events[n].1 == format!("m{n}")));
    let seen = server.visit("/sse/slow?gap=1").await;
    assert_eq!(seen.events.len(), 4);
}

#[tokio::test]
async fn ids_come_back_as_they_were() {
    let server = Server::start().await;
    let long = "k".repeat(9_000);
    for (n, (id, back)) in [
        ("abc", "abc"),
        ("a b", "a b"),
        ("a\tb", "a\tb"),
        ("é", "é"),
        ("…", "…"),
        ("😀", "😀"),
        // Outer blanks are no part of a header.
        (" x ", "x"),
        ("e5p3n<3k0k0s\"\\", "e5p3n<3k0k0s\"\\"),
        (&long, &long),
    ]
    .into_iter()
    .enumerate()
    {
        let escaped: String = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let seen = server
            .visit(&format!("/sse/id-echo?id={escaped}&run={n}"))
            .await;
        let hex: String = back.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(seen.data(), ["first", &hex, "bye"], "{id}");
        assert_eq!(seen.events[0].2, id);
    }
    for (n, id) in ["a%01b", "a%7fb"].into_iter().enumerate() {
        let seen = server
            .visit(&format!("/sse/id-echo?id={id}&run=c{n}"))
            .await;
        assert_eq!(
            seen.data(),
            ["first", "-", "bye"],
            "it comes back nevertheless"
        );
    }
}

#[tokio::test]
async fn it_comes_back_after_retry() {
    let server = Server::start().await;
    // What would be a storm takes a moment longer.
    for (ms, waits) in [(300, 300), (0, 100)] {
        let seen = server.visit(&format!("/sse/retry?ms={ms}&run={ms}")).await;
        assert_eq!(seen.data(), ["first", "bye"]);
        assert_eq!(seen.ids, some(&["1"]));
        assert_eq!(seen.delays, [Duration::from_millis(waits)]);
    }
}

#[tokio::test]
async fn what_is_no_stream_is_asked_for_once() {
    let server = Server::start().await;
    for path in [
        "/sse/204",
        "/sse/status/201",
        "/sse/status/404",
        "/sse/ctype?v=text/plain",
        "/sse/ctype?v=application/json",
        "/sse/ctype?v=",
    ] {
        let seen = server.visit(path).await;
        assert_eq!((seen.events.len(), seen.ids.len()), (0, 1), "{path}");
        assert_eq!(seen.error.is_none(), path == "/sse/204", "{path}");
    }
    for value in [
        "text/event-stream;%20charset=utf-8",
        "text/event-stream;charset=UTF-8",
        "Text/Event-Stream",
        "text/event-stream;",
        "text/event-stream;charset=windows-1252",
    ] {
        let seen = server.visit(&format!("/sse/ctype?v={value}")).await;
        assert_eq!(seen.data(), ["ok", "bye"], "{value}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_well_is_asked_again() {
    // The one decision that differs from browsers.
    let seen = Server::start().await.visit("/sse/status/503").await;
    assert_eq!((seen.events.len(), seen.ids.len()), (0, 3));
    assert!(matches!(seen.error, Some(ConnectionError::Status { .. })));
}

#[tokio::test]
async fn the_end_that_is_said_is_the_end() {
    let seen = Server::start().await.visit("/sse/terminal").await;
    assert_eq!(seen.data(), ["only", "for good"]);
    assert_eq!(seen.ids.len(), 1);
}

#[tokio::test]
async fn bytes_of_others_are_read_by_the_standard() {
    let server = Server::start().await;
    for (text, expected) in [
        (
            "\u{feff}data: x\n\nevent: done\ndata: y\n\n",
            vec!["x", "y"],
        ),
        (
            "data: a\rdata: b\r\revent: done\rdata: y\r\r",
            vec!["a\nb", "y"],
        ),
        (
            "data: a\r\n\r\nevent: done\r\ndata: y\r\n\r\n",
            vec!["a", "y"],
        ),
        (
            "data: a\n: ka\ndata: b\n\nevent: done\ndata: y\n\n",
            vec!["a\nb", "y"],
        ),
        (
            "event: update\ndata:\n\nevent: done\ndata: y\n\n",
            vec!["", "y"],
        ),
        (
            "event: update\n\nid: 3\n\nretry: 100\n\nevent: done\ndata: y\n\n",
            vec!["y"],
        ),
        ("data: a\n\n:\n:\nevent: done\ndata: y\n\n", vec!["a", "y"]),
        (
            "data: a\n\n:\n\n: x\n\nevent: done\ndata: y\n\n",
            vec!["a", "y"],
        ),
    ] {
        assert_eq!(server.visit(&raw(text)).await.data(), expected, "{text:?}");
    }
}

/// The first connections to `text`, which never says that it is over.
async fn twice(text: &str) -> (Vec<String>, Vec<Option<String>>) {
    let server = Server::start().await;
    let url = format!("http://{}{}", server.address, raw(text));
    let mut events = EventSource::<RawEvent>::get(&server.http, url).start();
    let mut data = Vec::new();
    for _ in 0..2 {
        let event = soon(events.next()).await.unwrap().unwrap();
        data.push(event.data().to_owned());
    }
    let log = server.log(reqwest::Method::GET).await;
    let ids = log.as_array().unwrap().iter();
    let ids = ids.map(|entry| {
        entry["headers"]["last-event-id"]
            .as_str()
            .map(str::to_owned)
    });
    (data, ids.collect())
}

#[tokio::test]
async fn what_is_not_finished_is_no_event_and_a_cursor_needs_none() {
    let (data, _) = twice("retry: 50\ndata: a\n\ndata: lost\n").await;
    assert_eq!(data, ["a", "a"]);
    let (_, ids) = twice("retry: 50\ndata: a\r\r").await;
    assert_eq!(ids.len(), 2);
    let (data, ids) = twice("retry: 50\nid: 41\ndata: a\n\nid: 42\n\n").await;
    assert_eq!((data, ids), (vec!["a".into(), "a".into()], some(&["42"])));
}

#[tokio::test]
async fn a_cursor_comes_with_an_event_that_nobody_knows_too() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Known {
        #[sse(unnamed, data = "text")]
        Text(String),
    }
    let server = Server::start().await;
    let text = "retry: 50\nid: 41\ndata: a\n\nid: 42\nevent: _ckpt\ndata:\n\n";
    let url = format!("http://{}{}", server.address, raw(text));
    let mut events = EventSource::<Known>::get(&server.http, url).start();
    for id in ["41", "41"] {
        let event = soon(events.next()).await.unwrap().unwrap();
        assert_eq!(event, Known::Text("a".into()));
        assert_eq!(events.last_event_id(), id);
    }
    let log = server.log(reqwest::Method::GET).await;
    let ids = log.as_array().unwrap().iter();
    let ids: Vec<_> = ids
        .map(|entry| entry["headers"]["last-event-id"].as_str())
        .collect();
    assert_eq!(ids, [None, Some("42")]);
}
