//! How the tests speak to a store.

use std::time::{Duration, SystemTime};

use crate::log::{GapCause, ReadLimit};
use crate::store::{Entry, EventStore, Opened, Read, TopicKey};
use crate::{Cursor, Gap, Retention};

pub(super) fn key() -> TopicKey {
    TopicKey::from(("contract", "topic"))
}

pub(super) fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

pub(super) fn after(start: Cursor, count: u64) -> Cursor {
    Cursor::new(start.epoch(), start.seq() + count)
}

pub(super) fn text(text: &str) -> Entry {
    Entry::new(text.to_owned(), at(1))
}

pub(super) async fn open(store: &impl EventStore, topic: &TopicKey) -> Opened {
    store.open(topic).await.expect("it opens")
}

pub(super) async fn append(
    store: &impl EventStore,
    topic: &TopicKey,
    first: Cursor,
    entries: &[Entry],
) {
    let appended = store.append(topic, first, entries).await;
    appended.expect("it takes entries in the right place");
}

pub(super) async fn append_texts(
    store: &impl EventStore,
    topic: &TopicKey,
    head: Cursor,
    texts: &[&str],
) {
    let entries: Vec<_> = texts.iter().map(|it| text(it)).collect();
    append(store, topic, after(head, 1), &entries).await;
}

pub(super) async fn trim(
    store: &impl EventStore,
    topic: &TopicKey,
    retention: Retention,
) -> Cursor {
    store.trim(topic, retention, at(1)).await.expect("it trims")
}

pub(super) async fn read(
    store: &impl EventStore,
    topic: &TopicKey,
    after: Cursor,
    limit: ReadLimit,
) -> Vec<(Cursor, Entry)> {
    match store.read(topic, after, limit).await.expect("it reads") {
        Read::Entries(entries) => entries,
        other => panic!("no entries after {after}, but {other:?}"),
    }
}

/// Everything after a cursor, in as many reads as the store wants.
pub(super) async fn read_all(
    store: &impl EventStore,
    topic: &TopicKey,
    mut after: Cursor,
) -> Vec<(Cursor, Entry)> {
    let (mut all, head) = (Vec::new(), open(store, topic).await.head);
    while after != head {
        let page = read(store, topic, after, ReadLimit::bytes(64).events(2)).await;
        after = page.last().expect("an entry before the newest").0;
        all.extend(page);
    }
    all
}

pub(super) async fn texts(store: &impl EventStore, topic: &TopicKey, after: Cursor) -> Vec<String> {
    let all = read_all(store, topic, after).await.into_iter();
    all.map(|(_, entry)| String::from_utf8_lossy(entry.bytes()).into_owned())
        .collect()
}

/// Checks what a trim that returned `trimmed` left of a topic that began after `start`: at most
/// `most` entries are gone, and that is told.
pub(super) async fn expect_removed(
    store: &impl EventStore,
    topic: &TopicKey,
    start: Cursor,
    trimmed: Cursor,
    most: u64,
) {
    assert_eq!(open(store, topic).await.start, trimmed);
    let allowed = start.seq()..=start.seq() + most;
    assert!(
        trimmed.epoch() == start.epoch() && allowed.contains(&trimmed.seq()),
        "{trimmed} is trimmed, and at most {most} entries after {start} may go"
    );
    for gone in start.seq()..trimmed.seq() {
        let requested = Cursor::new(start.epoch(), gone);
        expect_gap(store, topic, requested, trimmed, GapCause::Evicted).await;
    }
}

pub(super) async fn expect_gap(
    store: &impl EventStore,
    topic: &TopicKey,
    requested: Cursor,
    resume: Cursor,
    cause: GapCause,
) {
    let read = store.read(topic, requested, ReadLimit::default()).await;
    let expected = Read::Gap(Gap::new(requested, resume, cause));
    assert_eq!(read.expect("it reads"), expected);
}
