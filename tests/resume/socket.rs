//! Over real sockets: connections that break.

use std::net::SocketAddr;

use sse_tower::SseLayer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A safety net: nothing here takes a tenth of it.
async fn soon<F: Future>(future: F) -> F::Output {
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, future).await.expect("in time")
}

async fn request(address: SocketAddr, id: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /run HTTP/1.1\r\nhost: x\r\nuser: ada\r\nlast-event-id: {id}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

async fn read_to(socket: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    while !answer.contains(end) {
        let mut part = [0; 1024];
        let len = soon(socket.read(&mut part)).await.unwrap();
        assert!(len > 0, "ended after {answer}");
        answer += str::from_utf8(&part[..len]).unwrap();
    }
    answer
}

#[tokio::test]
async fn a_stream_of_axum_goes_on_where_its_socket_was_cut() {
    let upstream = Upstream::foreign();
    let app = upstream.app(&layer()).layer(SseLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let mut socket = request(address, "").await;
    soon(async {
        while upstream.calls() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    upstream.send(0, ["one"]);
    let answer = read_to(&mut socket, "data: one\n\n").await;
    let (_, id) = answer.split_once("id: ").unwrap();
    let (id, _) = id.split_once('\n').unwrap();
    drop(socket);

    upstream.send(0, ["two", "three", "four"]);
    let mut socket = request(address, id).await;
    let mut answer = read_to(&mut socket, "data: four\n\n").await;
    upstream.send(0, ["five"]);
    answer += &read_to(&mut socket, "data: five\n\n").await;
    upstream.end(0);
    answer += &read_to(&mut socket, "0\r\n\r\n").await;
    for (data, times) in [
        ("one", 0),
        ("two", 1),
        ("three", 1),
        ("four", 1),
        ("five", 1),
    ] {
        assert_eq!(answer.matches(data).count(), times, "{data} in {answer}");
    }
    assert_eq!(upstream.calls(), 1);
    server.abort();
}
