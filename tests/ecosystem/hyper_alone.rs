//! A hyper server without axum: the layer asks only for a service and a body.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use sse_tower::{END_ID, KeepAlive, Retry, Sse, SseLayer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::{Service, ServiceBuilder};

use crate::net::{Count, Reading, client, request, send, soon};

/// Serves HTTP/1 and HTTP/2 with hyper alone.
pub(crate) async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error: Into<BoxError>>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                // How a connection ended is for the client of the test to say.
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    });
    address
}

fn layer() -> SseLayer {
    SseLayer::new()
        .retry(Retry::fixed(Duration::from_secs(2)))
        .keep_alive(KeepAlive::every(Duration::from_millis(20)))
}

#[tokio::test]
async fn a_body_of_any_type_becomes_a_stream_that_keeps() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let (sender, receiver) = mpsc::unbounded_channel();
        let frames = UnboundedReceiverStream::new(receiver);
        let frames = Arc::new(Mutex::new(Some(frames)));
        let answer = move |_: Request<Incoming>| {
            let frames = frames.lock().unwrap().take().expect("one request");
            let frames =
                frames.map(|text: &str| Ok::<_, Infallible>(Frame::data(Bytes::from(text))));
            let response = Response::builder()
                .header("content-type", "text/event-stream")
                .body(StreamBody::new(frames));
            std::future::ready(response)
        };
        let address = serve(ServiceBuilder::new().layer(layer()).service_fn(answer)).await;
        let client = client(version);
        let response = send(&client, request(address, "/")).await;
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let mut reading = Reading::of(response);
        assert_eq!(reading.until("retry: 2000\n").await, "");
        for event in ["data: a\n\n", "data: b\n\n"] {
            sender.send(event).unwrap();
            reading.until(event).await;
            reading.until(":\n").await;
        }
        drop(reading);
        soon(sender.closed()).await;
    }
}

#[tokio::test]
async fn a_stream_of_ours_has_its_end() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let answer = async |_: Request<Incoming>| {
            let events = futures_util::stream::iter([Count::Number(1), Count::Done]);
            Ok::<Response<Body>, Infallible>(Sse::new(events).into_response())
        };
        let address = serve(ServiceBuilder::new().layer(layer()).service_fn(answer)).await;
        let client = client(version);
        let response = send(&client, request(address, "/")).await;
        let (text, end) = Reading::of(response).rest().await;
        end.unwrap();
        assert_eq!(
            text,
            format!(
                "retry: 2000\nevent: number\ndata: 1\n\nevent: done\ndata: {{}}\n\n\
                 event: {END_ID}\nid: {END_ID}\ndata: {{}}\n\n"
            )
        );
        let mut again = request(address, "/");
        let id = END_ID.parse().unwrap();
        again.headers_mut().insert("last-event-id", id);
        let response = send(&client, again).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }
}
