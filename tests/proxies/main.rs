//! Event streams through nginx and HAProxy, which the tests start themselves: what is sent
//! arrives at once, silence does not end it, and a client that leaves does.
//!
//! Real time passes here and nowhere else: the clocks of the proxies are not ours.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/net.rs"]
mod net;

mod haproxy;
mod nginx;
mod process;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use http::{StatusCode, Version};
use sse_tower::{END_ID, KeepAlive, SseLayer};

use crate::net::{Count, Reading, client, decoded, feed, request, send, serve, soon};
use crate::process::{Program, Proxy};

/// After so much silence the proxies give up, in seconds.
const TIMEOUT: u64 = 2;

const PATHS: [&str; 2] = ["/native", "/foreign"];

/// One way through a proxy.
struct Way {
    program: Program,
    /// The configuration for listening at the first address and asking at the second.
    config: fn(SocketAddr, SocketAddr) -> String,
    version: Version,
    encoding: Option<&'static str>,
}

impl Way {
    /// Starts a proxy in front of `app`.
    async fn to(&self, app: Router) -> Proxy {
        let server = serve(app).await;
        let config = |proxy| (self.config)(proxy, server);
        self.program.start(config).await
    }

    async fn open(&self, proxy: SocketAddr, path: &str) -> Reading {
        let (client, mut request) = (client(self.version), request(proxy, path));
        let mut reading = if let Some(encoding) = self.encoding {
            Reading::of(decoded(client, request, encoding).await)
        } else {
            let accept = "gzip".parse().unwrap();
            request.headers_mut().insert("accept-encoding", accept);
            let response = send(&client, request).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers().get("content-encoding"), None);
            Reading::of(response)
        };
        assert_eq!(reading.until(":\n").await, "", "the first byte");
        reading
    }
}

fn layer() -> SseLayer {
    SseLayer::new().keep_alive(KeepAlive::every(Duration::from_millis(400)))
}

/// Each event arrives before the next is made, then the end, then the 204 of those who return.
async fn one_by_one(way: &Way) {
    for path in PATHS {
        let (sender, app) = feed();
        let proxy = way.to(app.layer(layer())).await;
        let mut reading = way.open(proxy.address, path).await;
        for n in 1..=3 {
            sender.send(Count::Number(n)).unwrap();
            reading.event(Count::Number(n)).await;
        }
        sender.send(Count::Done).unwrap();
        reading.event(Count::Done).await;
        drop(sender);
        let (rest, end) = reading.rest().await;
        end.unwrap();
        assert_eq!(rest.contains(END_ID), path == "/native");

        let mut again = request(proxy.address, path);
        let id = END_ID.parse().unwrap();
        again.headers_mut().insert("last-event-id", id);
        let response = send(&client(way.version), again).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }
}

/// A silent stream outlives three timeouts of the proxy; without a keep-alive, not one.
async fn silence(way: &Way) {
    let kept = async |path| {
        let (sender, app) = feed();
        let proxy = way.to(app.layer(layer())).await;
        let mut reading = way.open(proxy.address, path).await;
        tokio::time::sleep(Duration::from_secs(3 * TIMEOUT + 1)).await;
        sender.send(Count::Number(1)).unwrap();
        reading.event(Count::Number(1)).await;
    };
    let cut = async || {
        let (sender, app) = feed();
        let app = app.layer(SseLayer::new().no_keep_alive());
        let proxy = way.to(app).await;
        // The server goes on, so if there is an end, it is the proxy that has cut the stream.
        let _ = way.open(proxy.address, "/native").await.rest().await;
        soon(sender.closed()).await;
    };
    tokio::join!(join_all(PATHS.map(kept)), cut());
}

/// The stream of a client that leaves is dropped.
async fn leaving(way: &Way) {
    for path in PATHS {
        let (sender, app) = feed();
        let proxy = way.to(app.layer(layer())).await;
        let reading = way.open(proxy.address, path).await;
        assert!(!sender.is_closed());
        drop(reading);
        soon(sender.closed()).await;
    }
}
