//! The visits of Chromium in `chromium.jsonl`, repeated by our client.
//!
//! `conformance.mjs record` of the browser scripts made that file, and the full run compares it
//! with what Chromium does by then. `SSE_REFERENCE=http://127.0.0.1:PORT` asks a server that runs
//! there, and has the same routes, instead of our own.

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use sse_tower::client::{
    Backoff, ConnectionError, EventSource, EventSourceBuilder, EventSourceError, Http, Phase,
    reqwest,
};
use sse_tower::{FromSseEvent, RawEvent};
use tokio::sync::mpsc::unbounded_channel;

use crate::net::{serve, soon};
use crate::support::http;

/// What a client did, from the first request to the event `done`, or until it gave up.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Visit {
    name: String,
    path: String,
    /// Of one that would come back for ever, so many events are read.
    count: Option<usize>,
    /// What each request sent as `Last-Event-ID`, in Latin-1.
    ids: Vec<Option<String>>,
    /// How long it waited before each request but the first, in milliseconds.
    waits: Vec<u128>,
    /// Type, data and last event id of each event.
    events: Vec<(String, String, String)>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum End {
    /// The reader had what it wanted.
    Read,
    /// The client gave up.
    Closed,
}

fn recorded() -> Vec<Visit> {
    let visits = include_str!("chromium.jsonl").lines();
    visits
        .map(|visit| serde_json::from_str(visit).unwrap())
        .collect()
}

/// What is not as Chromium does it, because the standards do not want it.
fn by_the_standard(mut visit: Visit) -> Visit {
    match &*visit.name {
        // An event stream is UTF-8, whatever its parameters say (HTML §9.2.5).
        "ctype-latin1" => {
            visit.end = End::Read;
            visit.events = [("message", "ok"), ("done", "bye")]
                .map(|(name, data)| (name.into(), data.into(), String::new()))
                .into();
        }
        // A field of HTTP has no control characters (RFC 9110 §5.5).
        "id-ctrl01" | "id-del7f" => {
            visit.ids[1] = None;
            visit.events[1].1 = "-".into();
        }
        _ => {}
    }
    visit
}

/// What services want, because they are replaced and overloaded.
fn by_default(mut visit: Visit) -> Visit {
    for wait in &mut visit.waits {
        *wait = (*wait).max(100);
    }
    let status = visit.name.strip_prefix("status-");
    if let Some("425" | "429" | "500" | "502" | "503" | "504") = status {
        visit.ids = vec![None; 2];
        visit.waits = vec![3000];
    }
    visit
}

#[tokio::test]
async fn as_browsers_do_every_visit_is_that_of_chromium() {
    compare(by_the_standard, EventSourceBuilder::as_browsers_do).await;
}

#[tokio::test]
async fn by_default_nothing_differs_but_when_it_comes_back() {
    let by_default = |visit| by_default(by_the_standard(visit));
    let exact = |builder: EventSourceBuilder<Event>| {
        builder.backoff(Backoff::new().jitter(0.0)).give_up_after(2)
    };
    compare(by_default, exact).await;
}

async fn compare(
    expected: impl Fn(Visit) -> Visit,
    set: impl Fn(EventSourceBuilder<Event>) -> EventSourceBuilder<Event>,
) {
    let server = Server::start().await;
    let visits = recorded().into_iter().map(|visit| {
        let expected = expected(visit);
        let (server, set) = (&server, &set);
        async move {
            let seen = server.visit(&expected, set).await;
            assert_eq!(seen, expected);
        }
    });
    // At once, because some wait as long as browsers do.
    let compared: Vec<()> = stream::iter(visits).buffer_unordered(100).collect().await;
    assert_eq!(compared.len(), 66);
}

/// What ends after the event `done`, as the pages of the browsers do.
#[derive(FromSseEvent, Debug)]
enum Event {
    #[sse(data = "text", terminal)]
    Done(String),
    #[sse(other)]
    Other(RawEvent<'static>),
}

/// What the pages listen to besides `done`.
const HEARD: [&str; 4] = ["message", "update", "tick", "echo"];

struct Server {
    url: String,
    http: Http,
}

impl Server {
    async fn start() -> Self {
        match env::var("SSE_REFERENCE") {
            Ok(url) => Self { url, http: http() },
            Err(_) => Self::ours().await,
        }
    }

    async fn ours() -> Self {
        Self {
            url: format!("http://{}", serve(crate::serve::app()).await),
            http: http(),
        }
    }

    /// Repeats `like`.
    async fn visit(
        &self,
        like: &Visit,
        set: impl Fn(EventSourceBuilder<Event>) -> EventSourceBuilder<Event>,
    ) -> Visit {
        let path = self.unique(&like.path);
        let (sender, mut waits) = unbounded_channel();
        let builder = EventSource::get(&self.http, self.url.clone() + &path);
        let mut source = set(builder)
            .on_change(move |state| {
                if let Phase::Waiting { delay } = state.phase {
                    sender.send(delay.as_millis()).unwrap();
                }
            })
            .start();
        let mut events = Vec::new();
        let end = loop {
            if like.count == Some(events.len()) {
                break End::Read;
            }
            match soon(source.next()).await {
                None => break End::Closed,
                Some(Ok(Event::Other(event))) if HEARD.contains(&event.event()) => events.push((
                    event.event().to_owned(),
                    event.data().to_owned(),
                    event.last_event_id().to_owned(),
                )),
                Some(Ok(Event::Other(_))) => {}
                Some(Ok(Event::Done(data))) => {
                    events.push(("done".into(), data, source.last_event_id().into()));
                    assert!(soon(source.next()).await.is_none());
                    break End::Read;
                }
                Some(Err(EventSourceError::Connection(error))) => {
                    refused(&like.name, &error);
                    assert_eq!(source.state().phase, Phase::Closed);
                    assert!(soon(source.next()).await.is_none());
                    break End::Closed;
                }
                Some(Err(error)) => panic!("{}: {error}", like.name),
            }
        };
        if like.name == "slow" {
            // Times.
            let data = events.iter_mut().map(|(_, data, _)| data);
            data.take(3).for_each(String::clear);
        }
        Visit {
            ids: self.ids(&path).await,
            waits: std::iter::from_fn(|| waits.try_recv().ok()).collect(),
            events,
            end,
            ..like.clone()
        }
    }

    /// The server remembers whom it has seen by the whole path.
    fn unique(&self, path: &str) -> String {
        static VISITS: AtomicUsize = AtomicUsize::new(0);
        let joint = if path.contains('?') { '&' } else { '?' };
        let number = VISITS.fetch_add(1, Ordering::Relaxed);
        format!("{path}{joint}client={}.{number}", std::process::id())
    }

    /// The `Last-Event-ID` of each request for `path`.
    async fn ids(&self, path: &str) -> Vec<Option<String>> {
        let log = soon(reqwest::get(self.url.clone() + "/log")).await.unwrap();
        let log: Vec<serde_json::Value> =
            serde_json::from_slice(&log.bytes().await.unwrap()).unwrap();
        let mine = log.iter().filter(|entry| entry["target"] == *path);
        mine.map(|entry| {
            let headers = &entry["headers"];
            assert_eq!(headers["accept"], "text/event-stream");
            assert_eq!(headers["cache-control"], "no-cache");
            headers["last-event-id"].as_str().map(str::to_owned)
        })
        .collect()
    }
}

/// The error says what was wrong.
#[track_caller]
fn refused(name: &str, error: &ConnectionError) {
    let said = match error {
        ConnectionError::Status { status, .. } => format!("status-{}", status.as_u16()),
        ConnectionError::ContentType { found } => match found.as_deref() {
            Some("text/plain") => "ctype-plain".into(),
            Some("application/json") => "ctype-json".into(),
            _ => "ctype-none".into(),
        },
        error => error.to_string(),
    };
    assert_eq!(said, name);
}

#[tokio::test]
async fn what_breaks_off_goes_on_after_the_last_event_that_arrived() {
    let mut expected = recorded().swap_remove(2);
    expected.path = "/sse/resume?cut=1".into();
    // The second failure in a row.
    expected.waits[1] = 200;
    let server = Server::ours().await;
    let seen = server.visit(&expected, EventSourceBuilder::as_browsers_do);
    assert_eq!(seen.await, expected);
}

#[tokio::test]
async fn the_end_that_is_said_is_the_end() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Feed {
        #[sse(unnamed, data = "text")]
        Item(String),
        #[sse(data = "text", terminal)]
        Finished(String),
    }
    let server = Server::ours().await;
    let events = EventSource::<Feed>::get(&server.http, server.url + "/sse/terminal").start();
    let events: Vec<_> = soon(events.map(Result::unwrap).collect()).await;
    let expected = [Feed::Item("only".into()), Feed::Finished("for good".into())];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn a_cursor_comes_with_an_event_that_nobody_knows_too() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Known {
        #[sse(unnamed, data = "text")]
        Text(String),
    }
    let server = Server::start().await;
    let visits = recorded();
    let visit = visits
        .iter()
        .find(|visit| visit.name == "raw-id-with-ignored-event");
    let path = server.unique(&visit.unwrap().path);
    let url = server.url.clone() + &path;
    let mut events = EventSource::<Known>::get(&server.http, url).start();
    for id in ["41", "41"] {
        let event = soon(events.next()).await.unwrap().unwrap();
        assert_eq!(event, Known::Text("a".into()));
        assert_eq!(events.last_event_id(), id);
    }
    assert_eq!(server.ids(&path).await, [None, Some("42".into())]);
}
