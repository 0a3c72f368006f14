//! At most one update in 100 ms, the newest; the end at once.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use futures_util::StreamExt as _;
use sse_tower::progress;
use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn the_first_is_told_at_once_and_then_the_newest_every_100_ms() {
    let (reporter, mut stream) = progress::<()>(100);
    assert_eq!(position(now(&mut stream)), 0);
    for _ in 0..7 {
        reporter.inc(1);
        nothing(&mut stream);
    }
    pass(99).await;
    nothing(&mut stream);
    reporter.inc(1);
    pass(1).await;
    assert_eq!(
        position(now(&mut stream)),
        8,
        "the newest, and not the first"
    );
    nothing(&mut stream);
    pass(100).await;
    nothing(&mut stream);
}

#[tokio::test(start_paused = true)]
async fn after_a_silence_the_next_change_is_told_at_once() {
    let (reporter, mut stream) = progress::<()>(100);
    now(&mut stream);
    pass(5000).await;
    nothing(&mut stream);
    reporter.inc(1);
    assert_eq!(position(now(&mut stream)), 1);
    reporter.inc(1);
    pass(99).await;
    nothing(&mut stream);
}

#[tokio::test(start_paused = true)]
async fn updates_are_100_ms_apart_however_fast_the_job_is() {
    let (reporter, stream) = progress::<()>(10_000);
    let job = tokio::spawn(async move {
        for _ in 0..995 {
            reporter.inc(10);
            time::sleep(Duration::from_millis(1)).await;
        }
        reporter.finish(());
    });
    let told: Vec<_> = stream.map(|event| (Instant::now(), event)).collect().await;
    job.await.unwrap();
    let (end, updates) = told.split_last().unwrap();
    assert!(matches!(end.1, Progress::Done { .. }));
    assert_eq!(updates.len(), 10);
    for pair in updates.windows(2) {
        assert!(pair[1].0 - pair[0].0 >= Duration::from_millis(100));
    }
    for (_, event) in updates {
        assert!(matches!(event, Progress::Update { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_nothing() {
    let (reporter, mut stream) = progress::<u8>(100);
    now(&mut stream);
    reporter.inc(1);
    nothing(&mut stream);
    let end = tokio::spawn(async move {
        let end = stream.next().await.unwrap();
        (Instant::now(), end, stream.next().await)
    });
    pass(10).await;
    let finished = Instant::now();
    reporter.finish(7);
    let (at, end, after) = end.await.unwrap();
    assert!(matches!(end, Progress::Done { result: 7, .. }));
    assert_eq!(at, finished);
    assert!(after.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_message_or_a_length_is_a_change_and_the_same_again_is_none() {
    let (reporter, mut stream) = progress::<()>(None);
    now(&mut stream);
    let mut changed = async |what: &str, is_change: bool| {
        pass(100).await;
        let next = stream.next().now_or_never();
        assert_eq!(next.is_some(), is_change, "{what}");
    };
    reporter.set_message("linking");
    changed("a message", true).await;
    reporter.set_message("linking".to_owned());
    changed("the same message", false).await;
    reporter.set_length(7);
    changed("a length", true).await;
    reporter.set_length(7);
    changed("the same length", false).await;
    reporter.inc_length(1);
    changed("more to do", true).await;
    reporter.unset_length();
    changed("no length", true).await;
    reporter.inc_length(1);
    changed("more of unknown", false).await;
    reporter.set_position(0);
    changed("the same position", false).await;
    reporter.set_position(3);
    changed("a position", true).await;
}

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_steps_wake_a_client_once() {
    let (reporter, mut stream) = progress::<()>(1000);
    now(&mut stream);
    pass(100).await;
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&wakes));
    let mut next = pin!(stream.next());
    assert!(
        next.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    for _ in 0..1000 {
        reporter.inc(1);
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    // It is told of that, and waits for the next 100 ms, in which nothing but the end counts.
    assert!(
        next.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
    );
    let mut next = Box::pin(stream.next());
    assert!(
        next.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    for _ in 0..1000 {
        reporter.inc(1);
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    reporter.finish(());
    assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
}

/// Polls as an executor does that was woken by anything; whether there was an event.
fn poll(stream: &mut ProgressStream<()>, wakes: &Arc<Wakes>) -> bool {
    let waker = Waker::from(Arc::clone(wakes));
    let next = pin!(stream.next());
    next.poll(&mut Context::from_waker(&waker)).is_ready()
}

#[tokio::test(start_paused = true)]
async fn what_nobody_sees_wakes_a_client_once_in_100_ms() {
    let (reporter, mut stream) = progress::<()>(None);
    let task = reporter.task("a", 3);
    let over = task.clone();
    task.finish();
    now(&mut stream);
    now(&mut stream);
    pass(100).await;
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    assert!(!poll(&mut stream, &wakes));
    for _ in 0..1000 {
        over.inc(1);
        assert!(!poll(&mut stream, &wakes), "its bar is full");
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    reporter.inc(1);
    pass(100).await;
    assert!(poll(&mut stream, &wakes), "what is seen is not lost");
}

#[tokio::test(start_paused = true)]
async fn what_is_as_it_was_wakes_nobody() {
    let (reporter, mut stream) = progress::<()>(None);
    reporter.set_position(3);
    reporter.set_message("linking");
    let over = reporter.task("over", 1);
    over.clone().finish();
    now(&mut stream);
    now(&mut stream);
    pass(100).await;
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    assert!(!poll(&mut stream, &wakes));
    reporter.inc(0);
    reporter.set_position(3);
    reporter.unset_length();
    reporter.inc_length(7);
    reporter.set_message("linking");
    over.set_message("late");
    over.fail("late");
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    reporter.set_length(7);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(poll(&mut stream, &wakes));
}

/// A thread that is faster than a look does not hold the one who looks: a poll returns.
#[tokio::test(start_paused = true)]
async fn a_poll_returns_however_fast_the_job_is() {
    let (reporter, mut stream) = progress::<()>(None);
    let over = reporter.task("a", 3);
    over.clone().finish();
    now(&mut stream);
    now(&mut stream);
    pass(100).await;
    let stop = Arc::new(AtomicBool::new(false));
    let job = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            while !stop.load(Ordering::Relaxed) {
                over.inc(1);
            }
        }
    });
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    for _ in 0..1000 {
        assert!(!poll(&mut stream, &wakes));
    }
    stop.store(true, Ordering::Relaxed);
    job.join().unwrap();
    assert!(wakes.0.load(Ordering::Relaxed) <= 1);
}

#[tokio::test(start_paused = true)]
async fn two_clients_have_a_pace_of_their_own() {
    let (reporter, mut one) = progress::<()>(100);
    now(&mut one);
    pass(50).await;
    let mut two = one.clone();
    reporter.inc(1);
    assert_eq!(position(now(&mut two)), 1);
    nothing(&mut one);
    pass(50).await;
    assert_eq!(position(now(&mut one)), 1);
    reporter.inc(1);
    nothing(&mut two);
    pass(50).await;
    assert_eq!(position(now(&mut two)), 2);
    nothing(&mut one);
}

/// Where a client is about to wait while a thread is about to report, either sees the other.
#[tokio::test(start_paused = true)]
async fn nothing_is_lost_between_threads() {
    const STEPS: u64 = 20_000;
    let (reporter, mut stream) = progress::<()>(STEPS);
    let (ack, acks) = std::sync::mpsc::channel();
    let job = std::thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..STEPS {
            reporter.inc(1);
            // Nothing moves before it is seen; if it never is, the job panics and has failed.
            let limit = Duration::from_secs(60);
            acks.recv_timeout(limit).expect("in time");
            (0..random.u32(..4000)).for_each(|_| std::hint::spin_loop());
        }
        reporter.finish(());
    });
    let mut seen = 0;
    while let Some(event) = stream.next().await {
        match event {
            Progress::Update { position, .. } => {
                (seen..position).for_each(|_| ack.send(()).unwrap());
                seen = position;
            }
            event => assert!(matches!(event, Progress::Done { .. }), "{event:?}"),
        }
    }
    assert_eq!(seen, STEPS);
    job.join().unwrap();
}
