//! What comes after a cursor.

use super::support::{
    after, append, append_texts, at, expect_gap, key, open, read, read_all, text, texts, trim,
};
use crate::log::{GapCause, ReadLimit};
use crate::store::{Entry, EventStore};
use crate::{Cursor, Retention};

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
