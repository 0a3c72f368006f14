//! What a topic does when its store is slow or fails.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::to_bytes;
use axum::response::IntoResponse;
use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt};
use http::StatusCode;
use sse_tower::store::{MemoryStore, StoreError};
use sse_tower::{DurableError, DurableTopic, Missed, Resume};
use tokio::time::timeout;

use crate::slow::{Seen, Slow};
use crate::{Note, assert_waits, note, numbers, open, publish, texts};

#[tokio::test(start_paused = true)]
async fn publishers_that_wait_at_the_same_time_are_committed_together() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    let publishers = (0..100).map(|_| topic.publish(note("x")));
    let cursors = join_all(publishers).await;
    let mut seqs: Vec<_> = cursors
        .into_iter()
        .map(|it| it.unwrap().unwrap().seq())
        .collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=100).collect::<Vec<_>>());
    let appends = store.habits.appends.load(Ordering::Relaxed);
    assert!(appends <= 2, "{appends} commits of 100 publishers");
    assert_eq!(texts(&mut subscription, 100).await.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_published_together_are_all_there_or_none() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    Seen::set(&store.habits.refuses, true);
    let refused = topic.publish_all(["x", "y"].map(note)).await;
    assert!(refused.is_err());
    Seen::set(&store.habits.refuses, false);
    // More than a group of publishers.
    let notes = (1..=1_000).map(|n| note(n.to_string()));
    let last = topic.publish_all(notes).await.unwrap();
    assert_eq!(last, Some(topic.head()));
    assert_eq!(topic.publish_all::<[Note; 0]>([]).await.unwrap(), None);
    assert_eq!(texts(&mut subscription, 1_000).await, numbers(1..=1_000));
    assert_eq!(store.habits.appends.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_sent_an_event_before_it_is_committed() {
    let topic = open(Slow::default()).await;
    let mut subscription = topic.live();
    let publishing = topic.publish(note("x"));
    tokio::pin!(publishing);
    let early = tokio::time::timeout(Duration::from_millis(900), &mut publishing).await;
    assert!(early.is_err(), "published before the commit");
    assert_waits(&mut subscription);
    publishing.await.unwrap();
    assert_eq!(texts(&mut subscription, 1).await, ["x"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_publisher_gives_up_is_committed_all_the_same() {
    let topic = open(Slow::default()).await;
    let mut subscription = topic.live();
    // The first gives up while it is committed, the second while it waits for that.
    for (text, patience) in [("1", 10), ("2", 100)] {
        let publishing = topic.publish(note(text));
        let gave_up = tokio::time::timeout(Duration::from_millis(patience), publishing).await;
        assert!(gave_up.is_err());
    }
    publish_after(&topic, "3").await;
    assert_eq!(texts(&mut subscription, 3).await, ["1", "2", "3"]);
}

/// More than wait in the queue, so some have not even asked.
#[tokio::test(start_paused = true)]
async fn a_crowd_of_publishers_that_gives_up_leaves_no_hole() {
    for polls in 0..4 {
        let topic = open(Slow::default()).await;
        let mut subscription = topic.live();
        let mut crowd = Box::pin(join_all(
            (0..3_000).map(|n| topic.publish(note(n.to_string()))),
        ));
        for _ in 0..polls {
            assert!((&mut crowd).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        drop(crowd);
        publish_after(&topic, "next").await;
        let all = texts(&mut subscription, topic.head().seq() as usize).await;
        let (next, crowd) = all.split_last().unwrap();
        assert_eq!(next, "next");
        assert!((polls == 0) == crowd.is_empty(), "{}", crowd.len());
        assert!(crowd.len() < 3_000, "{}", crowd.len());
        let mut once = crowd.to_vec();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), crowd.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_reaches_nobody_and_leaves_no_hole() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    Seen::set(&store.habits.fails, true);
    let failed = topic.publish(note("lost")).await;
    let Err(DurableError::Unknown(error)) = failed else {
        panic!("a store that is gone cannot tell: {failed:?}");
    };
    assert_eq!(error.source().unwrap().to_string(), "the disk is gone");
    assert_waits(&mut subscription);
    assert_eq!(topic.head().seq(), 0);

    // The store is still gone. What was not even tried is not unknown.
    let refused = topic.publish(note("lost too")).await;
    assert!(
        matches!(refused, Err(DurableError::Store(StoreError::Failed(_)))),
        "{refused:?}"
    );
    Seen::set(&store.habits.fails, false);
    publish_after(&topic, "1").await;
    assert_eq!(texts(&mut subscription, 1).await, ["1"]);
    drop(topic);
    let again = open(store).await;
    assert_eq!(texts(&mut again.from_start(), 1).await, ["1"]);
    assert_eq!(again.head().seq(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_commit_without_an_answer_is_found() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    Seen::set(&store.habits.loses_answers, true);
    // Two of one key in one commit: of these only the second is there.
    let price = |text: &str| Note::Latest("price", text.to_owned());
    let published = join_all([
        topic.publish(price("1")),
        topic.publish(price("2")),
        topic.publish(note("3")),
    ])
    .await;
    let cursors: Vec<_> = published.into_iter().map(Result::unwrap).collect();
    assert_eq!(cursors[2], Some(topic.head()));
    assert_eq!(texts(&mut subscription, 2).await, ["2", "3"]);
    let closed = topic.close(note("4")).await.unwrap();
    assert_eq!(closed, Some(topic.head()));
    assert_eq!(texts(&mut subscription, 1).await, ["4"]);
    assert!(subscription.next().await.is_none());
    let again = open(store).await;
    assert_eq!(texts(&mut again.from_start(), 3).await, ["2", "3", "4"]);
    assert!(again.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_not_made_is_told_as_that() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    Seen::set(&store.habits.refuses, true);
    let failed = topic.publish(note("lost")).await;
    assert!(
        matches!(failed, Err(DurableError::Store(StoreError::Failed(_)))),
        "{failed:?}"
    );
    Seen::set(&store.habits.refuses, false);
    publish_after(&topic, "1").await;
    assert_eq!(texts(&mut subscription, 1).await, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_second_writer_is_noticed_and_the_first_one_stops() {
    let store = MemoryStore::new();
    let (ours, theirs) = (open(store.clone()).await, open(store.clone()).await);
    let mut subscription = ours.live();
    publish(&theirs, 1).await;
    for _ in 0..2 {
        let refused = ours.publish(note("x")).await;
        let Err(DurableError::Store(StoreError::Conflict { head })) = refused else {
            panic!("a second writer got {refused:?}");
        };
        assert_eq!(head, theirs.head());
    }
    let end = subscription.next().now_or_never();
    assert!(matches!(end, Some(None)), "its clients are to come back");
    // To this process the other one's cursors are from the future.
    let cursors = publish(&theirs, 1).await;
    for resume in [Resume::Fresh, Resume::After(cursors[0])] {
        let missed = ours.subscribe(resume).unwrap_err();
        assert_eq!(missed, Missed::Stopped);
        let response = missed.into_response();
        assert_eq!(response.status(), StatusCode::OK);
        let body = to_bytes(response.into_body(), 4096).await.unwrap();
        assert!(
            body.starts_with(b"retry: "),
            "it asks to come back: {body:?}"
        );
    }
    assert!(ours.live().next().await.is_none());
    assert_eq!(
        texts(&mut open(store).await.from_start(), 2).await,
        ["1", "2"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_whose_store_fails_ends_and_comes_back() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let cursors = publish(&topic, 30).await;
    Seen::set(&store.habits.fails, true);
    let subscriptions: Vec<_> = (0..20)
        .map(|_| topic.subscribe(Resume::After(cursors[4])).unwrap())
        .collect();
    let ends = subscriptions
        .into_iter()
        .map(async |mut it| it.next().await.is_none());
    assert_eq!(join_all(ends).await, [true; 20]);
    let reads = store.habits.reads.load(Ordering::Relaxed);
    assert_eq!(
        reads, 1,
        "what one reads in vain, the others do not try again"
    );

    Seen::set(&store.habits.fails, false);
    let mut subscription = topic.subscribe(Resume::After(cursors[4])).unwrap();
    assert_eq!(texts(&mut subscription, 25).await, numbers(6..=30));
}

async fn publish_after(topic: &DurableTopic<crate::Note>, text: &str) {
    topic.publish(note(text)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_commit_of_somebody_else_is_not_taken_for_ours() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    Seen::set(&store.habits.fails, true);
    let unknown = topic.publish(note("ours")).await;
    assert!(
        matches!(unknown, Err(DurableError::Unknown(_))),
        "{unknown:?}"
    );
    let theirs = open(store.store.clone()).await;
    theirs.publish(note("theirs")).await.unwrap();
    Seen::set(&store.habits.fails, false);
    let refused = topic.publish(note("next")).await;
    assert!(
        matches!(
            refused,
            Err(DurableError::Store(StoreError::Conflict { head })) if head == theirs.head()
        ),
        "{refused:?}"
    );
    assert!(
        subscription.next().await.is_none(),
        "it was sent what is not in the store"
    );
}

#[tokio::test(start_paused = true)]
async fn a_commit_without_an_answer_is_settled_without_another_publisher() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    Seen::set(&store.habits.loses_answers, true);
    Seen::set(&store.habits.fails_to_open, true);
    let unknown = topic.publish(note("1")).await;
    assert!(
        matches!(unknown, Err(DurableError::Unknown(_))),
        "{unknown:?}"
    );
    let early = timeout(Duration::from_secs(600), subscription.next()).await;
    assert!(early.is_err(), "nobody knows yet");
    Seen::set(&store.habits.loses_answers, false);
    Seen::set(&store.habits.fails_to_open, false);
    let settled = timeout(Duration::from_secs(600), texts(&mut subscription, 1)).await;
    assert_eq!(settled.expect("the store can be asked again"), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_close_without_an_answer_is_settled_as_one() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    Seen::set(&store.habits.loses_answers, true);
    Seen::set(&store.habits.fails_to_open, true);
    assert!(topic.close(note("bye")).await.is_err());
    Seen::set(&store.habits.loses_answers, false);
    Seen::set(&store.habits.fails_to_open, false);
    let rest = timeout(Duration::from_secs(600), texts(&mut subscription, 1)).await;
    assert_eq!(rest.expect("it is settled"), ["bye"]);
    assert!(subscription.next().await.is_none());
    assert!(topic.is_closed());
    assert!(open(store).await.is_closed());
}
