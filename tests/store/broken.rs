//! A store that counts, waits and fails when it is told to, and what a topic then does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt};
use sse_tower::log::ReadLimit;
use sse_tower::store::{Entry, EventStore, MemoryStore, Opened, Read, StoreError, TopicKey};
use sse_tower::{Cursor, DurableError, DurableTopic, Resume, Retention};

use crate::{assert_waits, note, numbers, open, publish, texts};

/// A memory store whose operations take a second of the test's clock, and may fail.
#[derive(Clone, Default)]
pub(crate) struct Slow {
    store: MemoryStore,
    pub(crate) seen: Arc<Seen>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) appends: AtomicUsize,
    pub(crate) reads: AtomicUsize,
    pub(crate) fails: AtomicBool,
    /// Appends are done, and reported as failed.
    pub(crate) loses_answers: AtomicBool,
}

impl Slow {
    async fn wait(&self, count: Option<&AtomicUsize>) -> Result<(), StoreError> {
        if let Some(count) = count {
            count.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        if self.seen.fails.load(Ordering::Relaxed) {
            return Err(StoreError::failed("the disk is gone"));
        }
        Ok(())
    }
}

impl EventStore for Slow {
    async fn open(&self, topic: &TopicKey) -> Result<Opened, StoreError> {
        self.wait(None).await?;
        self.store.open(topic).await
    }

    async fn append(
        &self,
        topic: &TopicKey,
        first: Cursor,
        entries: &[Entry],
    ) -> Result<(), StoreError> {
        self.wait(Some(&self.seen.appends)).await?;
        self.store.append(topic, first, entries).await?;
        if self.seen.loses_answers.load(Ordering::Relaxed) {
            return Err(StoreError::failed("the connection is gone"));
        }
        Ok(())
    }

    async fn read(
        &self,
        topic: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Result<Read, StoreError> {
        self.wait(Some(&self.seen.reads)).await?;
        self.store.read(topic, after, limit).await
    }

    async fn close(&self, topic: &TopicKey, last: Cursor) -> Result<(), StoreError> {
        self.wait(None).await?;
        self.store.close(topic, last).await
    }

    async fn trim(
        &self,
        topic: &TopicKey,
        retention: Retention,
        now: SystemTime,
    ) -> Result<Cursor, StoreError> {
        self.store.trim(topic, retention, now).await
    }
}

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
    let appends = store.seen.appends.load(Ordering::Relaxed);
    assert!(appends <= 2, "{appends} commits of 100 publishers");
    assert_eq!(texts(&mut subscription, 100).await.len(), 100);
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

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_reaches_nobody_and_leaves_no_hole() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    store.seen.fails.store(true, Ordering::Relaxed);
    let failed = topic.publish(note("lost")).await;
    assert!(
        matches!(failed, Err(DurableError::Store(StoreError::Failed(_)))),
        "{failed:?}"
    );
    let cause = std::error::Error::source(failed.as_ref().unwrap_err())
        .unwrap()
        .source()
        .unwrap();
    assert_eq!(cause.to_string(), "the disk is gone");
    assert_waits(&mut subscription);
    assert_eq!(topic.head().seq(), 0);

    // The store is still gone, so nothing is known, and nothing is published.
    assert!(topic.publish(note("lost too")).await.is_err());
    store.seen.fails.store(false, Ordering::Relaxed);
    publish_after(&topic, "1").await;
    assert_eq!(texts(&mut subscription, 1).await, ["1"]);
    drop(topic);
    let again = open(store).await;
    assert_eq!(texts(&mut again.from_start(), 1).await, ["1"]);
    assert_eq!(again.head().seq(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_committed_without_an_answer_is_shown_once() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let mut subscription = topic.live();
    store.seen.loses_answers.store(true, Ordering::Relaxed);
    assert!(topic.publish(note("1")).await.is_err());
    store.seen.loses_answers.store(false, Ordering::Relaxed);
    // Before anybody publishes again.
    assert_eq!(texts(&mut subscription, 1).await, ["1"]);
    publish_after(&topic, "2").await;
    assert_eq!(texts(&mut subscription, 1).await, ["2"]);
    assert_eq!(
        texts(&mut open(store).await.from_start(), 2).await,
        ["1", "2"]
    );
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
    publish(&theirs, 1).await;
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
    store.seen.fails.store(true, Ordering::Relaxed);
    let subscriptions: Vec<_> = (0..20)
        .map(|_| topic.subscribe(Resume::After(cursors[4])).unwrap())
        .collect();
    let ends = subscriptions
        .into_iter()
        .map(async |mut it| it.next().await.is_none());
    assert_eq!(join_all(ends).await, [true; 20]);
    let reads = store.seen.reads.load(Ordering::Relaxed);
    assert_eq!(
        reads, 1,
        "what one reads in vain, the others do not try again"
    );

    store.seen.fails.store(false, Ordering::Relaxed);
    let mut subscription = topic.subscribe(Resume::After(cursors[4])).unwrap();
    assert_eq!(texts(&mut subscription, 25).await, numbers(6..=30));
}

async fn publish_after(topic: &DurableTopic<crate::Note>, text: &str) {
    topic.publish(note(text)).await.unwrap();
}
