//! HAProxy as it comes, with HTTP/1 and HTTP/2 on either side, and with its compression on.

use std::net::SocketAddr;

use futures_util::future::join_all;
use http::Version;

use crate::process::Program;
use crate::{TIMEOUT, Way, leaving, one_by_one, silence};

fn ways() -> Option<[Way; 3]> {
    let haproxy = Program::find("haproxy", &["-db", "-f", "config"])?;
    let way = |version, config| Way {
        program: haproxy.clone(),
        config,
        version,
        encoding: None,
    };
    Some([
        way(Version::HTTP_11, |at, to| config(at, to, "")),
        way(Version::HTTP_2, |at, to| config(at, to, "")),
        way(Version::HTTP_11, |at, to| config(at, to, "proto h2")),
    ])
}

fn config(at: SocketAddr, to: SocketAddr, server: &str) -> String {
    format!(
        "
global
    maxconn 100
defaults
    mode http
    timeout connect 10s
    timeout client {TIMEOUT}s
    timeout server {TIMEOUT}s
listen streams
    bind {at}
    # Not for us: `no-transform` forbids it.
    compression algo gzip
    compression type text/event-stream
    server origin {to} {server}
"
    )
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_made() {
    for way in ways().iter().flatten() {
        one_by_one(way).await;
    }
}

#[tokio::test]
async fn silence_is_outlived_by_the_keep_alive_alone() {
    join_all(ways().iter().flatten().map(silence)).await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_stream_along() {
    for way in ways().iter().flatten() {
        leaving(way).await;
    }
}
