//! One timer for all silent streams of a runtime, whatever happens to the runtime.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake};

use futures_util::{FutureExt as _, future, stream};
use sse_tower::KeepAlive;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{self, Instant};
use tokio_stream::wrappers::ReceiverStream;

use super::*;

/// A stream that is never more than kept alive.
fn silent(interval: Duration) -> Reader {
    let events = stream::pending::<Event>();
    Reader::of(Sse::new(events).keep_alive(KeepAlive::every(interval)))
}

fn fed(interval: Duration) -> (mpsc::Sender<Event>, Reader) {
    let (sender, events) = mpsc::channel(1);
    let sse = Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::every(interval));
    (sender, Reader::of(sse))
}

fn opens(reader: &mut Reader) {
    assert_eq!(reader.frame().now_or_never().expect("the opening"), ":\n");
}

fn waits(reader: &mut Reader) {
    assert!(reader.next().now_or_never().is_none());
}

async fn is_kept_alive(reader: &mut Reader) {
    let frame = time::timeout(secs(100), reader.frame()).await;
    assert_eq!(frame.expect("a keep-alive"), ":\n");
}

fn paused() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn silent_streams_share_one_timer() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let mut readers: Vec<_> = (0..100).map(|_| silent(secs(10))).collect();
    readers.iter_mut().for_each(opens);
    for _ in 0..3 {
        future::join_all(readers.iter_mut().map(is_kept_alive)).await;
    }
    assert_eq!(tasks(), 1, "for all of them");

    let mut daily = silent(secs(86_400));
    opens(&mut daily);
    waits(&mut daily);
    drop((readers, daily));
    time::sleep(secs(62)).await;
    assert_eq!(tasks(), 0, "nobody waits");
    let mut late = silent(secs(10));
    opens(&mut late);
    is_kept_alive(&mut late).await;
}

#[tokio::test(start_paused = true)]
async fn every_interval_is_kept_also_after_an_event() {
    let millis = Duration::from_millis;
    for interval in [millis(50), secs(15), secs(600), secs(86_400)] {
        let (sender, mut reader) = fed(interval);
        opens(&mut reader);
        for active in [false, true, false] {
            if active {
                let early = time::timeout(interval / 3, reader.next()).await;
                assert!(early.is_err(), "too early");
                sender.send(Event::new().data("x")).await.unwrap();
                assert_eq!(reader.frame().await, "data: x\n\n");
            }
            let start = Instant::now();
            assert_eq!(reader.frame().await, ":\n");
            let share = start.elapsed().as_secs_f64() / interval.as_secs_f64();
            assert!((0.89..1.11).contains(&share), "{share} of {interval:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_longer_holds_up_nobody() {
    let (mut slow, mut fast) = (silent(secs(50)), silent(secs(1)));
    opens(&mut slow);
    waits(&mut slow);
    time::sleep(Duration::from_millis(1)).await;
    opens(&mut fast);
    let start = Instant::now();
    is_kept_alive(&mut fast).await;
    assert!(start.elapsed() < secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_is_woken_alone() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("for the test");
        }
    }
    let (mut bad, mut good) = (silent(secs(10)), silent(secs(10)));
    opens(&mut bad);
    let waker = Arc::new(Panics).into();
    let mut cx = Context::from_waker(&waker);
    assert!(pin!(bad.next()).poll(&mut cx).is_pending());
    opens(&mut good);
    for _ in 0..3 {
        is_kept_alive(&mut good).await;
    }
}

#[test]
fn a_stream_outlives_the_runtime_that_kept_it_alive() {
    let mut reader = silent(secs(10));
    opens(&mut reader);
    let first = paused();
    first.block_on(is_kept_alive(&mut reader));
    drop(first);
    paused().block_on(is_kept_alive(&mut reader));
}

#[test]
fn without_a_runtime_a_stream_is_only_not_kept_alive() {
    let mut reader = silent(secs(10));
    opens(&mut reader);
    waits(&mut reader);
    paused().block_on(is_kept_alive(&mut reader));
}

#[test]
fn a_runtime_without_timers_keeps_nothing_alive_and_goes_on() {
    let (sender, mut reader) = fed(secs(10));
    opens(&mut reader);
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..3 {
            waits(&mut reader);
            yield_now().await;
        }
        sender.send(Event::new().data("x")).await.unwrap();
        assert_eq!(reader.frame().await, "data: x\n\n");
    });
    paused().block_on(is_kept_alive(&mut reader));
}

#[test]
fn in_a_runtime_that_has_ended_a_stream_only_waits() {
    #[derive(Default)]
    struct Wakes(AtomicUsize);
    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let ended = paused().handle().clone();
    let _entered = ended.enter();
    let mut reader = silent(secs(10));
    opens(&mut reader);
    let wakes = Arc::<Wakes>::default();
    let waker = Arc::clone(&wakes).into();
    for _ in 0..100 {
        let mut cx = Context::from_waker(&waker);
        assert!(pin!(reader.next()).poll(&mut cx).is_pending());
    }
    let times = wakes.0.load(Ordering::Relaxed);
    // Once, and once more when another runtime, such as that of another test, gets a clock.
    assert!(times < 50, "woken {times} times for nothing");
}
