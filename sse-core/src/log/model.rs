//! The log under a scheduler that tries interleavings.
//!
//! Threads share the lock and the number of the round, which changes under it, and [shuttle]
//! switches at every use of either: at random where there is much to interleave, and in every
//! order there is where an append meets a reader.
//!
//! What loom would add are the orders that memory allows and shuttle, which takes atomics for
//! sequentially consistent, does not try. One value is read without the lock, the round, and
//! nothing else is read on the strength of it: who sees a new one takes the lock, and who sees the
//! old one waits. That is wrong only if the list was taken and the wake is over; but a wake is
//! ordered before the poll that it causes, as wakers promise, so that poll sees the new round,
//! whatever the order of its load. Loom would have to assume the same of its waker.
//!
//! `SSE_LOG_ITERATIONS=1000000` makes a long run; the printed schedule of a failure can be
//! replayed with `shuttle::replay`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use std::{env, mem};

use shuttle::thread;

use super::{AppendError, Batch, Cursor, Log, Missed, Read, Reader, Retention, Shared};
use crate::encode_error::EncodeError;
use crate::typed::{Keep, SseEvent};
use crate::write::EventWriter;

/// Its text, and its key if only the newest of that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Note {
    All(&'static str),
    Latest(&'static str, &'static str),
    Never(&'static str),
}

use Note::{All, Latest, Never};

impl Note {
    fn text(self) -> &'static str {
        let (All(text) | Latest(_, text) | Never(text)) = self;
        text
    }
}

impl SseEvent for Note {
    fn event_name(&self) -> Option<&str> {
        None
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.data(self.text());
        Ok(())
    }

    fn keep(&self) -> Keep<'_> {
        match self {
            All(_) => Keep::All,
            Latest(key, _) => Keep::Latest {
                kind: "note",
                key: Cow::Borrowed(key),
            },
            Never(_) => Keep::Never,
        }
    }
}

/// What a reader was given, from where on.
#[derive(Debug)]
struct Given {
    after: u64,
    items: Vec<Item>,
}

#[derive(Debug)]
enum Item {
    Event { seq: Option<u64>, text: String },
    Gap { requested: u64, resume: u64 },
}

impl Given {
    fn new(reader: &Reader) -> Self {
        Self {
            after: reader.cursor().seq(),
            items: Vec::new(),
        }
    }

    /// Adds what was read and says whether it was the end.
    fn add(&mut self, read: Read) -> bool {
        match read {
            Read::Block(block) => {
                let text = str::from_utf8(block.bytes()).unwrap();
                for event in text.split_terminator("\n\n") {
                    let (id, data) = event.split_once('\n').unwrap_or(("", event));
                    let seq = id.strip_prefix("id: 7.").map(|seq| seq.parse().unwrap());
                    let text = data.strip_prefix("data: ").unwrap().to_owned();
                    self.items.push(Item::Event { seq, text });
                }
            }
            Read::Gap(gap) => self.items.push(Item::Gap {
                requested: gap.requested().seq(),
                resume: gap.resume().seq(),
            }),
            Read::Closed | Read::Detached => return true,
        }
        false
    }

    fn read_to_end(mut self, mut reader: Reader) -> Self {
        while !self.add(shuttle::future::block_on(poll_fn(|cx| {
            twice(&mut reader, cx)
        }))) {}
        self
    }

    fn seqs(&self) -> Vec<u64> {
        let seq = |item: &Item| match item {
            Item::Event { seq, .. } => *seq,
            Item::Gap { .. } => None,
        };
        self.items.iter().filter_map(seq).collect()
    }

    fn live_only(&self) -> Vec<&str> {
        let texts = self.items.iter().filter_map(|item| match item {
            Item::Event { seq: None, text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| match item {
            Item::Event { text, .. } => Some(text.as_str()),
            Item::Gap { .. } => None,
        })
    }

    /// All kept entries after the cursor, less superseded ones, in order and once; and a gap,
    /// with exact bounds, where retention was faster.
    fn check(&self, history: &BTreeMap<u64, Note>, removed: &[u64]) {
        let superseded = |seq: u64| match history[&seq] {
            Latest(key, _) => history
                .range(seq + 1..)
                .any(|(_, note)| matches!(note, Latest(k, _) if *k == key)),
            _ => false,
        };
        let head = history.len() as u64;
        let mut at = self.after;
        let mut step = |to: u64, lost_after: u64| {
            for seq in at + 1..to {
                let excused = superseded(seq) || seq > lost_after && removed.contains(&seq);
                assert!(
                    excused,
                    "{seq} is missing in {self:?}, removed: {removed:?}"
                );
            }
            assert!(to > at, "{to} after {at} in {self:?}");
            at = to;
        };
        for item in &self.items {
            match item {
                Item::Event {
                    seq: Some(seq),
                    text,
                } => {
                    assert_eq!(history[seq].text(), text);
                    step(*seq, u64::MAX);
                }
                Item::Event { seq: None, .. } => {}
                Item::Gap { requested, resume } => {
                    assert!(removed.contains(resume), "{self:?}, removed: {removed:?}");
                    step(*resume, *requested);
                }
            }
        }
        step(head + 1, u64::MAX);
    }
}

/// Appends until the log refuses, and returns what it took.
fn publish(log: &Log, batches: &[&[Note]], now: Instant) -> Vec<(u64, Note)> {
    let mut taken = Vec::new();
    for notes in batches {
        let mut batch = Batch::new();
        notes.iter().for_each(|note| batch.push(note).unwrap());
        match log.append_batch(&batch, now) {
            Ok(cursor) => taken.extend(number(cursor, notes)),
            Err(AppendError::Closed | AppendError::Detached) => break,
            Err(error) => panic!("{error}"),
        }
    }
    taken
}

/// The numbers of the notes of a batch, which are contiguous.
fn number(last: Option<Cursor>, notes: &[Note]) -> Vec<(u64, Note)> {
    let durable = notes.iter().filter(|note| !matches!(note, Never(_)));
    let count = durable.clone().count() as u64;
    let first = last.map_or(0, |last| last.seq() + 1 - count);
    (first..).zip(durable.copied()).collect()
}

fn history(taken: impl IntoIterator<Item = Vec<(u64, Note)>>) -> BTreeMap<u64, Note> {
    let mut history = BTreeMap::new();
    for (seq, note) in taken.into_iter().flatten() {
        assert_eq!(history.insert(seq, note), None, "{seq} was given twice");
    }
    assert!(
        history.keys().copied().eq(1..=history.len() as u64),
        "{history:?}"
    );
    history
}

fn removed(shared: &Shared) -> Vec<u64> {
    mem::take(&mut shared.lock().ring.removed)
}

/// Runs `scenario` under random schedules, and under those that switch seldom.
fn explore(scenario: impl Fn() + Copy + Send + Sync + 'static) {
    let iterations = env::var("SSE_LOG_ITERATIONS").map_or(1000, |n| n.parse().unwrap());
    shuttle::check_random(scenario, iterations);
    shuttle::check_pct(scenario, iterations, 3);
}

const FIRST: [&[Note]; 3] = [
    &[All("a1")],
    &[Latest("x", "a2"), Never("an")],
    &[Latest("x", "a3"), All("a4")],
];
const SECOND: [&[Note]; 3] = [
    &[Latest("x", "b1"), Never("bn"), All("b2")],
    &[Latest("y", "b3")],
    &[Latest("y", "b4")],
];

/// Publishers, an evictor, readers that come, go and return, and an end, all at once.
fn everything(
    retention: Retention,
    end: impl FnOnce(&Log, Instant) -> Vec<(u64, Note)> + Send + 'static,
) {
    let start = Instant::now();
    let log = Arc::new(Log::new(7, retention));
    let shared = Arc::clone(&log.shared);
    let early = log.reader();
    let early = thread::spawn(move || vec![Given::new(&early).read_to_end(early)]);
    let returning = thread::spawn({
        let log = Arc::clone(&log);
        move || returning(log)
    });
    let with_log = |work: fn(&Log, Instant) -> Vec<(u64, Note)>, at: u64| {
        let log = Arc::clone(&log);
        thread::spawn(move || work(&log, start + Duration::from_secs(at)))
    };
    let first = with_log(|log, now| publish(log, &FIRST, now), 0);
    let second = with_log(|log, now| publish(log, &SECOND, now), 5);
    let evict = |log: &Log, now| {
        log.evict(now);
        Vec::new()
    };
    let evictor = with_log(evict, 10);
    let ender = thread::spawn(move || end(&log, start));

    let taken = [first, second, evictor, ender].map(|work| work.join().unwrap());
    let history = history(taken);
    let readers = [early, returning].map(|reader| reader.join().unwrap());
    let removed = removed(&shared);
    for given in readers.iter().flatten() {
        given.check(&history, &removed);
    }
    let state = shared.lock();
    assert_eq!(state.stands.len(), 0);
    assert_eq!(state.ring.head().seq(), history.len() as u64);
}

/// Reads a little from the start, leaves while it waits, comes back and reads to the end.
fn returning(log: Arc<Log>) -> Vec<Given> {
    let mut reader = log.reader_from_start();
    let mut given = Given::new(&reader);
    for _ in 0..2 {
        if let std::task::Poll::Ready(read) =
            reader.poll_next(&mut Context::from_waker(Waker::noop()))
        {
            given.add(read);
        }
    }
    let cursor = reader.cursor();
    drop(reader);
    match log.reader_after(cursor) {
        Ok(reader) => {
            // It must not keep the log alive for which it waits.
            drop(log);
            given = given.read_to_end(reader);
            vec![given]
        }
        Err(Missed::Gap(gap)) => {
            given.add(Read::Gap(gap));
            let reader = log.reader_after(gap.resume());
            drop(log);
            match reader {
                Ok(reader) => vec![given.read_to_end(reader)],
                // Faster than us once more, or at the end.
                Err(Missed::Closed) => vec![given],
                Err(Missed::Gap(_)) => Vec::new(),
            }
        }
        Err(Missed::Closed) => vec![given],
    }
}

const TIGHT: Retention = Retention::events(3).age(Duration::from_secs(8));

#[test]
fn closing_while_everything_goes_on() {
    explore(|| {
        everything(TIGHT, |log, now| {
            let mut last = Batch::new();
            last.push(&All("end")).unwrap();
            number(log.close_with(&last, now).unwrap(), &[All("end")])
        });
    });
}

#[test]
fn detaching_while_everything_goes_on() {
    explore(|| {
        everything(TIGHT, |log, _| {
            log.detach();
            Vec::new()
        });
    });
}

#[test]
fn dropping_the_log_ends_its_readers() {
    explore(|| everything(TIGHT, |_, _| Vec::new()));
}

/// Every order of what a publisher and a reader that waits do, not a sample.
#[test]
fn an_append_meets_a_reader_in_every_order() {
    static ORDERS: AtomicU64 = AtomicU64::new(0);
    let scenario = || {
        ORDERS.fetch_add(1, Ordering::Relaxed);
        let log = Log::new(7, Retention::default());
        let mut reader = log.reader();
        let reading = thread::spawn(move || {
            let read = shuttle::future::block_on(poll_fn(|cx| twice(&mut reader, cx)));
            (read, reader)
        });
        log.append(&All("a"), Instant::now()).unwrap();
        let (read, _reader) = reading.join().unwrap();
        assert!(matches!(read, Read::Block(_)), "{read:?}");
    };
    shuttle::check_dfs(scenario, None);
    let orders = ORDERS.load(Ordering::Relaxed);
    println!("{orders} orders");
    assert!(orders > 100, "{orders}");
}

/// As servers poll.
fn twice(reader: &mut Reader, cx: &mut Context<'_>) -> Poll<Read> {
    match reader.poll_next(cx) {
        Poll::Pending => reader.poll_next(cx),
        ready => ready,
    }
}

#[test]
fn without_retention_nothing_is_missing() {
    explore(|| {
        let log = Arc::new(Log::new(7, Retention::default()));
        let readers = [log.reader(), log.reader()];
        let readers =
            readers.map(|reader| thread::spawn(|| Given::new(&reader).read_to_end(reader)));
        let publishers = [FIRST, SECOND].map(|batches| {
            let log = Arc::clone(&log);
            thread::spawn(move || publish(&log, &batches, Instant::now()))
        });
        let history = history(publishers.map(|publisher| publisher.join().unwrap()));
        log.close();
        for reader in readers {
            let given = reader.join().unwrap();
            given.check(&history, &[]);
            let mut live_only = given.live_only();
            live_only.sort_unstable();
            assert_eq!(live_only, ["an", "bn"]);
            let place = |text| given.texts().position(|given| given == text);
            assert!(
                place("a1") < place("an") && place("an") < place("a4"),
                "{given:?}"
            );
            assert!(place("bn") < place("b2"), "{given:?}");
            assert_eq!(given.seqs().last(), history.keys().last());
        }
    });
}
