//! What 10,000 silent streams cost a server, against axum's `Sse` with keep-alive.
//!
//! `cargo bench -p sse-tower --bench idle`. Each measurement has a process of its own, and both
//! kinds take turns; what counts is the growth of the server's resident memory. hyper keeps a
//! queue for each connection from its first write on, so both are looked at twice: when they
//! are open, and when each has sent a keep-alive.

mod child;

use std::convert::Infallible;
use std::io::Read as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::response::sse;
use axum::routing::get;
use child::Server;
use futures_util::stream;
use sse_tower::{Event, KeepAlive, Sse, SseLayer};

/// Client and server each need as many open files.
const CONNECTIONS: u64 = 10_000;
const ROUNDS: usize = 3;
/// Long enough to open all of them before the first is sent.
const INTERVAL: Duration = Duration::from_secs(5);

fn main() {
    match child::role().as_deref() {
        Some("ours") => child::serve(
            Router::new()
                .route("/", get(async || Sse::new(stream::pending::<Event>())))
                .layer(SseLayer::new().keep_alive(KeepAlive::every(INTERVAL))),
            |_| (),
        ),
        Some("axum") => child::serve(
            Router::new().route(
                "/",
                get(async || {
                    let events = stream::pending::<Result<sse::Event, Infallible>>();
                    sse::Sse::new(events).keep_alive(sse::KeepAlive::new().interval(INTERVAL))
                }),
            ),
            |_| (),
        ),
        _ => compare(),
    }
}

fn compare() {
    let roles = ["ours", "axum"];
    let mut kib = roles.map(|_| [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        for (role, kib) in roles.iter().zip(&mut kib) {
            for (kib, measured) in kib.iter_mut().zip(measure(role)) {
                kib.push(measured);
            }
        }
    }
    let [ours, axum] = kib.map(|kib| {
        kib.map(|mut kib| {
            kib.sort_by(f64::total_cmp);
            kib[ROUNDS / 2]
        })
    });
    println!("{CONNECTIONS} silent streams");
    for (at, when) in ["open", "after a keep-alive"].into_iter().enumerate() {
        println!(
            "  {when:18}  ours {:.2} KiB each, axum {:.2}: ratio {:.3}; target at most 1",
            ours[at],
            axum[at],
            ours[at] / axum[at]
        );
    }
}

/// The KiB of resident memory that each stream adds to a new server: open, and kept alive.
fn measure(role: &str) -> [f64; 2] {
    let server = Server::start(role, &[]);
    // What the first request alone costs does not count.
    drop(open(&server));
    let before = resident(&server);
    let _streams: Vec<_> = (0..CONNECTIONS).map(|_| open(&server)).collect();
    let each = |kib| (kib - before) as f64 / CONNECTIONS as f64;
    let opened = resident(&server);
    thread::sleep(INTERVAL * 3 / 2);
    [each(opened), each(resident(&server))]
}

/// Opens a stream and reads the head of its answer.
fn open(server: &Server) -> TcpStream {
    let mut socket = server.get("/");
    let mut head = [0; 4096];
    assert!(socket.read(&mut head).expect("an answer") > 0);
    socket
}

fn resident(server: &Server) -> u64 {
    let status = server.proc("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.expect("memory").trim().trim_end_matches(" kB");
    kib.parse().expect("a number")
}
