//! What may be appended, and what becomes of it when several do.

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};

use super::support::{after, append, append_texts, key, open, text, texts};
use crate::Cursor;
use crate::store::{EventStore, StoreError, TopicKey};

/// An append that does not follow the newest entry changes nothing and says which that is.
pub async fn an_entry_in_the_wrong_place_is_refused<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    append_texts(&store, &topic, start, &["a", "b"]).await;
    let opened = open(&store, &topic).await;
    let elsewhere = Cursor::new(start.epoch() ^ 1, 3);
    for wrong in [0, 1, 2, 4, 9]
        .map(|n| after(start, n))
        .into_iter()
        .chain([elsewhere])
    {
        let refused = store.append(&topic, wrong, &[text("x")]).await;
        match refused {
            Err(StoreError::Conflict { head }) => assert_eq!(head, opened.head),
            other => panic!("an append at {wrong} behind {} gave {other:?}", opened.head),
        }
    }
    assert_eq!(open(&store, &topic).await, opened);
    assert_eq!(texts(&store, &topic, start).await, ["a", "b"]);
    // Nothing in the right place is nothing.
    append(&store, &topic, after(start, 3), &[]).await;
    assert_eq!(open(&store, &topic).await, opened);
}

/// Two appends in one place: one gets it, the other one learns of it, and its entries are nowhere.
pub async fn of_two_writers_one_is_refused<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    let first = after(start, 1);
    let (ours, theirs) = ([text("ours")], [text("theirs"), text("too")]);
    let (ours, theirs) = join(
        store.append(&topic, first, &ours),
        store.append(&topic, first, &theirs),
    )
    .await;
    let head = open(&store, &topic).await.head;
    let (winner, refused): (&[&str], _) = match (ours, theirs) {
        (Ok(()), Err(refused)) => (&["ours"], refused),
        (Err(refused), Ok(())) => (&["theirs", "too"], refused),
        other => panic!("two appends in one place gave {other:?}"),
    };
    assert!(
        matches!(refused, StoreError::Conflict { .. }),
        "refused by {refused:?}"
    );
    assert_eq!(head, after(start, winner.len() as u64));
    assert_eq!(texts(&store, &topic, start).await, winner);
}

/// Two writers that go on after what the other one wrote lose nothing and overwrite nothing.
pub async fn of_two_writers_that_go_on_all_is_there<S: EventStore>(place: impl AsyncFn() -> S) {
    const EACH: usize = 20;
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    let write = async |name: &'static str| {
        let mut head = start;
        for n in 0..EACH {
            let entry = [text(&format!("{name}{n}"))];
            while let Err(refused) = store.append(&topic, after(head, 1), &entry).await {
                match refused {
                    StoreError::Conflict { head: newest } => head = newest,
                    other => panic!("refused by {other:?}"),
                }
            }
            head = after(head, 1);
        }
    };
    join(write("a"), write("b")).await;
    let all = texts(&store, &topic, start).await;
    assert_eq!(all.len(), 2 * EACH);
    for name in ["a", "b"] {
        let own = all.iter().filter(|text| text.starts_with(name));
        let expected = (0..EACH).map(|n| format!("{name}{n}"));
        assert!(own.eq(expected.collect::<Vec<_>>().iter()), "{all:?}");
    }
}

/// An append that nobody waits for any more is there or not, and takes nobody else's place.
pub async fn an_append_that_was_given_up_is_whole_or_nowhere<S: EventStore>(
    place: impl AsyncFn() -> S,
) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    let given_up = [text("a"), text("b")];
    let polled = store
        .append(&topic, after(start, 1), &given_up)
        .now_or_never();
    let known = polled.map(|appended| appended.expect("it takes entries in the right place"));
    let head = open(&store, &topic).await.head;
    let written = head == after(start, 2);
    assert!(
        written || known.is_none() && head == start,
        "the head is {head}"
    );
    let expected: &[&str] = match store.append(&topic, after(head, 1), &[text("c")]).await {
        Ok(()) if written => &["a", "b", "c"],
        Ok(()) => &["c"],
        // It came after all.
        Err(StoreError::Conflict { head: newest }) if !written => {
            assert_eq!(newest, after(start, 2));
            &["a", "b"]
        }
        Err(other) => panic!("an append behind {head} gave {other:?}"),
    };
    assert_eq!(texts(&store, &topic, start).await, expected);
}

/// Appends to many topics at the same time do not get into each other's way.
pub async fn many_appends_at_once_all_arrive<S: EventStore>(place: impl AsyncFn() -> S) {
    let store = place().await;
    let topics: Vec<_> = (0..20).map(|n: u8| TopicKey::new([n])).collect();
    let writers = topics.iter().map(async |topic| {
        let start = open(&store, topic).await.head;
        for n in 0..5 {
            append(&store, topic, after(start, n + 1), &[text(&n.to_string())]).await;
        }
        start
    });
    let starts = join_all(writers).await;
    for (topic, start) in topics.iter().zip(starts) {
        assert_eq!(texts(&store, topic, start).await, ["0", "1", "2", "3", "4"]);
    }
}
