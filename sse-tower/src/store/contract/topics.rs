//! What becomes of topics: new, many, and opened again.

use super::support::{after, append, append_texts, key, open, read_all, text, texts, trim};
use crate::Retention;
use crate::store::{EventStore, TopicKey};

/// A topic that is opened for the first time has no entries, and an epoch that stays.
pub async fn a_new_topic_is_empty<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let opened = open(&store, &topic).await;
    assert_eq!((opened.start.seq(), opened.head.seq()), (0, 0));
    assert_eq!(opened.start.epoch(), opened.head.epoch());
    assert!(!opened.closed);
    assert_eq!(open(&store, &topic).await, opened);
    assert_eq!(read_all(&store, &topic, opened.head).await, []);
}

/// Topics share nothing, even if their keys have the same bytes in other parts.
pub async fn topics_are_apart<S: EventStore>(place: impl AsyncFn() -> S) {
    let store = place().await;
    let keys = [
        ("ab", "c").into(),
        ("a", "bc").into(),
        TopicKey::new("abc"),
        ("", "abc").into(),
    ];
    let mut starts = Vec::new();
    for (n, topic) in keys.iter().enumerate() {
        let start = open(&store, topic).await.head;
        assert_eq!(start.seq(), 0);
        append(
            &store,
            topic,
            after(start, 1),
            &[text(&n.to_string()).with_key("k")],
        )
        .await;
        starts.push(start);
    }
    let closed = store.close(&keys[0], after(starts[0], 2), &[]).await;
    closed.expect("it closes");
    for (n, (topic, start)) in keys.iter().zip(starts).enumerate() {
        assert_eq!(open(&store, topic).await.closed, n == 0);
        assert_eq!(texts(&store, topic, start).await, [n.to_string()]);
    }
}

/// What was acknowledged is there when the store is opened again, with its numbers and epoch.
pub async fn a_store_that_is_opened_again_is_the_same<S: EventStore>(place: impl AsyncFn() -> S) {
    let topic = key();
    let store = place().await;
    let start = open(&store, &topic).await.head;
    append_texts(&store, &topic, start, &["a", "b"]).await;
    append(
        &store,
        &topic,
        after(start, 3),
        &[text("k1").with_key("k"), text("c")],
    )
    .await;
    trim(&store, &topic, Retention::events(3)).await;
    let before = (
        open(&store, &topic).await,
        read_all(&store, &topic, after(start, 1)).await,
    );
    drop(store);

    let store = place().await;
    let now = (
        open(&store, &topic).await,
        read_all(&store, &topic, after(start, 1)).await,
    );
    assert_eq!(now, before);
    append(&store, &topic, after(start, 5), &[text("k2").with_key("k")]).await;
    assert_eq!(
        texts(&store, &topic, after(start, 1)).await,
        ["b", "c", "k2"]
    );
}
