//! Any place that a client may come back with.

use futures_util::FutureExt as _;
use proptest::prelude::*;
use sse_tower::log::GapCause;
use sse_tower::store::MemoryStore;
use sse_tower::{DurableTopic, Hub, Missed};

use super::*;

/// What a topic of which `start` and `head` bound what is kept answers to a client.
fn check(
    answer: Result<Subscription<Feed>, Missed>,
    at: Cursor,
    start: Cursor,
    head: Cursor,
) -> Result<(), TestCaseError> {
    let expected = if at.epoch() != head.epoch() {
        Some(GapCause::Epoch)
    } else if at.seq() > head.seq() {
        Some(GapCause::Future)
    } else if at.seq() < start.seq() {
        Some(GapCause::Evicted)
    } else {
        None
    };
    match (answer, expected) {
        (Ok(subscription), None) => prop_assert_eq!(subscription.cursor(), at),
        (Err(Missed::Gap(gap)), Some(cause)) => {
            prop_assert_eq!((gap.requested(), gap.cause()), (at, cause));
            prop_assert_eq!(gap.resume(), start);
        }
        (answer, expected) => {
            prop_assert!(false, "{answer:?} at {at}, where {expected:?} is due");
        }
    }
    Ok(())
}

fn place(near: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        0..=near + 2,
        Just(u64::MAX),
        Just(u64::MAX - 1),
        any::<u64>()
    ]
}

/// A number, and the epoch of the topic, of none, or of another.
fn places() -> impl Strategy<Value = Vec<(Option<u64>, u64)>> {
    let epoch = prop_oneof![4 => Just(None), 1 => place(0).prop_map(Some)];
    prop::collection::vec((epoch, place(20)), 1..20)
}

proptest! {
    #[test]
    fn of_a_topic_it_is_taken_if_it_is_kept(events in 0u32..20, kept in 1usize..8, places in places()) {
        let topic = topic(kept);
        topic.publish_all((0..events).map(Feed::Added)).unwrap();
        let head = topic.head();
        let start = Cursor::new(head.epoch(), head.seq().saturating_sub(kept as u64));
        for (epoch, seq) in places {
            let at = Cursor::new(epoch.unwrap_or(head.epoch()), seq);
            check(topic.subscribe(Resume::After(at)), at, start, head)?;
        }
    }

    #[test]
    fn of_a_durable_topic_it_is_taken_if_the_store_has_it(
        events in 0u32..20, ring in 1usize..8, kept in 1usize..20, places in places()
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let store = MemoryStore::new();
            let (kept, ring) = (Retention::events(kept), Retention::events(ring));
            let open = || DurableTopic::<Feed>::open_with_ring(store.clone(), "feed", kept, ring);
            let first = open().await.unwrap();
            first.publish_all((0..events).map(Feed::Added)).await.unwrap();
            first.stop().await;
            // Opening has trimmed it.
            let topic = open().await.unwrap();
            let head = topic.head();
            let lost = head.seq().saturating_sub(kept.max_events() as u64);
            let start = Cursor::new(head.epoch(), lost);
            for (epoch, seq) in places {
                let at = Cursor::new(epoch.unwrap_or(head.epoch()), seq);
                check(topic.subscribe(Resume::After(at)), at, start, head)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }

    #[test]
    fn of_a_hub_it_is_taken_in_its_own_topic(
        events in 0u32..20, others in 0u32..20, kept in 1usize..8, places in places()
    ) {
        let hub = Hub::<&str, Feed>::new(Retention::events(kept));
        let (topic, other) = (hub.topic(&"a"), hub.topic(&"b"));
        topic.publish_all((0..events).map(Feed::Added)).unwrap();
        other.publish_all((0..others).map(Feed::Added)).unwrap();
        let head = topic.head();
        let start = Cursor::new(head.epoch(), head.seq().saturating_sub(kept as u64));
        for (epoch, seq) in places {
            let at = Cursor::new(epoch.unwrap_or(head.epoch()), seq);
            check(hub.subscribe(&"a", Resume::After(at)), at, start, head)?;
            let at = Cursor::new(other.head().epoch(), seq);
            check(hub.subscribe(&"a", Resume::After(at)), at, start, head)?;
        }
    }
}

/// Of a hub that removes a topic as soon as nobody holds it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_use_no_cursor_twice_and_lose_nothing_that_is_held() {
    const EACH: u32 = 500;
    let hub = Hub::<&str, Feed>::new(Retention::events(100_000)).idle_after(secs(0));
    let held = hub.topic(&"held");
    let mut all = held.live();
    let publish = |n: u32| {
        let hub = hub.clone();
        tokio::task::spawn_blocking(move || {
            let mut cursors = Vec::new();
            for round in 0..EACH {
                let key = ["held", "a", "b"][(n + round) as usize % 3];
                let cursor = hub.publish(&key, Feed::Added(round)).unwrap();
                cursors.push((key, cursor.unwrap()));
            }
            cursors
        })
    };
    let threads: Vec<_> = (0..4).map(publish).collect();
    let mut used = std::collections::HashSet::new();
    let mut of_held = 0;
    for thread in threads {
        let cursors = thread.await.unwrap();
        for key in ["held", "a", "b"] {
            let own = cursors.iter().filter(|(of, _)| *of == key);
            let own: Vec<_> = own.map(|(_, cursor)| *cursor).collect();
            assert!(
                own.is_sorted_by(|before, after| before.seq() < after.seq()),
                "the numbers of {key} do not rise"
            );
            used.extend(own.iter().map(|cursor| (key, cursor.epoch(), cursor.seq())));
            of_held += if key == "held" { own.len() } else { 0 };
        }
    }
    assert_eq!(used.len(), 4 * EACH as usize, "a cursor was used twice");
    let mut seen = 0;
    while let Some(Some(block)) = futures_util::StreamExt::next(&mut all).now_or_never() {
        seen += block.unwrap().events() as usize;
    }
    assert_eq!((seen, held.head().seq()), (of_held, of_held as u64));
}
