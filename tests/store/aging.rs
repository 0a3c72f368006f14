//! What becomes too old goes, whether much is published or nothing.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sse_tower::store::EventStore;
use sse_tower::{Missed, Resume, Retention};
use tokio::time::sleep;

use crate::slow::Slow;
use crate::{note, numbers, open_keeping, publish, texts};

const AGE: Duration = Duration::from_secs(800);

fn keeping() -> Retention {
    Retention::events(100_000).age(AGE)
}

/// Lets time pass, for the store too.
async fn pass(store: &Slow, time: Duration) {
    store
        .habits
        .clock
        .fetch_add(time.as_secs(), Ordering::Relaxed);
    sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_goes_from_a_busy_topic() {
    let store = Slow::default();
    let topic = open_keeping(store.clone(), keeping()).await;
    // Nobody is quiet for as long as the store waits for it.
    for _ in 0..40 {
        topic.publish(note("x")).await.unwrap();
        pass(&store, AGE / 20).await;
    }
    let opened = store.open(&"notes".into()).await.unwrap();
    let kept = opened.head.seq() - opened.start.seq();
    assert!((18..=24).contains(&kept), "{kept} of 20 are kept");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_goes_from_a_quiet_topic() {
    let store = Slow::default();
    let topic = open_keeping(store.clone(), keeping()).await;
    let cursors = publish(&topic, 5).await;
    let again = topic.subscribe(Resume::After(cursors[0]));
    assert!(again.is_ok());
    pass(&store, 2 * AGE).await;
    // Neither the store nor the ring has it.
    let missed = topic.subscribe(Resume::After(cursors[0])).unwrap_err();
    assert!(
        matches!(missed, Missed::Gap(gap) if gap.resume() == cursors[4]),
        "{missed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_takes_nothing_with_it() {
    let store = Slow::default();
    store.habits.clock.store(1_000_000, Ordering::Relaxed);
    let topic = open_keeping(store.clone(), keeping()).await;
    let first = publish(&topic, 5).await[0];
    store.habits.clock.store(0, Ordering::Relaxed);
    // Enough for the store to be trimmed, and for the ring to have lost the first ones.
    let notes = |from: u64| (from..from + 5_000).map(|n| note(n.to_string()));
    topic.publish_all(notes(6)).await.unwrap();
    pass(&store, AGE / 4).await;
    let mut back = topic.subscribe(Resume::After(first)).unwrap();
    assert_eq!(texts(&mut back, 5_004).await, numbers(2..=5_005));
    // What it was wrong about goes when it is as late again, and everything else with it.
    pass(&store, Duration::from_secs(1_000_000) + 2 * AGE).await;
    let missed = topic.subscribe(Resume::After(first)).unwrap_err();
    assert!(
        matches!(missed, Missed::Gap(gap) if gap.resume() == topic.head()),
        "{missed:?}"
    );
}
