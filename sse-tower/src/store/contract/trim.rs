//! What retention leaves.

use std::time::Duration;

use super::support::{
    after, append, append_texts, at, expect_removed, key, open, read_all, text, texts, trim,
};
use crate::Retention;
use crate::store::{Entry, EventStore};

/// Trimming removes the oldest, the numbers go on, and a reader from before is told exactly. A
/// store may keep more than it is asked to, and never less.
pub async fn trimming_keeps_the_newest<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    append_texts(&store, &topic, start, &["a", "b", "c", "d"]).await;
    for (kept, most) in [(4, 0), (2, 2)] {
        let trimmed = trim(&store, &topic, Retention::events(kept)).await;
        expect_removed(&store, &topic, start, trimmed, most).await;
    }
    let trimmed = open(&store, &topic).await.start;
    let left = |all: &[&str]| -> Vec<String> {
        let gone = usize::try_from(trimmed.seq() - start.seq()).expect("at most two");
        all[gone..].iter().map(|text| (*text).to_owned()).collect()
    };
    let all = ["a", "b", "c", "d", "e"];
    assert_eq!(texts(&store, &topic, trimmed).await, left(&all[..4]));
    append(&store, &topic, after(start, 5), &[text("e")]).await;
    assert_eq!(texts(&store, &topic, trimmed).await, left(&all));
}

/// Bytes count as well, but the newest entry stays whatever its size.
pub async fn trimming_counts_bytes<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    append_texts(&store, &topic, start, &["a", "b", "c"]).await;
    let two = 2 * text("a").bytes().len();
    for (bytes, most) in [(two, 1), (two - 1, 2), (1, 2)] {
        let trimmed = trim(&store, &topic, Retention::events(100).bytes(bytes)).await;
        expect_removed(&store, &topic, start, trimmed, most).await;
    }
    assert_eq!(texts(&store, &topic, after(start, 2)).await, ["c"]);
}

/// What is too old goes, the newest too, unless it is the last of a closed topic.
pub async fn trimming_looks_at_the_time<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    let entries = [10, 20, 30].map(|millis| Entry::new(&b"data: x\n\n"[..], at(millis)));
    append(&store, &topic, after(start, 1), &entries).await;
    let retention = Retention::events(100).age(Duration::from_millis(100));
    for (now, most) in [(109, 0), (110, 1), (129, 2), (130, 3)] {
        let trimmed = store.trim(&topic, retention, at(now)).await;
        expect_removed(&store, &topic, start, trimmed.expect("it trims"), most).await;
    }
    assert_eq!(open(&store, &topic).await.head, after(start, 3));
    let closed = store.close(&topic, after(start, 4), &entries).await;
    closed.expect("it closes");
    let trimmed = store.trim(&topic, retention, at(1_000)).await;
    expect_removed(&store, &topic, start, trimmed.expect("it trims"), 5).await;
    assert_eq!(read_all(&store, &topic, after(start, 5)).await.len(), 1);
}
