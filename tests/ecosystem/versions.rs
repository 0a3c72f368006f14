//! A whole stream over HTTP/1.1 and over HTTP/2.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use http::{Request, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sse_tower::{END_ID, Event, KeepAlive, Sse, SseLayer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

use crate::net::{Count, Reading, client, feed, request, send, serve, soon};

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

/// So short that a test can wait for it.
fn keep_alive() -> SseLayer {
    SseLayer::new().keep_alive(KeepAlive::every(Duration::from_millis(20)))
}

#[tokio::test]
async fn a_stream_from_its_first_byte_to_the_204() {
    for version in VERSIONS {
        let (sender, app) = feed();
        let layer = keep_alive();
        let address = serve(app.layer(layer.clone())).await;
        let client = client(version);
        let response = send(&client, request(address, "/native")).await;
        assert_eq!(response.version(), version);
        assert_eq!(response.status(), StatusCode::OK);
        let mut reading = Reading::of(response);
        assert_eq!(reading.until(":\n").await, "");
        for n in 1..=3 {
            sender.send(Count::Number(n)).unwrap();
            reading.event(Count::Number(n)).await;
            reading.until(":\n").await;
        }
        sender.send(Count::Done).unwrap();
        reading.event(Count::Done).await;
        let (rest, end) = reading.rest().await;
        end.unwrap();
        assert!(rest.contains(END_ID), "{rest}");
        soon(sender.closed()).await;

        let mut again = request(address, "/native");
        let id = END_ID.parse().unwrap();
        again.headers_mut().insert("last-event-id", id);
        let response = send(&client, again).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(layer.open_streams(), 0);
    }
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_stream_along() {
    for version in VERSIONS {
        for path in ["/native", "/foreign"] {
            let (sender, app) = feed();
            let address = serve(app.layer(SseLayer::new())).await;
            let client = client(version);
            let response = send(&client, request(address, path)).await;
            let mut reading = Reading::of(response);
            reading.until(":\n").await;
            assert!(!sender.is_closed());
            drop(reading);
            soon(sender.closed()).await;
        }
    }
}

#[tokio::test]
async fn many_streams_share_one_connection() {
    let (sender, receiver) = watch::channel(0);
    let numbers = async move |Path(name): Path<usize>| {
        let name = format!("of-{name}");
        Sse::new(
            WatchStream::from_changes(receiver)
                .map(move |number: u32| Event::named(name.clone()).data(number.to_string())),
        )
    };
    let layer = keep_alive();
    let app = Router::new()
        .route("/{name}", get(numbers))
        .layer(layer.clone());
    let socket = TcpStream::connect(serve(app).await).await.unwrap();
    let io = TokioIo::new(socket);
    let executor = TokioExecutor::new();
    let (requests, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);

    let open = async |name| {
        let uri = format!("http://localhost/{name}");
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = soon(requests.clone().send_request(request)).await.unwrap();
        let mut reading = Reading::of(response);
        reading.until(":\n").await;
        reading
    };
    let mut streams = join_all((0..100).map(open)).await;
    assert_eq!(layer.open_streams(), 100);
    for number in 1..=3 {
        sender.send(number).unwrap();
        for (name, reading) in streams.iter_mut().enumerate() {
            let event = format!("event: of-{name}\ndata: {number}\n\n");
            reading.until(&event).await;
        }
    }
    // One that leaves does not disturb the others.
    drop(streams.split_off(1));
    soon(async {
        while layer.open_streams() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    sender.send(4).unwrap();
    streams[0].until("event: of-0\ndata: 4\n\n").await;
    drop(sender);
    let (_, end) = streams.remove(0).rest().await;
    end.unwrap();
    assert!(!connection.is_finished());
}
