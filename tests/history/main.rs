//! The promise of topics, checked on what real clients were really sent.
//!
//! Clients read a topic through a proxy that cuts, delays and stalls their connections, while
//! publishers, which go on without a pause for most of their events, are faster than all of them
//! and the log keeps little. They come back with the id
//! they have, and write down what they get. At the end that is compared with what was published:
//! in order, nothing twice, nothing missing that was not told, and told exactly.
//!
//! Once the topic is in memory, and a restart forgets it; once it is in a file, and its server is
//! killed.
//!
//! `tests/run soak` sets `SSE_SOAK`, for 1,000,000 deliveries of each. `SSE_SEED` chooses other habits
//! and cuts; when they meet is up to the scheduler.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod checker;
mod client;
mod corrupted;
mod durable;
mod proxy;
mod record;
mod server;
mod stalled;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use tokio::net::TcpSocket;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep};

use checker::{End, History, Tally, check};
use client::{Client, payload};
use durable::Durable;
use record::{Published, Record};
use server::{KEPT, Memory, Server};

const CLIENTS: usize = 200;
const PUBLISHERS: usize = 3;
/// Bursts between which a publisher rests, and those after that, between which it does not.
const WALK: u64 = 16;
const SPRINT: u64 = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everything_is_delivered_in_order_or_told_as_lost() {
    let (total, record) = run(Memory::start().await).await;
    assert!(total.epochs > 0, "nobody noticed a restart");
    assert_eq!(record.unanswered(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_killed_loses_nothing_that_it_acknowledged() {
    let (total, record) = run(Durable::start().await).await;
    assert_eq!(total.epochs, 0, "the history goes on");
    println!(
        "{} of the events were never acknowledged",
        record.unanswered()
    );
}

/// Publishes until the clients were sent enough, and checks what each was sent.
async fn run(server: impl Server) -> (Tally, Record) {
    let deliveries = match std::env::var_os("SSE_SOAK") {
        Some(_) => 1_000_000,
        None => 20_000,
    };
    let seed = std::env::var("SSE_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("SSE_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let (address, stats) = proxy::start(server.clone(), rng.fork()).await;
    // A safety net: it takes a tenth of that.
    let deadline = Instant::now() + Duration::from_millis(60_000 + deliveries);
    let delivered = Arc::new(AtomicU64::new(0));
    let clients = (0..CLIENTS).map(|_| {
        let client = Client::new(address, rng.fork(), Arc::clone(&delivered));
        client.run(deadline)
    });
    let clients: JoinSet<History> = clients.collect();
    let until = |part: u64, parts: u64| {
        let (delivered, enough) = (Arc::clone(&delivered), deliveries * part / parts);
        move || delivered.load(Ordering::Relaxed) >= enough || Instant::now() >= deadline
    };
    let publishers = (0..PUBLISHERS).map(|_| {
        let publisher = Publisher {
            server: server.clone(),
            rng: rng.fork(),
            delivered: Arc::clone(&delivered),
            sprinted: 0,
        };
        // A tenth more, for what comes twice.
        tokio::spawn(publisher.run(until(11, 10)))
    });
    let publishers: Vec<_> = publishers.collect();
    for enough in [until(1, 3), until(2, 3)] {
        while !enough() {
            sleep(Duration::from_millis(10)).await;
        }
        server.restart().await;
    }
    let published = join_all(publishers).await.into_iter().map(Result::unwrap);
    let (mut published, sprinted): (Vec<_>, Vec<_>) = published.unzip();
    published.push(vec![(Some(server.close().await), payload("{}"))]);
    let histories = clients.join_all().await;

    let record = Record::of(KEPT as u64, &server.epochs(), &published, &histories).unwrap();
    let mut total = Tally::default();
    for (client, history) in histories.iter().enumerate() {
        let tally =
            check(&record, history).unwrap_or_else(|fault| panic!("client {client}: {fault:?}"));
        total.delivered += tally.delivered;
        total.repeated += tally.repeated;
        total.gaps += tally.gaps;
        total.lost += tally.lost;
        total.epochs += tally.epochs;
        total.marks += tally.marks;
    }
    corrupted::check_finds_corruption_in(&record, &histories, &mut rng);
    println!("{} published, {total:?}, {stats:?}", record.published());
    assert!(total.delivered >= deliveries);
    // It was no easy run: everything that is to be survived has happened.
    let happened = [
        ("repeated", total.repeated),
        ("lost", total.lost),
        ("marked", total.marks),
        ("broken", ended(&histories, End::Cut)),
        ("left", ended(&histories, End::Left)),
        ("cut in a request", stats.in_request.load(Ordering::Relaxed)),
        ("cut in a head", stats.in_head.load(Ordering::Relaxed)),
        ("cut in a line", stats.in_line.load(Ordering::Relaxed)),
        (
            "cut in a chunk header",
            stats.in_chunk_header.load(Ordering::Relaxed),
        ),
        ("stalls", stats.stalls.load(Ordering::Relaxed)),
        ("delivered in a sprint", sprinted.iter().sum()),
    ];
    assert!(happened.iter().all(|(_, times)| *times > 0), "{happened:?}");
    (total, record)
}

struct Publisher<S> {
    server: S,
    rng: Rng,
    /// Events that all clients were sent, and how many of them while this one did not rest.
    delivered: Arc<AtomicU64>,
    sprinted: u64,
}

impl<S: Server> Publisher<S> {
    /// Publishes until it is enough, but at least a quarter of a sprint; one burst of eight is
    /// twice what is kept. Returns what it has published, and how much was delivered during its
    /// sprints.
    async fn run(mut self, enough: impl Fn() -> bool) -> (Vec<Published>, u64) {
        let mut published = Vec::new();
        for lap in 0.. {
            if lap > 0 && enough() {
                break;
            }
            for _ in 0..WALK {
                published.extend(self.burst().await);
                sleep(between(&mut self.rng, 1, 10)).await;
            }
            let before = self.delivered.load(Ordering::Relaxed);
            for burst in 0..SPRINT {
                if burst >= SPRINT / 4 && enough() {
                    break;
                }
                published.extend(self.burst().await);
                yield_now().await;
            }
            self.sprinted += self.delivered.load(Ordering::Relaxed) - before;
        }
        (published, self.sprinted)
    }

    async fn burst(&mut self) -> Vec<Published> {
        let count = match self.rng.u8(..8) {
            0 => 2 * KEPT,
            _ => self.rng.usize(1..=16),
        };
        let rows: Vec<_> = (0..count).map(|_| row(&mut self.rng)).collect();
        let payloads: Vec<_> = rows.iter().map(|row| payload(row)).collect();
        let cursors = match self.server.publish(rows).await {
            Some(cursors) => cursors.into_iter().map(Some).collect(),
            None => vec![None; count],
        };
        cursors.into_iter().zip(payloads).collect()
    }
}

/// A text that no other event has; some have many lines, some are long.
fn row(rng: &mut Rng) -> String {
    let mut row = format!("{:016x}", rng.u64(..));
    let (len, line) = match rng.u8(..50) {
        0 => (rng.usize(1..4000), 80),
        1..10 => (rng.usize(1..200), 20),
        _ => (rng.usize(0..100), usize::MAX),
    };
    row.extend((0..len).map(|at| if at % line == line - 1 { '\n' } else { 'x' }));
    row
}

fn ended(histories: &[History], end: End) -> u64 {
    let connections = histories.iter().flatten();
    connections.filter(|it| it.end == end).count() as u64
}

fn between(rng: &mut Rng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.u64(from..=to))
}

/// A socket whose buffers fill up soon, so that a reader that stalls is felt.
fn small_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(16 * 1024)?;
    socket.set_recv_buffer_size(16 * 1024)?;
    socket.set_nodelay(true)?;
    Ok(socket)
}
