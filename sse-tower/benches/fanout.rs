//! One event to many subscribers, by a [`Topic`], against axum's `Sse` with tokio's `broadcast`.
//!
//! `cargo bench -p sse-tower --bench fanout`. Each server is a process on one core, and the
//! subscribers are another on the other core; `taskset` puts them there. They take turns, and
//! what counts is the ratio of the medians. On a machine that does other things too, the
//! deliveries per second of the server's CPU time are the steadier figure.
//!
//! `cargo bench -p sse-tower --bench fanout -- callgrind` counts the instructions of a delivery
//! in user space instead, which do not wobble; `valgrind` must be there.

mod child;
mod crowd;

use std::convert::Infallible;
use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::process::{self, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::sse;
use axum::routing::{get, post};
use child::Server;
use crowd::Crowd;
use futures_util::StreamExt as _;
use serde::Serialize;
use sse_tower::{Retention, SseEvent, SseLayer, Topic};
use tokio::sync::broadcast;
use tokio::task::LocalSet;
use tokio_stream::wrappers::BroadcastStream;

/// Whose events are encoded for each subscriber, as is usual, or once and then cloned.
const ROLES: [&str; 3] = ["ours", "axum", "axum, encoded once"];
const ROUNDS: usize = 7;
/// What both keep for those who are behind.
const KEPT: usize = 1024;
/// With an end that [`crowd::MARK`] counts.
const TEXT: &str = "Hello, you!";

fn main() {
    match child::role().as_deref() {
        Some("ours") => child::serve(ours(), no_delay),
        Some("axum") => child::serve(axums(|id| id, encode), no_delay),
        Some("axum, encoded once") => child::serve(axums(encode, |event| event), no_delay),
        _ => {
            stay_on_core("1");
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            LocalSet::new().block_on(&runtime, async {
                if env::args().any(|arg| arg == "callgrind") {
                    count_instructions().await;
                } else {
                    compare().await;
                }
            });
        }
    }
}

fn no_delay(socket: &mut tokio::net::TcpStream) {
    socket.set_nodelay(true).expect("a socket");
}

/// With everything that the layer gives.
fn ours() -> Router {
    let topic = Topic::new(Retention::events(KEPT));
    let publish = async |Path(events): Path<u64>, State(topic): State<Topic<Ours>>| {
        for _ in 0..events {
            let event = Ours::Token {
                index: 0,
                text: TEXT,
            };
            topic.publish(event).expect("valid");
        }
    };
    Router::new()
        .route(
            "/events",
            get(async |State(topic): State<Topic<Ours>>| topic.live()),
        )
        .layer(SseLayer::new())
        .route("/publish/{events}", post(publish))
        .route("/exit", get(exit))
        .with_state(topic)
}

#[derive(SseEvent)]
enum Ours {
    Token { index: u32, text: &'static str },
}

/// What is sent through the channel is cloned for each subscriber, who makes an event of it.
fn axums<T: Clone + Send + 'static>(make: fn(u64) -> T, event: fn(T) -> sse::Event) -> Router {
    let (sender, _) = broadcast::channel(KEPT);
    let id = AtomicU64::new(1);
    let (publisher, id) = (sender.clone(), Arc::new(id));
    let publish = async move |Path(events): Path<u64>| {
        for _ in 0..events {
            let id = id.fetch_add(1, Ordering::Relaxed);
            assert!(publisher.send(make(id)).is_ok(), "subscribers");
        }
    };
    let subscribe = async move || {
        let values = BroadcastStream::new(sender.subscribe());
        let value = |value: Result<T, _>| value.expect("keeps up");
        sse::Sse::new(values.map(move |v| Ok::<_, Infallible>(event(value(v)))))
    };
    Router::new()
        .route("/events", get(subscribe))
        .route("/publish/{events}", post(publish))
        .route("/exit", get(exit))
}

fn encode(id: u64) -> sse::Event {
    let event = sse::Event::default().event("token").id(id.to_string());
    let token = Token {
        index: 0,
        text: TEXT,
    };
    event.json_data(token).expect("JSON")
}

#[derive(Serialize)]
struct Token {
    index: u32,
    text: &'static str,
}

async fn exit() {
    process::exit(0);
}

async fn compare() {
    for (subscribers, burst, times, target) in [
        (1_000, 1, 100, "at least 1.15"),
        (10_000, 1, 10, "at least 1.10"),
        (1_000, 4, 40, "at least 1.25"),
        (100, 16, 200, "at least 1.6"),
    ] {
        if !is_wanted(subscribers, burst) {
            continue;
        }
        println!("{subscribers} subscribers, {burst} events at a time: deliveries per second");
        let figures = in_turns(async |server| {
            let mut crowd = Crowd::gather(server, subscribers).await;
            let (start, before) = (Instant::now(), cpu(server));
            for _ in 0..times {
                crowd.publish(burst).await;
            }
            let deliveries = (subscribers * burst * times) as f64 / 1e3;
            let cpu = cpu(server) - before;
            [
                deliveries / cpu.as_secs_f64(),
                deliveries / start.elapsed().as_secs_f64(),
            ]
        })
        .await;
        print(
            "thousands per second of CPU",
            target,
            figures.map(|it| it[0]),
        );
        print("thousands per second", target, figures.map(|it| it[1]));
    }
    if is_wanted(1_000, 50) {
        println!("1000 subscribers, 50 events per second");
        let figures = in_turns(async |server| {
            let mut crowd = Crowd::gather(server, 1_000).await;
            let before = cpu(server);
            let delays = crowd.pace(Duration::from_millis(20), 100).await;
            let cpu = cpu(server) - before;
            [
                cpu,
                delays[delays.len() / 2],
                delays[delays.len() * 99 / 100],
            ]
            .map(|time| time.as_secs_f64() * 1e3)
        })
        .await;
        print(
            "CPU, ms per 100 events",
            "at most 0.85",
            figures.map(|it| it[0]),
        );
        print("median of the delay, ms", "none", figures.map(|it| it[1]));
        print(
            "p99 of the delay, ms",
            "at most 0.90",
            figures.map(|it| it[2]),
        );
    }
}

fn print(what: &str, target: &str, [ours, axum, once]: [f64; 3]) {
    println!(
        "  {what:27}  ours {ours:7.1}, axum {axum:7.1}: ratio {:.3}, target {target}; encoded once {once:7.1}: {:.3}",
        ours / axum,
        ours / once
    );
}

/// `-- 1000x1` runs one measurement.
fn is_wanted(subscribers: u64, burst: u64) -> bool {
    let mut named = env::args()
        .filter(|arg| arg.contains('x') && !arg.contains('/'))
        .peekable();
    named.peek().is_none() || named.any(|arg| arg == format!("{subscribers}x{burst}"))
}

/// Measures all servers in turns, each time a new process; returns the medians.
async fn in_turns<const N: usize>(measure: impl AsyncFn(&Server) -> [f64; N]) -> [[f64; N]; 3] {
    let mut measured = ROLES.map(|_| [(); N].map(|()| Vec::new()));
    for _ in 0..ROUNDS {
        for (role, measured) in ROLES.iter().zip(&mut measured) {
            let server = Server::start(role, &["taskset", "-c", "0"]);
            for (all, one) in measured.iter_mut().zip(measure(&server).await) {
                all.push(one);
            }
        }
    }
    measured.map(|figures| {
        figures.map(|mut all| {
            all.sort_by(f64::total_cmp);
            all[ROUNDS / 2]
        })
    })
}

/// What the server's only thread has used of its core.
fn cpu(server: &Server) -> Duration {
    let spent = server.proc("schedstat");
    let spent = spent.split(' ').next().expect("nanoseconds on a CPU");
    Duration::from_nanos(spent.parse().expect("a number"))
}

async fn count_instructions() {
    for (subscribers, burst, target) in [(1_000, 1, 0.45), (100, 16, 0.15)] {
        println!("{subscribers} subscribers, {burst} events at a time");
        let mut each = ROLES.map(|_| 0.0);
        for (role, each) in ROLES.iter().zip(&mut each) {
            // Two lengths: what a process costs otherwise is in both.
            let short = instructions(role, subscribers, burst, 5).await;
            let long = instructions(role, subscribers, burst, 55).await;
            let deliveries = (50 * subscribers * burst) as f64;
            *each = (long - short) as f64 / deliveries;
        }
        let target = format!("at most {target}");
        print("instructions per delivery", &target, each);
    }
}

/// The instructions of a server from its start to its end.
async fn instructions(role: &str, subscribers: u64, burst: u64, times: u64) -> u64 {
    let file = env::temp_dir().join(format!(
        "fanout-{}-{subscribers}-{}",
        role.replace(", ", "-").replace(' ', "-"),
        process::id()
    ));
    let out = format!("--callgrind-out-file={}", file.display());
    let server = Server::start(role, &["valgrind", "--quiet", "--tool=callgrind", &out]);
    let mut crowd = Crowd::gather(&server, subscribers).await;
    for _ in 0..times {
        crowd.publish(burst).await;
    }
    drop(crowd);
    // No answer, but the end of the connection when the process is over.
    let _: io::Result<usize> = server.get("/exit").read_to_end(&mut Vec::new());
    let profile = fs::read_to_string(&file).expect("what callgrind counted");
    if env::var_os("FANOUT_KEEP_PROFILES").is_none() {
        fs::remove_file(file).expect("it is ours");
    }
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "));
    total.expect("a total").parse().expect("a number")
}

/// Leaves the other core to the server.
fn stay_on_core(core: &str) {
    let pid = process::id().to_string();
    let set = Command::new("taskset")
        .args(["-a", "-p", "-c", core, &pid])
        .output();
    assert!(
        set.is_ok_and(|set| set.status.success()),
        "taskset of util-linux"
    );
}
