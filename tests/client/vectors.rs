//! Every decoder case, as the body of a response over a socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use sse_tower::client::{Backoff, EventSource, EventSourceBuilder, Http, Phase, State as Now};
use sse_tower::{LAST_EVENT_ID, Limits, RawEvent};
use tokio::sync::mpsc::unbounded_channel;

use crate::net::{serve, soon};
use crate::support::http;

#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    input_b64: String,
    #[serde(default)]
    chunks: Vec<usize>,
    #[serde(default)]
    initial_id: String,
    events: Vec<Event>,
    last_event_id: String,
    /// In milliseconds, if there was one.
    retry: Option<f64>,
    #[serde(default)]
    prompt: Vec<(usize, usize)>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Event {
    event: String,
    data: String,
    id: String,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(&self.input_b64).unwrap()
    }
}

/// Bodies by their path: chunks, whether there is more, and the ids that came back.
type Bodies = Arc<Mutex<BTreeMap<String, Served>>>;

struct Served {
    chunks: Option<Vec<Vec<u8>>>,
    goes_on: bool,
    ids: Vec<Option<HeaderValue>>,
}

/// Answers the first request for a body with it, and those after it with 204.
async fn answer(
    State(bodies): State<Bodies>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut bodies = bodies.lock().unwrap();
    let served = bodies.get_mut(&path).unwrap();
    served.ids.push(headers.get(LAST_EVENT_ID).cloned());
    let Some(chunks) = served.chunks.take() else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let chunks = stream::iter(chunks).then(async |chunk| {
        // Each chunk is a frame of its own.
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(chunk)
    });
    match served.goes_on {
        true => crate::support::stream(Body::from_stream(chunks.chain(stream::pending()))),
        false => crate::support::stream(Body::from_stream(chunks)),
    }
}

struct Server {
    bodies: Bodies,
    http: Http,
    url: String,
}

impl Server {
    async fn start() -> Self {
        let bodies = Bodies::default();
        let router = Router::new()
            .route("/{*path}", get(answer))
            .with_state(bodies.clone());
        let address = serve(router).await;
        Self {
            bodies,
            http: http(),
            url: format!("http://{address}/"),
        }
    }

    fn ask(
        &self,
        path: String,
        case: &Case,
        served: Served,
    ) -> EventSourceBuilder<RawEvent<'static>> {
        let url = self.url.clone() + &path;
        self.bodies.lock().unwrap().insert(path, served);
        EventSource::get(&self.http, url)
            .limits(Limits::none())
            .last_event_id(&case.initial_id)
    }

    fn follow(&self, path: String, case: &Case, served: Served) -> EventSource<RawEvent<'static>> {
        let quick = Duration::from_millis(1);
        let quick = Backoff::new().range(quick..=quick);
        self.ask(path, case, served).backoff(quick).start()
    }

    /// How long it would wait after the first connection, in milliseconds.
    async fn wait(&self, path: String, case: &Case, served: Served) -> u128 {
        let (sender, mut waits) = unbounded_channel();
        let note = move |now: Now<'_>| {
            if let Phase::Waiting { delay } = now.phase {
                let _ = sender.send(delay.as_millis());
            }
        };
        let events = self.ask(path, case, served).as_browsers_do();
        let events = events.on_change(note).start();
        tokio::select! {
            wait = waits.recv() => wait.unwrap(),
            () = events.for_each(async |_| ()) => panic!("it does not wait"),
        }
    }
}

impl Server {
    async fn visit(&self, number: usize, case: &Case) {
        let bytes = case.bytes();
        let every = (1..bytes.len()).step_by(bytes.len() / 500 + 1).collect();
        for (split, cuts) in [("given", case.chunks.clone()), ("every", every)] {
            let name = format!("{} ({split})", case.name);
            let path = format!("{number}/{split}");
            let served = || Served {
                chunks: Some(cut(&bytes, &cuts)),
                goes_on: false,
                ids: Vec::new(),
            };
            let mut events = self.follow(path.clone(), case, served());
            let seen = events.by_ref().map(|item| event(item.unwrap()));
            assert_eq!(soon(seen.collect::<Vec<_>>()).await, case.events, "{name}");
            assert_eq!(events.last_event_id(), case.last_event_id, "{name}");
            // It came back with the id, unless that cannot be a header.
            let sent = self.bodies.lock().unwrap()[&path].ids[1].clone();
            let trimmed = case.last_event_id.trim_matches([' ', '\t']);
            let expected = HeaderValue::from_bytes(trimmed.as_bytes()).ok();
            let expected = expected.filter(|_| (1..=16 * 1024).contains(&case.last_event_id.len()));
            assert!(sent == expected, "{name}");
            let wait = soon(self.wait(path, case, served())).await;
            // Longer than that is no delay.
            let retry = case
                .retry
                .map_or(3000, |retry| retry.min(i32::MAX.into()) as u128);
            assert_eq!(wait, retry, "{name}");
        }
        for &(fed, due) in &case.prompt {
            let served = Served {
                chunks: Some(vec![bytes[..fed].to_vec()]),
                goes_on: true,
                ids: Vec::new(),
            };
            let mut events = self.follow(format!("{number}/{fed}"), case, served);
            // They are out although the stream goes on.
            let seen = soon(events.by_ref().take(due).collect::<Vec<_>>()).await;
            assert_eq!(seen.len(), due, "{} after {fed} bytes", case.name);
        }
    }
}

fn event(event: RawEvent<'_>) -> Event {
    Event {
        event: event.event().into(),
        data: event.data().into(),
        id: event.last_event_id().into(),
    }
}

#[tokio::test]
async fn every_decoder_case_reads_the_same_through_a_socket() {
    let cases = include_str!("../vectors/decoder-cases.jsonl").lines();
    let cases: Vec<Case> = cases
        .map(|case| serde_json::from_str(case).unwrap())
        .collect();
    assert_eq!(cases.len(), 180);
    let server = Server::start().await;

    let visits = cases
        .iter()
        .enumerate()
        .map(|(number, case)| server.visit(number, case));
    // At once, because every small chunk waits to be acknowledged.
    stream::iter(visits)
        .buffer_unordered(60)
        .collect::<()>()
        .await;
}

fn cut(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let pieces = sse_tower_tests::cut(bytes, cuts);
    pieces.into_iter().map(<[u8]>::to_vec).collect()
}
