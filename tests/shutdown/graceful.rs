//! `axum::serve(…).with_graceful_shutdown` ends although streams are open.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::sse;
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures_util::future::join_all;
use futures_util::{Stream, StreamExt as _, stream};
use http::{Request, Version};
use sse_tower::{KeepAlive, Shutdown, Sse, SseEvent, SseLayer};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::interval;
use tokio_stream::wrappers::IntervalStream;

use crate::net::{Reading, client, request, send, soon};
use crate::{VERSIONS, scale};

#[derive(SseEvent)]
enum Work {
    Tick,
    Answer(&'static str),
    #[sse(terminal)]
    Done,
    Restarting,
}

const GOODBYE: &str = "event: restarting\ndata: {}\n\n";

async fn idle() -> Sse<Work> {
    Sse::new(stream::pending::<Work>()).no_keep_alive()
}

async fn kept_alive() -> Sse<Work> {
    Sse::new(stream::pending::<Work>()).keep_alive(KeepAlive::every(Duration::from_millis(20)))
}

async fn foreign() -> sse::Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let ticks = IntervalStream::new(interval(Duration::from_millis(10)));
    sse::Sse::new(ticks.map(|_| Ok(sse::Event::default().data("tick"))))
}

async fn ticking() -> Sse<Work> {
    let ticks = IntervalStream::new(interval(Duration::from_millis(10)));
    Sse::new(ticks.map(|_| Work::Tick))
}

/// An answer that goes on when it is told to.
async fn answer(Extension(go_on): Extension<Arc<Notify>>) -> Sse<Work> {
    let first = stream::iter([Work::Answer("early")]);
    let rest = stream::once(async move {
        go_on.notified().await;
        Work::Answer("late")
    });
    Sse::new(first.chain(rest)).finish_with(Work::Done)
}

async fn stops_with_open_streams(version: Version) {
    let (stop, go_on) = (Shutdown::new(), Arc::new(Notify::new()));
    let layer = SseLayer::new()
        .shutdown(&stop)
        .goodbye(&Work::Restarting)
        .unwrap();
    let app = Router::new()
        .route("/idle", get(idle))
        .route("/kept-alive", get(kept_alive))
        .route("/ticking", get(ticking))
        .route("/foreign", get(foreign))
        .route("/answer", post(answer))
        .layer(Extension(go_on.clone()))
        .layer(layer.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.begun());
    let server = tokio::spawn(server.into_future());

    let client = client(version);
    let open = async |n: usize| {
        let path = ["/idle", "/ticking", "/foreign", "/kept-alive"][n % 4];
        let response = send(&client, request(address, path)).await;
        let mut reading = Reading::of(response);
        // All but the idle ones have an event or a comment before they go quiet.
        reading.until("\n").await;
        reading
    };
    // One first: the others share its connection over HTTP/2.
    let mut streams = vec![open(0).await];
    // A server allows 200 streams at a time on such a connection.
    streams.extend(join_all((1..199).map(open)).await);
    let post = Request::post(format!("http://{address}/answer"))
        .body(Body::empty())
        .unwrap();
    let mut answer = Reading::of(send(&client, post).await);
    answer.until("data: \"early\"\n\n").await;
    assert_eq!(layer.open_streams(), 200);

    stop.begin();
    for reading in streams {
        let (rest, end) = reading.rest().await;
        end.unwrap();
        assert!(rest.ends_with(GOODBYE), "{rest}");
        assert!(rest.contains("retry: "), "{rest}");
    }
    // Had the others been open for as long as the answer may be, it would have been cut too.
    go_on.notify_one();
    let (rest, end) = answer.rest().await;
    end.unwrap();
    assert_eq!(
        rest,
        "event: answer\ndata: \"late\"\n\nevent: done\ndata: {}\n\n"
    );
    // Its connections are open until the server closes them.
    soon(server).await.unwrap().unwrap();
    drop(client);
    assert_eq!(layer.open_streams(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_200_open_streams_stops() {
    for _ in 0..scale(1, 50) {
        for version in VERSIONS {
            stops_with_open_streams(version).await;
        }
    }
}
