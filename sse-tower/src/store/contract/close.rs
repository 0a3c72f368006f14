//! The end of a topic.

use super::support::{after, append_texts, key, open, text, texts};
use crate::log::ReadLimit;
use crate::store::{EventStore, Read, StoreError};

/// Closing takes the last entries with it, is refused behind somebody's back, and lasts.
pub async fn a_closed_topic_stays_closed<S: EventStore>(place: impl AsyncFn() -> S) {
    let topic = key();
    let store = place().await;
    let start = open(&store, &topic).await.head;
    append_texts(&store, &topic, start, &["a"]).await;
    let before = open(&store, &topic).await;
    for wrong in [1, 3].map(|n| after(start, n)) {
        let refused = store.close(&topic, wrong, &[text("x")]).await;
        assert!(matches!(refused, Err(StoreError::Conflict { head }) if head == before.head));
    }
    assert_eq!(open(&store, &topic).await, before);
    let (last, next) = (after(start, 3), after(start, 4));
    let entries = [text("b"), text("c")];
    let closed = store.close(&topic, after(start, 2), &entries).await;
    closed.expect("it closes");
    drop(store);

    let store = place().await;
    let opened = open(&store, &topic).await;
    assert_eq!((opened.head, opened.closed), (last, true));
    let refused = [
        store.append(&topic, next, &[text("x")]).await,
        store.close(&topic, next, &[]).await,
    ];
    for refused in refused {
        assert!(
            matches!(refused, Err(StoreError::Closed)),
            "a change gave {refused:?}"
        );
    }
    assert_eq!(texts(&store, &topic, start).await, ["a", "b", "c"]);
    let end = store.read(&topic, last, ReadLimit::default()).await;
    assert_eq!(end.expect("it reads"), Read::Closed);
}

/// A topic can be closed as it is, even if there never was anything in it.
pub async fn a_topic_is_closed_without_a_last_entry<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    let closed = store.close(&topic, after(start, 1), &[]).await;
    closed.expect("it closes");
    let opened = open(&store, &topic).await;
    assert_eq!((opened.head, opened.closed), (start, true));
    let end = store.read(&topic, start, ReadLimit::default()).await;
    assert_eq!(end.expect("it reads"), Read::Closed);
}
