//! Clients that connect and cut: what is counted returns to zero.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::{Request, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sse_tower::{CloseReason, Closed, Event, Observe, Sse, SseLayer};
use tokio::net::TcpStream;

use crate::net::{Reading, client, request, send, serve, soon};
use crate::{VERSIONS, scale};

#[derive(Default)]
struct Gauge {
    open: AtomicI64,
    opened: AtomicU64,
    failed: AtomicU64,
}

impl Observe for Gauge {
    fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self, closed: &Closed) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        let failed = closed.reason == CloseReason::Error;
        self.failed.fetch_add(failed.into(), Ordering::Relaxed);
    }
}

async fn silent() -> Sse {
    Sse::new(stream::pending::<Event>())
}

/// Panics in the middle of a stream, as the bugs of users do.
async fn panicking() -> Sse {
    let events = stream::iter(0..3).map(|n| match n {
        0 => Event::new().data("x".repeat(16 * 1024)),
        _ => panic!("a bug in the handler, on purpose"),
    });
    Sse::new(events)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_returns_to_zero() {
    let cuts = scale(200, 10_000);
    for version in VERSIONS {
        let gauge = Arc::new(Gauge::default());
        let layer = SseLayer::new().observe(Arc::clone(&gauge));
        let app = Router::new()
            .route("/silent", get(silent))
            .route("/panicking", get(panicking))
            .layer(layer.clone());
        let address = serve(app).await;
        let client = client(version);
        for n in 0..cuts {
            if n % 10 == 0 {
                // The connection may go down with the stream, so each has its own.
                panics(version, address).await;
                continue;
            }
            let mut reading = Reading::of(send(&client, request(address, "/silent")).await);
            if n % 2 == 0 {
                reading.until(":\n").await;
            }
        }
        soon(async {
            while layer.open_streams() > 0 || gauge.open.load(Ordering::Relaxed) != 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let failed = gauge.failed.load(Ordering::Relaxed);
        assert_eq!(failed, cuts.div_ceil(10) as u64, "{version:?}");
        assert!(gauge.opened.load(Ordering::Relaxed) >= cuts as u64 / 2);
    }
}

/// Opens the stream that panics, on a connection of its own; only this stream may suffer.
async fn panics(version: Version, address: std::net::SocketAddr) {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let request = Request::get(format!("http://{address}/panicking"))
        .header("host", address.to_string())
        .body(Body::empty())
        .unwrap();
    let response = if version == Version::HTTP_2 {
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (mut requests, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        soon(requests.send_request(request)).await
    } else {
        let (mut requests, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        soon(requests.send_request(request)).await
    };
    // Over HTTP/1.1 the panic takes the connection along, sometimes before the head was sent.
    if let Ok(response) = response {
        let (_, end) = Reading::of(response).rest().await;
        assert!(end.is_err(), "a stream that panicked looks complete");
    }
}
