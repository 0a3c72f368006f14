//! What the tests over loopback share: a server, a client, and a stream that the test feeds.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::sse;
use axum::routing::get;
use futures_util::StreamExt as _;
use http::{Request, Response, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sse_tower::{Sse, SseEvent};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::decompression::{DecompressionBody, DecompressionLayer};

/// What a fed stream sends.
#[derive(SseEvent, Clone, Copy, Debug)]
pub(crate) enum Count {
    Number(u32),
    #[sse(terminal)]
    Done,
}

/// A safety net: nothing here takes a tenth of it.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, future).await.expect("in time")
}

/// One stream, which `/native` answers with ours and `/foreign` with axum's response.
///
/// It ends with its sender; the sender is closed when the stream is dropped.
pub(crate) fn feed() -> (UnboundedSender<Count>, Router) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let stream = Mutex::new(Some(UnboundedReceiverStream::new(receiver)));
    let stream = Arc::new(stream);
    let take = move || stream.lock().unwrap().take().expect("one request");
    let native = {
        let take = take.clone();
        async move || Sse::new(take())
    };
    let foreign = async move || {
        sse::Sse::new(take().map(|count| {
            Ok::<_, Infallible>(match count {
                Count::Number(n) => sse::Event::default().event("number").data(n.to_string()),
                Count::Done => sse::Event::default().event("done").data("{}"),
            })
        }))
    };
    let router = Router::new()
        .route("/native", get(native))
        .route("/foreign", get(foreign));
    (sender, router)
}

/// Serves `app` as an application does: HTTP/1 and HTTP/2, whatever the client begins with.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

pub(crate) fn client(version: Version) -> Client<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    // Many short streams on one connection would wait 40 ms for each other.
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new())
        .http2_only(version == Version::HTTP_2)
        .build(connector)
}

/// A request as an `EventSource` makes it.
pub(crate) fn request(address: SocketAddr, path: &str) -> Request<Body> {
    Request::get(format!("http://{address}{path}"))
        .header("accept", "text/event-stream")
        .body(Body::empty())
        .unwrap()
}

pub(crate) async fn send(
    client: &Client<HttpConnector, Body>,
    request: Request<Body>,
) -> Response<Incoming> {
    soon(client.request(request)).await.unwrap()
}

/// Sends `request` and undoes `encoding`; fails if the answer is not in it.
pub(crate) async fn decoded(
    client: Client<HttpConnector, Body>,
    mut request: Request<Body>,
    encoding: &'static str,
) -> Response<DecompressionBody<Incoming>> {
    let accept = encoding.parse().unwrap();
    request.headers_mut().insert("accept-encoding", accept);
    let service = ServiceBuilder::new()
        .layer(DecompressionLayer::new())
        .map_response(move |response: Response<Incoming>| {
            assert_eq!(response.headers()["content-encoding"], encoding);
            response
        })
        .service(client);
    soon(service.oneshot(request)).await.unwrap()
}

/// Reads a body as it arrives.
pub(crate) struct Reading {
    body: Body,
    text: String,
}

impl Reading {
    pub(crate) fn of<B>(response: Response<B>) -> Self
    where
        B: http_body::Body<Data = bytes::Bytes, Error: Into<axum::BoxError>> + Send + 'static,
    {
        Self {
            body: Body::new(response.into_body()),
            text: String::new(),
        }
    }

    /// Waits for `expected` and leaves what follows it; returns what came before it.
    pub(crate) async fn until(&mut self, expected: &str) -> String {
        soon(async {
            loop {
                if let Some(at) = self.text.find(expected) {
                    let rest = self.text.split_off(at + expected.len());
                    let mut before = std::mem::replace(&mut self.text, rest);
                    before.truncate(at);
                    return before;
                }
                assert!(self.more().await.unwrap(), "ended with {:?}", self.text);
            }
        })
        .await
    }

    /// Waits for the event that `count` is.
    pub(crate) async fn event(&mut self, count: Count) {
        let expected = match count {
            Count::Number(n) => format!("event: number\ndata: {n}\n\n"),
            Count::Done => "event: done\ndata: {}\n\n".to_owned(),
        };
        self.until(&expected).await;
    }

    /// What is left, and how it ended.
    pub(crate) async fn rest(mut self) -> (String, Result<(), axum::Error>) {
        let end = soon(async {
            loop {
                match self.more().await {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        })
        .await;
        (self.text, end)
    }

    async fn more(&mut self) -> Result<bool, axum::Error> {
        let Some(frame) = self.body.frame().await.transpose()? else {
            return Ok(false);
        };
        if let Ok(data) = frame.into_data() {
            self.text += std::str::from_utf8(&data).expect("ASCII");
        }
        Ok(true)
    }
}
