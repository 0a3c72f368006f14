//! Events through a loopback socket, served by axum, against axum's `Sse`.
//!
//! `cargo bench -p sse-tower --bench serve`. Each server runs on one thread of its own process;
//! the kernel tells its CPU time and its write calls. They are asked in turns, and what counts
//! is the ratio of the medians.

mod child;

use std::convert::Infallible;
use std::io::Read as _;

use axum::Router;
use axum::response::{IntoResponse as _, Response, sse};
use axum::routing::get;
use child::Server;
use futures_util::{Stream, StreamExt as _, stream};
use memchr::memmem;
use serde::Serialize;
use sse_tower::{Sse, SseEvent, SseLayer};
use tokio::sync::mpsc;

/// Events that are all ready.
const READY: u64 = 400_000;
/// Events that each come in a wake of their own.
const PACED: u64 = 40_000;
const ROUNDS: usize = 15;

fn main() {
    match child::role().as_deref() {
        Some("ours") => child::serve(ours(), |_| ()),
        Some("axum") => child::serve(axums(false), |_| ()),
        Some("axum, keep-alive") => child::serve(axums(true), |_| ()),
        _ => compare(),
    }
}

/// With everything that the layer gives.
fn ours() -> Router {
    Router::new()
        .route("/ready", get(async || Sse::new(ready().map(Ours::from))))
        .route("/paced", get(async || Sse::new(paced().map(Ours::from))))
        .layer(SseLayer::new())
}

fn axums(keep_alive: bool) -> Router {
    Router::new()
        .route("/ready", get(async move || axums_sse(ready(), keep_alive)))
        .route("/paced", get(async move || axums_sse(paced(), keep_alive)))
}

fn axums_sse(numbers: impl Stream<Item = u64> + Send + 'static, keep_alive: bool) -> Response {
    let response = sse::Sse::new(numbers.map(axums_event));
    if keep_alive {
        response
            .keep_alive(sse::KeepAlive::default())
            .into_response()
    } else {
        response.into_response()
    }
}

fn ready() -> impl Stream<Item = u64> {
    stream::iter(0..READY)
}

/// The next event is made when the last one was taken, by another task.
fn paced() -> impl Stream<Item = u64> {
    let (sender, mut receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for n in 0..PACED {
            if sender.send(n).await.is_err() {
                return;
            }
        }
    });
    stream::poll_fn(move |cx| receiver.poll_recv(cx))
}

#[derive(SseEvent)]
enum Ours {
    Token {
        #[sse(id)]
        n: u64,
        index: u32,
        text: &'static str,
    },
}

impl From<u64> for Ours {
    fn from(n: u64) -> Self {
        Self::Token {
            n,
            index: 0,
            text: "Hello, you",
        }
    }
}

#[derive(Serialize)]
struct Token {
    index: u32,
    text: &'static str,
}

fn axums_event(n: u64) -> Result<sse::Event, Infallible> {
    let token = Token {
        index: 0,
        text: "Hello, you",
    };
    let event = sse::Event::default().event("token").id(n.to_string());
    Ok(event.json_data(token).expect("JSON"))
}

fn compare() {
    let roles = ["ours", "axum", "axum, keep-alive"];
    let servers = roles.map(|role| Server::start(role, &[]));
    for (path, events) in [("/ready", READY), ("/paced", PACED)] {
        for server in &servers {
            assert_eq!(count(server, path), events, "all of them arrive");
        }
        let mut used = roles.map(|_| Vec::new());
        for _ in 0..ROUNDS {
            for (server, used) in servers.iter().zip(&mut used) {
                used.push(measure(server, path));
            }
        }
        println!("{path}: {events} events");
        let medians = used.map(median);
        for (role, (cpu, writes)) in roles.iter().zip(medians) {
            println!(
                "  {role:16} {:7.1} ns of CPU per event  {writes:6} writes",
                cpu as f64 / events as f64
            );
        }
        let [ours, axum, kept] = medians;
        let ratio = |n, d| n as f64 / d as f64;
        let (target, target_writes) = match path {
            "/ready" => ("at least 5", "at least 50"),
            _ => ("at least 1", "1"),
        };
        println!(
            "  events per CPU second, ours over axum's: {:.2}, with keep-alive {:.2}; target {target}",
            ratio(axum.0, ours.0),
            ratio(kept.0, ours.0)
        );
        println!(
            "  writes, axum's over ours: {:.1}; target {target_writes}",
            ratio(axum.1, ours.1)
        );
    }
}

/// Reads a whole stream; returns its number of events, each of which is in one chunk.
fn count(server: &Server, path: &str) -> u64 {
    let mut answer = Vec::new();
    server.get(path).read_to_end(&mut answer).expect("a stream");
    memmem::find_iter(&answer, "event: token\n").count() as u64
}

/// The server's CPU time in nanoseconds and its write calls for one stream.
fn measure(server: &Server, path: &str) -> (u64, u64) {
    let (cpu, writes) = used(server);
    let mut socket = server.get(path);
    let mut buffer = vec![0; 1 << 20];
    while socket.read(&mut buffer).expect("a stream") > 0 {}
    let (cpu_after, writes_after) = used(server);
    (cpu_after - cpu, writes_after - writes)
}

fn used(server: &Server) -> (u64, u64) {
    let cpu = server.proc("schedstat");
    let cpu = cpu.split(' ').next().expect("nanoseconds on a CPU");
    let io = server.proc("io");
    let writes = io.lines().find_map(|line| line.strip_prefix("syscw: "));
    let number = |text: &str| text.parse().expect("a number");
    (number(cpu), number(writes.expect("write calls")))
}

fn median(mut used: Vec<(u64, u64)>) -> (u64, u64) {
    let middle = used.len() / 2;
    used.sort_by_key(|used| used.0);
    let cpu = used[middle].0;
    used.sort_by_key(|used| used.1);
    (cpu, used[middle].1)
}
