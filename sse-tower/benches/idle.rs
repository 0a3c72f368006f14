//! What 10,000 silent streams and as many idle subscribers cost a server, against axum's `Sse`
//! with keep-alive, the subscribers with tokio's `broadcast`.
//!
//! `cargo bench -p sse-tower --bench idle`. Each measurement has a process of its own, and both
//! kinds take turns; what counts is the growth of the server's resident memory, and of what it
//! has asked its allocator for, which does not wobble. hyper keeps a queue for each connection
//! from its first write on, so both are looked at twice: when they are open, and when each has
//! sent a keep-alive.

mod child;

use std::alloc::System;
use std::io::Read as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::response::sse;
use axum::routing::get;
use cap::Cap;
use child::Server;
use futures_util::{Stream, TryStreamExt as _, stream};
use sse_tower::{Event, KeepAlive, Retention, Sse, SseLayer, Topic};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

/// Client and server each need as many open files.
const CONNECTIONS: u64 = 10_000;
const ROUNDS: usize = 3;
/// Long enough to open all of them before the first is sent.
const INTERVAL: Duration = Duration::from_secs(5);

/// It counts, and refuses nothing.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

fn main() {
    let layer = SseLayer::new().keep_alive(KeepAlive::every(INTERVAL));
    let app = match child::role().as_deref() {
        Some("ours") => Router::new()
            .route("/", get(async || Sse::new(stream::pending::<Event>())))
            .layer(layer),
        Some("axum") => {
            let events = stream::pending::<Result<sse::Event, axum::Error>>;
            Router::new().route("/", get(async move || kept_alive(events())))
        }
        Some("topic") => {
            let topic = Topic::<Event>::new(Retention::events(16));
            Router::new()
                .route("/", get(async move || topic.live()))
                .layer(layer)
        }
        Some("broadcast") => {
            let (sender, _) = broadcast::channel::<sse::Event>(16);
            let events = move || BroadcastStream::new(sender.subscribe()).map_err(axum::Error::new);
            Router::new().route("/", get(async move || kept_alive(events())))
        }
        _ => {
            compare("silent streams", ["ours", "axum"]);
            compare("idle subscribers", ["topic", "broadcast"]);
            return;
        }
    };
    let asked = get(async || ALLOCATOR.allocated().to_string());
    child::serve(app.route("/asked", asked), |_| ());
}

/// axum's.
fn kept_alive<S>(events: S) -> sse::Sse<sse::KeepAliveStream<S>>
where
    S: Stream<Item = Result<sse::Event, axum::Error>> + Send + 'static,
{
    sse::Sse::new(events).keep_alive(sse::KeepAlive::new().interval(INTERVAL))
}

/// What each stream adds to a new server, in bytes.
#[derive(Default)]
struct Cost {
    opened: Vec<f64>,
    kept_alive: Vec<f64>,
    asked: Vec<f64>,
}

fn compare(what: &str, roles: [&str; 2]) {
    let mut costs = roles.map(|_| Cost::default());
    for _ in 0..ROUNDS {
        for (role, cost) in roles.iter().zip(&mut costs) {
            measure(role, cost);
        }
    }
    let median = |bytes: &mut Vec<f64>| {
        bytes.sort_by(f64::total_cmp);
        bytes[ROUNDS / 2]
    };
    println!("{CONNECTIONS} {what}");
    let [ours, theirs] = &mut costs;
    for (when, ours, theirs) in [
        ("open", &mut ours.opened, &mut theirs.opened),
        (
            "after a keep-alive",
            &mut ours.kept_alive,
            &mut theirs.kept_alive,
        ),
    ] {
        let [ours, theirs] = [median(ours), median(theirs)].map(|bytes| bytes / 1024.0);
        let ratio = ours / theirs;
        println!("  {when:18}  ours {ours:.2} KiB each, axum {theirs:.2}: ratio {ratio:.3}");
    }
    let [ours, theirs] = [median(&mut ours.asked), median(&mut theirs.asked)];
    let more = ours - theirs;
    println!("  asked for           ours {ours:.0} B each, axum {theirs:.0}: {more:.0} B more");
}

fn measure(role: &str, cost: &mut Cost) {
    let server = Server::start(role, &[]);
    // What the first requests alone cost does not count.
    drop(open(&server));
    asked(&server);
    let before = [resident(&server), asked(&server)];
    let _streams: Vec<_> = (0..CONNECTIONS).map(|_| open(&server)).collect();
    let each = |bytes, before| (bytes - before) as f64 / CONNECTIONS as f64;
    cost.opened.push(each(resident(&server), before[0]));
    thread::sleep(INTERVAL * 3 / 2);
    cost.kept_alive.push(each(resident(&server), before[0]));
    cost.asked.push(each(asked(&server), before[1]));
}

/// Opens a stream and reads the head of its answer.
fn open(server: &Server) -> TcpStream {
    let mut socket = server.get("/");
    let mut head = [0; 4096];
    assert!(socket.read(&mut head).expect("an answer") > 0);
    socket
}

/// The bytes that the server has from its allocator.
fn asked(server: &Server) -> u64 {
    let mut answer = String::new();
    let mut socket = server.get("/asked");
    socket.read_to_string(&mut answer).expect("an answer");
    let (_, bytes) = answer.split_once("\r\n\r\n").expect("a body");
    bytes.parse().expect("a number")
}

/// The bytes of memory that the server's process has.
fn resident(server: &Server) -> u64 {
    let status = server.proc("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.expect("memory").trim().trim_end_matches(" kB");
    kib.parse::<u64>().expect("a number") * 1024
}
