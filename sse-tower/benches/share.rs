//! What one more subscriber costs a published event, against a clone of axum's `Event` with
//! its encoding.
//!
//! `cargo bench -p sse-tower --bench share`. Both run in turns in one process; what counts is
//! the ratio of the medians, and the number of allocations, which does not wobble. A bare clone of
//! what a subscriber is given is measured besides: nothing can cost less.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse as _, sse};
use futures_util::{FutureExt as _, Stream as _, stream};
use http_body_util::BodyExt as _;
use sse_tower::{Block, Retention, SseEvent, Subscription, Topic};

const SUBSCRIBERS: usize = 1_000;
const ROUNDS: usize = 101;

#[derive(SseEvent)]
enum Ours {
    #[sse(data = "text")]
    Token(&'static str),
}

fn main() {
    for len in [16, 1 << 10, 64 << 10] {
        compare("x".repeat(len).leak());
    }
}

fn compare(text: &'static str) {
    let topic = Topic::new(Retention::events(16));
    let mut subscribers: Vec<_> = (0..SUBSCRIBERS).map(|_| topic.live()).collect();
    let [mut ours, mut clones, mut axums] = [const { Vec::new() }; 3];
    let mut allocations = [0; 2];
    for _ in 0..ROUNDS {
        for subscriber in &mut subscribers {
            assert!(poll(subscriber).is_none(), "it waits");
        }
        topic.publish(Ours::Token(text)).expect("valid");
        // The first one makes what the others share.
        let block = poll(&mut subscribers[0]).expect("an event");
        let others = &mut subscribers[1..];
        allocations[0] = count(|| {
            ours.push(time(|| {
                let mut given = others.iter_mut().map(poll);
                assert!(given.all(|block| black_box(block).is_some()));
            }));
        });

        clones.push(time(|| {
            for _ in 1..SUBSCRIBERS {
                drop(black_box(block.clone()));
            }
        }));

        let event = sse::Event::default().event("token").id("1").data(text);
        let events = std::iter::repeat_n(event, SUBSCRIBERS - 1).map(Ok::<_, Infallible>);
        let mut body = sse::Sse::new(stream::iter(events))
            .into_response()
            .into_body();
        allocations[1] = count(|| axums.push(time(|| read(&mut body))));
    }
    let [ours, clone, axum] = [ours, clones, axums].map(|mut times| {
        times.sort();
        times[ROUNDS / 2].as_secs_f64() * 1e9 / (SUBSCRIBERS - 1) as f64
    });
    println!(
        "{:6} B  ours {ours:6.1} ns, {} allocations, a clone {clone:.1} ns; axum {axum:7.1} ns, {}: ratio {:.3}, target at most 0.2",
        text.len(),
        allocations[0] as f64 / (SUBSCRIBERS - 1) as f64,
        allocations[1] / (SUBSCRIBERS as u64 - 1),
        ours / axum
    );
}

/// The next event, if there is one.
fn poll(subscriber: &mut Subscription<Ours>) -> Option<Block> {
    let mut cx = Context::from_waker(Waker::noop());
    match Pin::new(subscriber).poll_next(&mut cx) {
        Poll::Ready(Some(block)) => Some(block.expect("it keeps up")),
        Poll::Ready(None) => panic!("the topic is open"),
        Poll::Pending => None,
    }
}

fn read(body: &mut Body) {
    while let Some(frame) = body.frame().now_or_never().expect("always ready") {
        drop(black_box(frame));
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn count(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}
