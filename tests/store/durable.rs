//! What a durable topic keeps across restarts, and its ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::response::IntoResponse;
use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use http::StatusCode;
use sse_tower::store::{BoxStore, EventStore, MemoryStore, RedbStore, StoreError};
use sse_tower::{
    Cursor, DurableError, DurableTopic, Event, Missed, PublishError, Resume, Retention,
};

use crate::{Note, TempPath, assert_waits, note, numbers, open, publish, texts};

/// Each store as a place that is opened twice.
async fn in_each_store<F: Future<Output = ()>>(check: impl Fn(BoxStore) -> F) {
    let path = TempPath::new();
    let memory = MemoryStore::new();
    for _ in 0..2 {
        check(BoxStore::new(memory.clone())).await;
        check(BoxStore::new(RedbStore::open(&path.0).unwrap())).await;
    }
}

#[tokio::test]
async fn after_a_restart_the_topic_goes_on() {
    in_each_store(async |store: BoxStore| {
        let topic = open(store).await;
        let before = topic.head();
        let mut subscription = topic
            .subscribe(Resume::After(before))
            .unwrap_or_else(|_| topic.live());
        publish(&topic, 20).await;
        assert_eq!(
            texts(&mut subscription, 20).await,
            numbers(before.seq() + 1..=before.seq() + 20)
        );
        let all = texts(&mut topic.from_start(), topic.head().seq() as usize).await;
        assert_eq!(all, numbers(1..=topic.head().seq()));
        topic.stop().await;
        assert!(subscription.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_client_of_the_process_before_reads_on() {
    let path = TempPath::new();
    let topic = open(RedbStore::open(&path.0).unwrap()).await;
    let seen = publish(&topic, 30).await[9];
    topic.stop().await;

    let topic = open(RedbStore::open(&path.0).unwrap()).await;
    assert_eq!(topic.head(), Cursor::new(seen.epoch(), 30));
    let mut subscription = topic.subscribe(Resume::After(seen)).unwrap();
    publish(&topic, 1).await;
    assert_eq!(texts(&mut subscription, 21).await, numbers(11..=31));
    assert_waits(&mut subscription);
}

#[tokio::test]
async fn a_closed_topic_stays_closed() {
    let store = MemoryStore::new();
    let topic = open(store.clone()).await;
    let cursors = publish(&topic, 30).await;
    let mut live = topic.live();
    let last = topic.close(note("bye")).await.unwrap().unwrap();
    assert_eq!(texts(&mut live, 1).await, ["bye"]);
    assert!(live.next().await.is_none());
    for topic in [topic, open(store).await] {
        assert!(topic.is_closed());
        let refused = topic.publish(note("late")).await;
        assert!(matches!(
            refused,
            Err(DurableError::Refused(PublishError::Closed))
        ));
        let mut late = topic.subscribe(Resume::After(cursors[4])).unwrap();
        let mut expected = numbers(6..=30);
        expected.push("bye".to_owned());
        assert_eq!(texts(&mut late, 26).await, expected);
        assert!(late.next().await.is_none());
        let mut new = topic.subscribe(Resume::Fresh).unwrap();
        assert_eq!(texts(&mut new, 1).await, ["bye"]);
        assert!(new.next().await.is_none());
        let missed = topic.subscribe(Resume::After(last)).unwrap_err();
        assert!(matches!(missed, Missed::Closed(_)));
        assert_eq!(missed.into_response().status(), StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn the_last_event_is_kept_whatever_it_says() {
    let store = MemoryStore::new();
    let topic = open(store.clone()).await;
    topic.close(Note::Never("bye".into())).await.unwrap();
    assert_eq!(texts(&mut open(store).await.from_start(), 1).await, ["bye"]);
}

#[tokio::test]
async fn live_only_events_are_sent_and_not_stored() {
    let store = MemoryStore::new();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    publish(&topic, 1).await;
    assert_eq!(
        topic.publish(Note::Never("now".into())).await.unwrap(),
        None
    );
    publish(&topic, 1).await;
    assert_eq!(texts(&mut subscription, 3).await, ["1", "now", "2"]);
    let opened = store.open(&"notes".into()).await.unwrap();
    assert_eq!((opened.head, topic.head().seq()), (topic.head(), 2));
    assert_eq!(
        texts(&mut open(store).await.from_start(), 2).await,
        ["1", "2"]
    );
}

#[tokio::test]
async fn what_a_topic_does_not_take_is_refused_before_the_store() {
    let store = MemoryStore::new();
    let topic = DurableTopic::<Event>::open(store.clone(), "events", Retention::default()).await;
    let topic = topic.unwrap();
    let own_id = topic.publish(Event::new().id(7).data("x")).await;
    assert!(matches!(
        own_id,
        Err(DurableError::Refused(PublishError::OwnId))
    ));
    let broken = topic.publish(Event::named("a\nb").data("x")).await;
    assert!(matches!(
        broken,
        Err(DurableError::Refused(PublishError::Encode(_)))
    ));
    assert_eq!(
        topic
            .publish(Event::new().comment("no event"))
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.open(&"events".into()).await.unwrap().head.seq(), 0);
}

#[tokio::test]
async fn a_file_is_open_in_one_place() {
    let path = TempPath::new();
    let store = RedbStore::open(&path.0).unwrap();
    let second = RedbStore::open(&path.0);
    assert!(matches!(second, Err(StoreError::Failed(_))));
    drop(store);
    RedbStore::open(&path.0).unwrap();
}

#[tokio::test]
async fn topics_of_one_file_are_apart() {
    let path = TempPath::new();
    let store = RedbStore::open(&path.0).unwrap();
    let open = async |room: &str| {
        let retention = Retention::events(100);
        let topic = DurableTopic::<Note>::open(store.clone(), ("room", room), retention).await;
        topic.unwrap()
    };
    let (a, b) = (open("a").await, open("b").await);
    publish(&a, 3).await;
    b.publish(note("b")).await.unwrap();
    assert_eq!((a.head().seq(), b.head().seq()), (3, 1));
    assert_eq!(texts(&mut b.from_start(), 1).await, ["b"]);
}

#[tokio::test]
async fn a_topic_that_has_stopped_lets_go_of_its_store() {
    let path = TempPath::new();
    let topic = open(RedbStore::open(&path.0).unwrap()).await;
    let cursors = publish(&topic, 30).await;
    // Whoever holds what is left of it, and reads it or not.
    let (other, mut live) = (topic.clone(), topic.live());
    let mut behind = topic.subscribe(Resume::After(cursors[4])).unwrap();
    assert_waits(&mut behind);
    topic.stop().await;
    assert!(live.next().await.is_none());
    let again = open(RedbStore::open(&path.0).unwrap()).await;
    again.publish(note("31")).await.unwrap();

    let refused = other.publish(note("late")).await;
    assert!(matches!(refused, Err(DurableError::Stopped)), "{refused:?}");
    assert_eq!(other.subscribe(Resume::Fresh).unwrap_err(), Missed::Stopped);
    // It may have read something before, but goes no further.
    while behind.next().await.is_some() {}
    other.stop().await;
}

#[tokio::test]
async fn what_was_published_before_a_stop_is_committed() {
    let store = MemoryStore::new();
    let topic = open(store.clone()).await;
    let mut live = topic.live();
    let published = join_all((0..3).map(|n| topic.publish(note(n.to_string()))));
    let (published, ()) = join(published, topic.clone().stop()).await;
    assert!(published.into_iter().all(|it| it.is_ok()));
    assert_eq!(texts(&mut live, 3).await, ["0", "1", "2"]);
    assert!(live.next().await.is_none());
    assert_eq!(open(store).await.head().seq(), 3);
}

#[test]
fn a_runtime_without_a_timer_is_noticed_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let opening = AssertUnwindSafe(|| runtime.unwrap().block_on(open(MemoryStore::new())));
    let panic = catch_unwind(opening).expect_err("there is no timer");
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("enable_time"), "{text}");
}
