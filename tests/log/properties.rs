//! The log against a list that is never packed, shared or forgotten.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sse_core::log::{Batch, Log, Read, ReadLimit, Reader};
use sse_core::{Cursor, Missed, Retention};

use crate::{Note, all, latest, never};

const EPOCH: u64 = 7;
const KEYS: [&str; 3] = ["x", "y", ""];

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Note>),
    /// Appends this many notes of one size, so that segments fill up.
    Fill {
        count: usize,
        size: usize,
    },
    Wait(u64),
    Evict,
    /// Attaches a reader, this many entries before the head.
    Attach {
        back: u64,
        events: u32,
    },
    Live,
    Read(usize),
    Drop(usize),
    Close(Option<Note>),
    Detach,
}

/// What the log would be if memory were free.
struct Model {
    retention: (usize, usize, u64),
    now: u64,
    head: u64,
    lost: u64,
    history: Vec<Past>,
    ended: Option<Read>,
}

struct Past {
    seq: u64,
    note: Note,
    bytes: String,
    at: u64,
    gone: bool,
}

impl Past {
    fn is_durable(&self) -> bool {
        !matches!(self.note, Note::Never(_))
    }
}

struct ModelReader {
    reader: Reader,
    seq: u64,
    /// The next of the history to look at.
    next: usize,
    attached: usize,
}

impl Model {
    fn append(&mut self, note: &Note, readers: usize, closing: bool) {
        let mut note = note.clone();
        if let (Note::Never(text), true) = (&note, closing) {
            note = all(text);
        }
        let bytes = if matches!(note, Note::Never(_)) {
            if readers == 0 {
                return;
            }
            format!("data: {}\n\n", note.text())
        } else {
            self.head += 1;
            format!("id: {EPOCH}.{}\ndata: {}\n\n", self.head, note.text())
        };
        if let Note::Latest(key, _) = &note {
            for past in &mut self.history {
                past.gone |= matches!(&past.note, Note::Latest(k, _) if k == key);
            }
        }
        self.history.push(Past {
            seq: self.head,
            note,
            bytes,
            at: self.now,
            gone: false,
        });
    }

    fn evict(&mut self, closed: bool) {
        let (events, bytes, age) = self.retention;
        loop {
            let kept = self
                .history
                .iter()
                .filter(|past| !past.gone && past.is_durable());
            let (count, size) = kept.fold((0, 0), |(n, b), past| (n + 1, b + past.bytes.len()));
            let Some(oldest) = self.history.iter_mut().find(|past| !past.gone) else {
                break;
            };
            let over = count > 1 && (count > events || size > bytes);
            let spared = closed && count == 1 && oldest.is_durable();
            let aged = self.now - oldest.at >= age && !spared;
            if !over && !aged {
                break;
            }
            oldest.gone = true;
            if oldest.is_durable() {
                self.lost = oldest.seq;
            }
        }
    }

    /// What `reader` is to be given, block by block.
    fn pending(&self, reader: &ModelReader) -> Vec<(usize, &Past)> {
        let unread = self.history.iter().enumerate().skip(reader.next);
        let wanted = |(n, past): &(usize, &Past)| {
            !past.gone
                && (past.is_durable() && past.seq > reader.seq
                    || !past.is_durable() && *n >= reader.attached)
        };
        unread.filter(wanted).collect()
    }

    /// Reads once and says whether something came.
    fn check(&self, reader: &mut ModelReader) -> bool {
        let read = reader.reader.next_ready();
        if reader.seq < self.lost {
            let Some(Read::Gap(gap)) = read else {
                panic!("{read:?} instead of a gap")
            };
            assert_eq!(gap.requested(), Cursor::new(EPOCH, reader.seq));
            assert_eq!(gap.resume(), Cursor::new(EPOCH, self.lost));
            assert_eq!(gap.lost(), Some(self.lost - reader.seq));
            reader.seq = self.lost;
            return true;
        }
        let pending = self.pending(reader);
        if pending.is_empty() {
            assert_eq!(read, self.ended);
            return false;
        }
        let Some(Read::Block(block)) = read else {
            panic!("{read:?} instead of {} events", pending.len())
        };
        let given = &pending[..block.events() as usize];
        let bytes: String = given.iter().map(|(_, past)| &past.bytes[..]).collect();
        assert_eq!(str::from_utf8(block.bytes()).unwrap(), bytes);
        let (n, last) = given.last().unwrap();
        let id = given.iter().rev().find(|(_, past)| past.is_durable());
        let id = id.map(|(_, past)| format!("{EPOCH}.{}", past.seq));
        assert_eq!(block.last_id().map(|id| id.as_str()), id.as_deref());
        (reader.seq, reader.next) = (last.seq.max(reader.seq), n + 1);
        assert_eq!(reader.reader.cursor(), Cursor::new(EPOCH, reader.seq));
        true
    }
}

fn run(retention: (usize, usize, u64), steps: Vec<Step>) {
    let start = Instant::now();
    let (events, bytes, age) = retention;
    let log = Log::new(
        EPOCH,
        Retention::events(events)
            .bytes(bytes)
            .age(Duration::from_secs(age)),
    );
    let mut model = Model {
        retention,
        now: 0,
        head: 0,
        lost: 0,
        history: Vec::new(),
        ended: None,
    };
    let mut readers: Vec<ModelReader> = Vec::new();
    for step in steps {
        let now = start + Duration::from_secs(model.now);
        match step {
            Step::Append(notes) => append(&log, &mut model, &notes, readers.len(), now),
            Step::Fill { count, size } => {
                for n in 0..count {
                    let note = [latest(KEYS[n % 2], "k".repeat(size)), all("a".repeat(size))];
                    append(&log, &mut model, &note, readers.len(), now);
                }
            }
            Step::Wait(secs) => model.now += secs,
            Step::Evict => {
                log.evict(now);
                model.evict(model.ended == Some(Read::Closed));
            }
            Step::Attach { back, events } => {
                let cursor = Cursor::new(EPOCH, model.head.wrapping_sub(back));
                match log.reader_after(cursor) {
                    Ok(reader) => {
                        assert!((model.lost..=model.head).contains(&cursor.seq()));
                        readers.push(ModelReader {
                            reader: reader.with_limit(ReadLimit::default().events(events)),
                            seq: cursor.seq(),
                            next: 0,
                            attached: model.history.len(),
                        });
                    }
                    Err(Missed::Gap(gap)) => {
                        assert!(!(model.lost..=model.head).contains(&cursor.seq()));
                        assert_eq!(gap.resume(), Cursor::new(EPOCH, model.lost));
                    }
                    Err(missed) => {
                        assert_eq!((missed, back), (Missed::Closed, 0));
                        assert_eq!(model.ended, Some(Read::Closed));
                    }
                }
            }
            Step::Live => readers.push(ModelReader {
                reader: log.reader(),
                seq: match model.ended {
                    Some(Read::Closed) => model.head.saturating_sub(1).max(model.lost),
                    _ => model.head,
                },
                next: 0,
                attached: model.history.len(),
            }),
            Step::Read(n) => {
                if let Some(reader) = readers.get_mut(n) {
                    model.check(reader);
                }
            }
            Step::Drop(n) => {
                if n < readers.len() {
                    readers.swap_remove(n);
                }
            }
            Step::Close(last) => {
                let mut batch = Batch::new();
                last.iter().for_each(|note| batch.push(note).unwrap());
                let closed = log.close_with(&batch, now);
                assert_eq!(closed.is_ok(), model.ended.is_none());
                if closed.is_ok() {
                    // What is too old before is not how it ended.
                    model.evict(false);
                    last.iter()
                        .for_each(|note| model.append(note, readers.len(), true));
                    model.evict(true);
                    model.ended = Some(Read::Closed);
                }
            }
            Step::Detach => {
                log.detach();
                model.ended.get_or_insert(Read::Detached);
            }
        }
        assert_eq!(log.head(), Cursor::new(EPOCH, model.head));
        assert_eq!(log.start(), Cursor::new(EPOCH, model.lost));
        assert_eq!(log.readers(), readers.len());
    }
    for reader in &mut readers {
        while model.check(reader) {}
    }
}

fn append(log: &Log, model: &mut Model, notes: &[Note], readers: usize, now: Instant) {
    let mut batch = Batch::new();
    notes.iter().for_each(|note| batch.push(note).unwrap());
    let before = model.head;
    let appended = log.append_batch(&batch, now);
    assert_eq!(appended.is_ok(), model.ended.is_none());
    if let Ok(cursor) = appended {
        notes
            .iter()
            .for_each(|note| model.append(note, readers, false));
        model.evict(false);
        let numbered = (model.head > before).then_some(Cursor::new(EPOCH, model.head));
        assert_eq!(cursor, numbered);
    }
}

fn note() -> impl Strategy<Value = Note> {
    let text = || "[a-z]{1,20}";
    prop_oneof![
        4 => text().prop_map(all),
        4 => (0..KEYS.len(), text()).prop_map(|(key, text)| latest(KEYS[key], text)),
        2 => text().prop_map(never),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(note(), 0..5).prop_map(Step::Append),
        2 => (1..40_usize, 1..3000_usize).prop_map(|(count, size)| Step::Fill { count, size }),
        2 => (0..4_u64).prop_map(Step::Wait),
        1 => Just(Step::Evict),
        3 => (0..12_u64, 1..9_u32).prop_map(|(back, events)| Step::Attach { back, events }),
        2 => Just(Step::Live),
        12 => (0..6_usize).prop_map(Step::Read),
        2 => (0..6_usize).prop_map(Step::Drop),
        1 => prop::option::of(note()).prop_map(Step::Close),
        1 => Just(Step::Detach),
    ]
}

proptest! {
    #[test]
    fn readers_are_given_what_a_list_would_give(
        events in prop_oneof![1..6_usize, 20..200_usize],
        bytes in prop_oneof![30..200_usize, 1000..200_000_usize],
        age in prop_oneof![3..8_u64, Just(1_000_000_u64)],
        steps in prop::collection::vec(step(), 1..80),
    ) {
        run((events, bytes, age), steps);
    }
}
