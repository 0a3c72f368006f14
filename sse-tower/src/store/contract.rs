//! Tests that every store passes: what a [`DurableTopic`](crate::DurableTopic) relies on.
//!
//! [`event_store_contract!`](crate::event_store_contract) makes a test of each of these
//! functions. They panic where a store breaks its word.
//!
//! Each is given a place for a store, as an async closure: every call opens the store that is
//! there, the first time an empty one. What the call before returned was dropped by then.
//!
//! # Examples
//!
//! ```
//! # extern crate tokio;
//! mod memory {
//!     use sse_tower::store::MemoryStore;
//!
//!     fn place() -> impl AsyncFn() -> MemoryStore {
//!         let store = MemoryStore::new();
//!         async move || store.clone()
//!     }
//!
//!     sse_tower::event_store_contract!(place());
//! }
//! ```

use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};

use super::{Entry, EventStore, Opened, Read, StoreError, TopicKey};
use crate::log::{GapCause, ReadLimit};
use crate::{Cursor, Gap, Retention};

/// Makes a `#[tokio::test]` of every function in [`store::contract`](crate::store::contract).
///
/// The argument is evaluated for each of them, and has to give a place of its own each time. It
/// takes the crate `tokio` with its feature `macros`. The module shows a use.
#[macro_export]
macro_rules! event_store_contract {
    ($place:expr) => {
        $crate::event_store_contract! { $place;
            a_new_topic_is_empty
            entries_come_back_as_they_were
            an_entry_in_the_wrong_place_is_refused
            of_two_writers_one_is_refused
            of_two_writers_that_go_on_all_is_there
            an_append_that_was_given_up_is_whole_or_nowhere
            many_appends_at_once_all_arrive
            a_read_is_bounded
            what_a_reader_cannot_have_is_told
            a_newer_entry_replaces_the_one_of_its_key
            trimming_keeps_the_newest
            trimming_counts_bytes
            trimming_looks_at_the_time
            a_closed_topic_stays_closed
            a_topic_is_closed_without_a_last_entry
            topics_are_apart
            a_store_that_is_opened_again_is_the_same
        }
    };
    ($place:expr; $($name:ident)*) => { $(
        #[::tokio::test]
        async fn $name() {
            $crate::store::contract::$name($place).await;
        }
    )* };
}

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

/// What is read is what was appended: numbers, bytes, keys, times and what is terminal.
pub async fn entries_come_back_as_they_were<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    let entries = [
        Entry::new(&b"data: a\n\n"[..], at(1_234)),
        Entry::new(&b"data: \xff\0\n\n"[..], at(2)).with_key("k:\0\u{e4}"),
        Entry::new(Vec::new(), at(0)).with_key(""),
        Entry::new(vec![b'x'; 100_000], at(3)).with_terminal(true),
    ];
    append(&store, &topic, after(start, 1), &entries[..3]).await;
    append(&store, &topic, after(start, 4), &entries[3..]).await;
    assert_eq!(open(&store, &topic).await.head, after(start, 4));
    for skipped in 0..entries.len() {
        let read = read_all(&store, &topic, after(start, skipped as u64)).await;
        let numbers = (skipped as u64 + 1..).map(|n| after(start, n));
        let expected: Vec<_> = numbers.zip(entries[skipped..].iter().cloned()).collect();
        assert_eq!(read, expected);
    }
}

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

/// A read gives as much as its limit allows, at least one entry, and the next goes on behind it.
pub async fn a_read_is_bounded<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    append_texts(&store, &topic, start, &["aaa", "bbb", "ccc", "ddd", "eee"]).await;
    let size = text("aaa").bytes().len();
    let check = async |limit, expected| {
        let read = read(&store, &topic, start, limit).await;
        assert_eq!(read.len(), expected, "entries of a read within {limit:?}");
    };
    check(ReadLimit::bytes(1 << 20).events(2), 2).await;
    check(ReadLimit::bytes(1 << 20).events(0), 1).await;
    check(ReadLimit::bytes(3 * size), 3).await;
    check(ReadLimit::bytes(3 * size + 1), 3).await;
    check(ReadLimit::bytes(1), 1).await;
    assert_eq!(
        texts(&store, &topic, start).await,
        ["aaa", "bbb", "ccc", "ddd", "eee"]
    );
}

/// A cursor of another epoch or after the newest entry is a gap, not everything and not nothing.
pub async fn what_a_reader_cannot_have_is_told<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    append_texts(&store, &topic, start, &["a"]).await;
    let elsewhere = Cursor::new(start.epoch() ^ 1, 0);
    expect_gap(&store, &topic, elsewhere, start, GapCause::Epoch).await;
    expect_gap(&store, &topic, after(start, 2), start, GapCause::Future).await;
    assert_eq!(texts(&store, &topic, after(start, 1)).await, [""; 0]);
}

/// Of the entries of a key only the newest is kept, and the hole before it is no gap.
pub async fn a_newer_entry_replaces_the_one_of_its_key<S: EventStore>(place: impl AsyncFn() -> S) {
    let (store, topic) = (place().await, key());
    let start = open(&store, &topic).await.head;
    let entries = [
        text("a1").with_key("a"),
        text("b1").with_key("b"),
        text("x"),
        text("a2").with_key("a"),
    ];
    append(&store, &topic, after(start, 1), &entries).await;
    assert_eq!(texts(&store, &topic, start).await, ["b1", "x", "a2"]);
    append(&store, &topic, after(start, 5), &[text("b2").with_key("b")]).await;
    let read = read_all(&store, &topic, start).await;
    let numbers: Vec<_> = read.iter().map(|(at, _)| at.seq() - start.seq()).collect();
    assert_eq!(numbers, [3, 4, 5]);
    assert_eq!(
        open(&store, &topic).await.start,
        start,
        "what was replaced is not missing"
    );
    // It also works once the older one is gone.
    trim(&store, &topic, Retention::events(1)).await;
    append(&store, &topic, after(start, 6), &[text("a3").with_key("a")]).await;
    assert_eq!(texts(&store, &topic, after(start, 4)).await, ["b2", "a3"]);
}

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

fn key() -> TopicKey {
    TopicKey::from(("contract", "topic"))
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

fn after(start: Cursor, count: u64) -> Cursor {
    Cursor::new(start.epoch(), start.seq() + count)
}

fn text(text: &str) -> Entry {
    Entry::new(text.to_owned(), at(1))
}

async fn open(store: &impl EventStore, topic: &TopicKey) -> Opened {
    store.open(topic).await.expect("it opens")
}

async fn append(store: &impl EventStore, topic: &TopicKey, first: Cursor, entries: &[Entry]) {
    let appended = store.append(topic, first, entries).await;
    appended.expect("it takes entries in the right place");
}

async fn append_texts(store: &impl EventStore, topic: &TopicKey, head: Cursor, texts: &[&str]) {
    let entries: Vec<_> = texts.iter().map(|it| text(it)).collect();
    append(store, topic, after(head, 1), &entries).await;
}

async fn trim(store: &impl EventStore, topic: &TopicKey, retention: Retention) -> Cursor {
    store.trim(topic, retention, at(1)).await.expect("it trims")
}

async fn read(
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
async fn read_all(
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

async fn texts(store: &impl EventStore, topic: &TopicKey, after: Cursor) -> Vec<String> {
    let all = read_all(store, topic, after).await.into_iter();
    all.map(|(_, entry)| String::from_utf8_lossy(entry.bytes()).into_owned())
        .collect()
}

/// Checks what a trim that returned `trimmed` left of a topic that began after `start`: at most
/// `most` entries are gone, and that is told.
async fn expect_removed(
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

async fn expect_gap(
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
