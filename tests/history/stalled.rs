//! One reader in a thousand that stalls costs the publisher and the others nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use allocation_counter::measure;
use axum::body::{Body, Bytes};
use axum::response::IntoResponse as _;
use http_body::Body as _;
use sse_tower::{Json, Retention, Topic};

const READERS: usize = 1000;
const ROUNDS: usize = 200;
const PER_ROUND: usize = 10;
/// What is kept: a sixth of what is published.
const BYTES: usize = 64 * 1024;

#[test]
fn a_stalled_reader_costs_nothing_but_what_it_misses() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    // The bodies have timers; nobody waits for them.
    let _entered = runtime.enter();
    let without = run(false);
    let with = run(true);
    let grown = with.held - without.held;
    println!(
        "held: {} bytes, and {grown} for the stalled reader",
        without.held
    );
    assert!(grown <= BYTES as i64, "{grown}");
    for (round, (with, without)) in with.rounds.iter().zip(&without.rounds).enumerate() {
        assert_eq!(with, without, "round {round}");
    }
    assert_eq!(without.rounds[0].wakes, READERS as u64 - 1);
}

struct Costs {
    rounds: Vec<Round>,
    /// The bytes that are held at the end, but not at the beginning.
    held: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Round {
    publishing: u64,
    wakes: u64,
    reading: u64,
}

#[derive(Default)]
struct Wakes(AtomicU64);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Publishes to all readers but one, and to that one too if it `stalls`: it then holds what it
/// was sent first, as a server does that cannot write, and is polled no more.
fn run(stalls: bool) -> Costs {
    let topic = Topic::new(Retention::events(usize::MAX).bytes(BYTES));
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    let mut reading: Vec<Body> = (1..READERS).map(|_| body(&topic)).collect();
    let mut stalled = stalls.then(|| body(&topic));
    for body in reading.iter_mut().chain(&mut stalled) {
        assert_eq!(frame(body, &mut cx).unwrap().unwrap(), ":\n");
        assert!(frame(body, &mut cx).is_none());
    }
    let events: Vec<_> = (0..PER_ROUND).map(|n| Json(format!("{n:0200}"))).collect();
    topic.publish_all(&events).unwrap();
    let first = stalled.as_mut().map(|body| frame(body, &mut cx));
    for body in &mut reading {
        while frame(body, &mut cx).is_some() {}
    }
    let mut rounds = Vec::with_capacity(ROUNDS);
    let held = measure(|| {
        for _ in 0..ROUNDS {
            let (before, head) = (wakes.0.load(Ordering::Relaxed), topic.head());
            let publishing = measure(|| assert!(topic.publish_all(&events).is_ok()));
            let wakes = wakes.0.load(Ordering::Relaxed) - before;
            let mut expected = String::new();
            allocation_counter::opt_out(|| {
                for (seq, Json(text)) in (head.seq() + 1..).zip(&events) {
                    expected += &format!("id: {}.{seq}\ndata: \"{text}\"\n\n", head.epoch());
                }
            });
            let reading = measure(|| {
                for body in &mut reading {
                    let mut rest = expected.as_bytes();
                    while let Some(frame) = frame(body, &mut cx) {
                        rest = rest
                            .strip_prefix(&*frame.unwrap())
                            .expect("what comes next");
                    }
                    assert!(rest.is_empty(), "all of it");
                }
            });
            allocation_counter::opt_out(|| drop(expected));
            rounds.push(Round {
                publishing: publishing.count_total,
                wakes,
                reading: reading.count_total,
            });
        }
    });
    if let Some(mut stalled) = stalled {
        // A body that fails gives the server a turn before it says so.
        assert!(frame(&mut stalled, &mut cx).is_none());
        let error = frame(&mut stalled, &mut cx).unwrap();
        assert!(error.is_err(), "it fell behind");
    }
    drop(first);
    Costs {
        rounds,
        held: held.bytes_current,
    }
}

fn body(topic: &Topic<Json<String>>) -> Body {
    topic.live().into_response().into_body()
}

/// The next frame, if there is one now.
fn frame(body: &mut Body, cx: &mut Context<'_>) -> Option<Result<Bytes, axum::Error>> {
    match Pin::new(body).poll_frame(cx) {
        Poll::Ready(frame) => {
            let frame = frame.expect("the stream goes on");
            Some(frame.map(|frame| frame.into_data().unwrap()))
        }
        Poll::Pending => None,
    }
}
