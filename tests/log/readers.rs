//! Waiting, waking, limits.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use sse_core::Event;
use sse_core::log::{Batch, Read, ReadLimit, Reader};

use crate::{all, append, at, block, log, never, texts};

/// Counts how often it is woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counter {
    fn woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll(reader: &mut Reader, counter: &Arc<Counter>) -> Poll<Read> {
    reader.poll_next(&mut Context::from_waker(&Arc::clone(counter).into()))
}

#[test]
fn a_reader_that_waits_is_woken_once_by_each_append() {
    let log = log();
    let mut reader = log.reader();
    let counter = Arc::default();
    assert!(poll(&mut reader, &counter).is_pending());
    assert!(poll(&mut reader, &counter).is_pending());
    let mut batch = Batch::new();
    batch.push(&all("a")).unwrap();
    batch.push(&all("b")).unwrap();
    log.append_batch(&batch, Instant::now()).unwrap();
    append(&log, &[all("c")]);
    assert_eq!(counter.woken(), 1, "it did not wait again");
    assert_eq!(texts(&mut reader), ["a", "b", "c"]);

    assert!(poll(&mut reader, &counter).is_pending());
    append(&log, &[never("n")]);
    assert_eq!(counter.woken(), 2);
    assert!(poll(&mut reader, &counter).is_ready());

    assert!(poll(&mut reader, &counter).is_pending());
    log.close();
    assert_eq!(counter.woken(), 3);
    assert_eq!(poll(&mut reader, &counter), Poll::Ready(Read::Closed));
}

#[test]
fn nobody_is_woken_for_nothing() {
    let log = log();
    let mut reader = log.reader();
    let counter = Arc::default();
    assert!(poll(&mut reader, &counter).is_pending());
    log.append(&Event::new().comment("hi"), Instant::now())
        .unwrap();
    log.append(&Event::new().id(1).data("x"), Instant::now())
        .unwrap_err();
    log.evict(Instant::now());
    assert_eq!(counter.woken(), 0);
    drop(log);
    assert_eq!(counter.woken(), 1);
}

#[test]
fn the_newest_waker_counts() {
    let log = log();
    let mut reader = log.reader();
    let (old, new) = (Arc::default(), Arc::default());
    assert!(poll(&mut reader, &old).is_pending());
    assert!(poll(&mut reader, &new).is_pending());
    assert_eq!(Arc::strong_count(&old), 1, "the old one is let go");
    append(&log, &[all("a")]);
    assert_eq!((old.woken(), new.woken()), (0, 1));
}

#[test]
fn a_dropped_reader_leaves_nothing_behind() {
    let log = log();
    let counter = Arc::<Counter>::default();
    let mut others: Vec<_> = (0..3).map(|_| log.reader()).collect();
    for reader in &mut others {
        assert!(poll(reader, &counter).is_pending());
    }
    assert_eq!((log.readers(), Arc::strong_count(&counter)), (3, 4));
    others.remove(1);
    assert_eq!((log.readers(), Arc::strong_count(&counter)), (2, 3));
    // Its place is taken by the next.
    let mut reader = log.reader();
    assert!(poll(&mut reader, &counter).is_pending());
    append(&log, &[all("a")]);
    assert_eq!(counter.woken(), 3);
    // They are of a round that is over; somebody else waits in their places now.
    let mut next = log.reader();
    assert!(poll(&mut next, &counter).is_pending());
    drop((others, reader));
    assert_eq!((log.readers(), Arc::strong_count(&counter)), (1, 2));
    append(&log, &[all("b")]);
    assert_eq!(counter.woken(), 4);
}

/// A task that owns its reader and that nobody but its waker holds.
struct Task {
    _reader: Reader,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_may_own_a_reader_of_the_same_log() {
    let log = log();
    let task = || {
        Waker::from(Arc::new(Task {
            _reader: log.reader(),
        }))
    };
    let mut reader = log.reader();
    for _ in 0..2 {
        // The second call drops the waker of the first.
        assert!(
            reader
                .poll_next(&mut Context::from_waker(&task()))
                .is_pending()
        );
    }
    assert_eq!(log.readers(), 2);
    append(&log, &[all("a")]);
    assert_eq!(log.readers(), 1);
    assert_eq!(block(&mut reader), "id: 7.1\ndata: a\n\n");
    assert!(
        reader
            .poll_next(&mut Context::from_waker(&task()))
            .is_pending()
    );
    drop(reader);
    assert_eq!(log.readers(), 0);
}

/// Publishes when it is woken, as a task on the same thread might.
struct Publishes(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Wake for Publishes {
    fn wake(self: Arc<Self>) {
        let publish = mem::take(&mut *self.0.lock().unwrap());
        publish.unwrap()();
    }
}

#[test]
fn a_waker_may_append_to_the_same_log() {
    let log = Arc::new(log());
    let again = Arc::clone(&log);
    let publish = move || append(&again, &[all("b")]);
    let waker = Waker::from(Arc::new(Publishes(Mutex::new(Some(Box::new(publish))))));
    let mut reader = log.reader();
    assert!(
        reader
            .poll_next(&mut Context::from_waker(&waker))
            .is_pending()
    );
    append(&log, &[all("a")]);
    assert_eq!(texts(&mut reader), ["a", "b"]);
}

#[test]
fn a_read_is_bounded_by_events_and_by_bytes() {
    let log = log();
    append(&log, &["a", "b", "c", "d"].map(all));
    let mut reader = log
        .reader_from_start()
        .with_limit(ReadLimit::default().events(3));
    assert_eq!(block(&mut reader).matches("data").count(), 3);
    assert_eq!(reader.cursor(), at(3));
    assert_eq!(block(&mut reader), "id: 7.4\ndata: d\n\n");

    // `id: 7.1⏎data: a⏎⏎` has 17 bytes.
    for (bytes, events) in [(0, 1), (17, 1), (33, 1), (34, 2), (1000, 4)] {
        let limit = ReadLimit::bytes(bytes);
        let mut reader = log.reader_from_start().with_limit(limit);
        assert_eq!(
            block(&mut reader).matches("data").count(),
            events,
            "{bytes}"
        );
        assert_eq!(texts(&mut reader).len(), 4 - events);
    }
}

#[test]
fn readers_at_one_place_each_have_their_limit() {
    let log = log();
    let two = ReadLimit::default().events(2);
    let mut readers = [log.reader(), log.reader().with_limit(two), log.reader()];
    append(&log, &["a", "b", "c"].map(all));
    let counts = readers
        .each_mut()
        .map(|reader| block(reader).matches("data").count());
    assert_eq!(counts, [3, 2, 3]);
}

#[test]
fn a_reader_far_behind_gets_large_blocks() {
    let log = log();
    let mut fast = log.reader();
    for n in 0..4000 {
        append(&log, &[all(format!("{n:050}"))]);
        assert_eq!(texts(&mut fast).len(), 1);
    }
    let mut sizes = Vec::new();
    let mut slow = log.reader_from_start();
    while let Some(Read::Block(block)) = slow.next_ready() {
        sizes.push(block.bytes().len());
    }
    assert!(sizes.iter().all(|size| *size <= 16 * 1024));
    // What was read piece by piece is not packed yet for the last of the segments.
    let large = sizes.iter().filter(|size| **size > 15 * 1024).count();
    assert!(
        large >= 4000 * 68 / (16 * 1024) - 1,
        "{large} of {}",
        sizes.len()
    );
}

#[test]
fn a_reader_can_leave_out_what_it_missed() {
    let log = log();
    let mut reader = log.reader();
    append(&log, &[all("a"), all("b")]);
    assert_eq!(reader.skip_to_latest(), at(1));
    append(&log, &[all("c"), never("live")]);
    assert_eq!(texts(&mut reader), ["b", "c", "live"]);
    assert_eq!(reader.skip_to_latest(), at(3), "it goes nowhere back");
    append(&log, &[all("d"), never("more"), all("e")]);
    reader.skip_to_latest();
    assert_eq!(texts(&mut reader), ["e"]);
    append(&log, &[never("here")]);
    reader.skip_to_latest();
    assert_eq!(texts(&mut reader), ["here"], "nothing was to be left out");
}

#[test]
fn logs_and_readers_cross_threads() {
    fn check<T: Send + Sync + Unpin>() {}
    check::<sse_core::log::Log>();
    check::<Reader>();
    check::<Batch>();
}
