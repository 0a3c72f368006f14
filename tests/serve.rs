//! Over a real socket: the first byte, the end, and a client that leaves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{Empty, StreamBody};
use sse_tower::{Event, Json, Sse, SseEvent, SseLayer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer as _, ServiceExt as _, service_fn};

#[derive(SseEvent)]
enum Job {
    #[sse(terminal)]
    Done,
}

const FAILS: [Result<Json<u8>, &str>; 2] = [Ok(Json(1)), Err("no more")];

/// A safety net: nothing here takes a tenth of it.
async fn soon<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, future).await.expect("in time")
}

/// Serves a stream that stays silent and one that ends at once.
async fn serve() -> (SseLayer, SocketAddr) {
    let layer = SseLayer::new();
    let app = Router::new()
        .route("/idle", get(async || Sse::new(stream::pending::<Event>())))
        .route("/done", get(async || Sse::new(stream::iter([Job::Done]))))
        .route("/fails", get(async || Sse::new(stream::iter(FAILS))))
        .route("/foreign", get(foreign_that_fails))
        .layer(layer.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (layer, address)
}

async fn foreign_that_fails() -> ([(&'static str, &'static str); 1], Body) {
    let chunks = stream::iter([Ok("data: 1\n\n"), Err("no more")]);
    (
        [("content-type", "text/event-stream")],
        Body::from_stream(chunks),
    )
}

async fn request(address: SocketAddr, path: &str, headers: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n{headers}\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

/// Reads until the answer ends with `end`.
async fn read_to(socket: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        assert_ne!(
            socket.read_buf(&mut answer).await.unwrap(),
            0,
            "{}",
            answer.escape_ascii()
        );
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn an_idle_stream_sends_its_first_byte_at_once_and_ends_with_its_client() {
    let (layer, address) = serve().await;
    let mut socket = request(address, "/idle", "").await;
    let answer = soon(read_to(&mut socket, "2\r\n:\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(layer.open_streams(), 1);

    drop(socket);
    soon(async {
        while layer.open_streams() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_finished_stream_is_over_for_good() {
    let (_, address) = serve().await;
    let mut socket = request(address, "/done", "").await;
    let answer = soon(read_to(&mut socket, "\r\n0\r\n\r\n")).await;
    assert!(
        answer.contains("event: done\ndata: {}\n\nevent: sse-tower:end\n"),
        "{answer}"
    );

    let mut socket = request(address, "/done", "last-event-id: sse-tower:end\r\n").await;
    let answer = soon(read_to(&mut socket, "\r\n\r\n")).await;
    assert!(
        answer.starts_with("HTTP/1.1 204 No Content\r\n"),
        "{answer}"
    );
}

/// All of it is ready at once, and still the client sees the event and then the failure.
#[tokio::test]
async fn what_came_before_an_error_arrives() {
    let (_, address) = serve().await;
    for path in ["/fails", "/foreign"] {
        let mut socket = request(address, path, "").await;
        let mut answer = String::new();
        soon(socket.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.ends_with("\r\ndata: 1\n\n\r\n"), "{path}: {answer}");
    }
}

/// The layer asks nothing of a body but its data type: no `Default`, no `Unpin`, no `Sync`.
#[tokio::test]
async fn any_service_and_any_body_will_do() {
    let service = service_fn(async |_: Request<Empty<Bytes>>| {
        let frames =
            stream::once(async { Ok::<_, Infallible>(Frame::data(Bytes::from("data: a\n\n"))) });
        let mut response = Response::new(StreamBody::new(frames));
        let headers = response.headers_mut();
        headers.insert("content-type", "text/event-stream".parse().unwrap());
        Ok::<_, Infallible>(response)
    });
    let request = Request::new(Empty::new());
    let response = SseLayer::new()
        .layer(service)
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let body = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap();
    assert_eq!(body.to_bytes(), "data: a\n\n");
}
