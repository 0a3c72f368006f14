//! Over TCP: an upstream, a gateway and a client.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::TryStreamExt as _;
use http::{Request, Version};
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use sse_tower::{
    CoalesceExt as _, FromSseEvent, ResumeLayer, RunKey, Sse, SseEvent, SseLayer, decode,
};
use tokio::sync::mpsc::UnboundedSender;

use crate::net::{Count, Reading, client, feed, request, send, serve, soon};

#[derive(Clone)]
struct Upstream {
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Upstream {
    async fn ask(&self) -> http::Response<Incoming> {
        send(&self.client, request(self.address, "/foreign")).await
    }
}

/// Another dialect.
#[derive(SseEvent, Clone, Debug)]
enum Sum {
    Add(u32),
    #[sse(terminal)]
    Failed {
        why: String,
    },
    #[sse(terminal)]
    Over,
}

#[derive(FromSseEvent)]
enum Counted {
    Number(u32),
    #[sse(terminal)]
    Done,
}

impl From<Counted> for Sum {
    fn from(count: Counted) -> Self {
        match count {
            Counted::Number(n) => Self::Add(n),
            Counted::Done => Self::Over,
        }
    }
}

impl Sum {
    fn merge(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Add(sum), Self::Add(more)) => *sum += more,
            (_, next) => return Some(next),
        }
        None
    }
}

async fn passed_on(State(upstream): State<Upstream>) -> Response {
    Sse::proxy(upstream.ask().await).into_response()
}

async fn translated(State(upstream): State<Upstream>) -> Sse<Sum> {
    let events = decode::<Counted, _>(BodyDataStream::new(upstream.ask().await.into_body()));
    let events = events.map_ok(Sum::from);
    let joined = events.coalesce(Duration::from_millis(20), Sum::merge);
    let why = |error: sse_tower::ReadError| Sum::Failed {
        why: error.to_string(),
    };
    Sse::with_error(joined, why).finish_with(Sum::Over)
}

/// A gateway with its layer, and what its upstream sends.
async fn gateway() -> (UnboundedSender<Count>, SocketAddr, SseLayer) {
    let (sender, app) = feed();
    let upstream = Upstream {
        address: serve(app).await,
        client: client(Version::HTTP_11),
    };
    let layer = SseLayer::new();
    let resume = ResumeLayer::by(|parts| Some(RunKey::new(parts.uri.path().to_owned()).public()));
    let kept = Router::new()
        .route("/kept/passed_on", get(passed_on))
        .route("/kept/translated", get(translated))
        .layer(resume.linger(Duration::from_secs(600)));
    let app = Router::new()
        .route("/passed_on", get(passed_on))
        .route("/translated", get(translated))
        .merge(kept)
        .layer(layer.clone())
        .with_state(upstream);
    (sender, serve(app).await, layer)
}

async fn open(request: Request<Body>) -> (Client<HttpConnector, Body>, Reading) {
    let client = client(Version::HTTP_11);
    let response = send(&client, request).await;
    (client, Reading::of(response))
}

/// What the first number is in the dialect of the route.
fn first(path: &str) -> &'static str {
    if path.ends_with("translated") {
        "event: add\n"
    } else {
        "event: number\n"
    }
}

#[tokio::test]
async fn when_the_client_leaves_the_upstream_is_dropped() {
    for path in ["/passed_on", "/translated"] {
        let (sender, address, _) = gateway().await;
        sender.send(Count::Number(1)).unwrap();
        let (client, mut reading) = open(request(address, path)).await;
        reading.until(first(path)).await;
        assert!(!sender.is_closed(), "{path}");
        drop((client, reading));
        soon(sender.closed()).await;
    }
}

#[tokio::test]
async fn a_resumable_one_is_kept_and_gone_on_with() {
    for path in ["/kept/passed_on", "/kept/translated"] {
        let (sender, address, layer) = gateway().await;
        sender.send(Count::Number(1)).unwrap();
        let (client, mut reading) = open(request(address, path)).await;
        reading.until(first(path)).await;
        reading.until("id: ").await;
        let id = reading.until("\n").await;
        drop((client, reading));
        soon(async {
            while layer.open_streams() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;

        sender.send(Count::Number(2)).unwrap();
        let mut again = request(address, path);
        again
            .headers_mut()
            .insert("last-event-id", id.parse().unwrap());
        let (_client, mut reading) = open(again).await;
        let before = reading.until("data: 2\n").await;
        assert!(before.matches("data: ").count() == 0, "{before}");
        assert!(!sender.is_closed(), "{path}");
        sender.send(Count::Done).unwrap();
        drop(sender);
        let (rest, end) = reading.rest().await;
        end.unwrap();
        let last = if path.ends_with("translated") {
            "event: over\n"
        } else {
            "event: done\n"
        };
        assert!(rest.contains(last), "{path}: {rest}");
    }
}

#[tokio::test]
async fn an_upstream_that_ends_early_is_finished_by_the_gateway() {
    let (sender, address, _) = gateway().await;
    sender.send(Count::Number(1)).unwrap();
    let (_client, mut reading) = open(request(address, "/translated")).await;
    reading.until("event: add\ndata: 1\n\n").await;
    drop(sender);
    let (rest, end) = reading.rest().await;
    end.unwrap();
    assert!(rest.starts_with("event: over\n"), "{rest}");
}
