//! Compression that somebody switched on for event streams: nothing waits in the compressor,
//! and the end is not lost in it.

use std::time::Duration;

use axum::Router;
use http::Version;
use sse_tower::{END_ID, Retry, SseLayer};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::net::{Count, Reading, client, decoded, feed, request, send, serve};

/// Compresses whatever there is; the default leaves event streams alone.
fn everything() -> CompressionLayer<SizeAbove> {
    CompressionLayer::new().compress_when(SizeAbove::new(0))
}

async fn check(path: &str, encoding: &'static str, version: Version) {
    let (sender, app) = feed();
    let layers = ServiceBuilder::new()
        .layer(everything())
        .layer(SseLayer::new());
    let address = serve(app.layer(layers)).await;
    let response = decoded(client(version), request(address, path), encoding).await;
    let mut reading = Reading::of(response);
    assert_eq!(reading.until(":\n").await, "", "the first byte");
    for n in 1..=3 {
        sender.send(Count::Number(n)).unwrap();
        reading.event(Count::Number(n)).await;
    }
    sender.send(Count::Done).unwrap();
    reading.event(Count::Done).await;
    drop(sender);
    let (rest, end) = reading.rest().await;
    end.unwrap();
    let marker = format!("event: {END_ID}\nid: {END_ID}\ndata: {{}}\n\n");
    assert_eq!(rest, if path == "/native" { &marker } else { "" });
}

#[tokio::test]
async fn each_event_passes_before_the_next_is_made_and_the_end_is_whole() {
    for encoding in ["gzip", "br", "zstd"] {
        for path in ["/native", "/foreign"] {
            check(path, encoding, Version::HTTP_11).await;
            check(path, encoding, Version::HTTP_2).await;
        }
    }
}

#[tokio::test]
async fn by_default_event_streams_are_not_compressed() {
    for path in ["/native", "/foreign"] {
        let (sender, app) = feed();
        let layers = ServiceBuilder::new()
            .layer(CompressionLayer::new())
            .layer(SseLayer::new());
        let address = serve(app.layer(layers)).await;
        let mut request = request(address, path);
        let accept = "gzip, br, zstd".parse().unwrap();
        request.headers_mut().insert("accept-encoding", accept);
        let response = send(&client(Version::HTTP_11), request).await;
        assert_eq!(response.headers().get("content-encoding"), None);
        let mut reading = Reading::of(response);
        sender.send(Count::Number(1)).unwrap();
        reading.event(Count::Number(1)).await;
    }
}

/// The wrong order: only a stream of ours can still be reached, before it is encoded.
#[tokio::test]
async fn a_layer_outside_of_the_compression_reaches_streams_of_ours_and_leaves_others() {
    for (path, opening) in [("/native", "retry: 2000\n"), ("/foreign", "")] {
        let (sender, app) = feed();
        let outside = SseLayer::new().retry(Retry::fixed(Duration::from_secs(2)));
        let app: Router = app.layer(ServiceBuilder::new().layer(outside).layer(everything()));
        let address = serve(app).await;
        let request = request(address, path);
        sender.send(Count::Number(1)).unwrap();
        drop(sender);
        let response = decoded(client(Version::HTTP_11), request, "gzip").await;
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let (text, end) = Reading::of(response).rest().await;
        end.unwrap();
        assert_eq!(text, format!("{opening}event: number\ndata: 1\n\n"));
    }
}
