//! What an append puts into the log.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sse_core::log::{AppendError, Batch, Log, Read};
use sse_core::{
    Block, Bytes, Cursor, Decoder, EncodeError, Event, EventBuffer, EventId, EventWriter,
    Retention, SseEvent, SseEventExt as _,
};

use crate::{all, append, at, block, latest, log, never};

#[test]
fn the_id_stands_between_event_and_retry() {
    let log = log();
    let event = Event::named("tick")
        .comment("hi")
        .retry(Duration::from_secs(2))
        .data("a\nb");
    assert_eq!(log.append(&event, Instant::now()).unwrap(), Some(at(1)));
    assert_eq!(
        block(&mut log.reader_from_start()),
        ": hi\nevent: tick\nid: 7.1\nretry: 2000\ndata: a\ndata: b\n\n"
    );
}

#[test]
fn lines_that_look_like_others_stay_where_they_are() {
    let log = log();
    let event = Event::named("data: x")
        .comment("data: y\nid: 9")
        .data("retry: 1");
    log.append(&event, Instant::now()).unwrap();
    assert_eq!(
        block(&mut log.reader_from_start()),
        ": data: y\n: id: 9\nevent: data: x\nid: 7.1\ndata: retry: 1\n\n"
    );
}

#[test]
fn what_was_appended_since_the_last_read_is_one_block() {
    let log = log();
    let mut reader = log.reader();
    append(&log, &[all("a"), never("b"), latest("k", "c")]);
    let Some(Read::Block(read)) = reader.next_ready() else {
        panic!()
    };
    assert_eq!(
        &read.bytes()[..],
        b"id: 7.1\ndata: a\n\ndata: b\n\nid: 7.2\ndata: c\n\n"
    );
    assert_eq!(
        (read.events(), read.last_id().unwrap().as_str()),
        (3, "7.2")
    );
    assert_eq!(reader.cursor(), at(2));
    assert_eq!(reader.next_ready(), None);
}

#[test]
fn an_event_with_an_id_of_its_own_is_refused_and_changes_nothing() {
    let log = log();
    let block = Block::encode(&Event::new().id(1).data("x")).unwrap();
    let own: [&dyn SseEvent; 4] = [
        &Event::new().id(1).data("x"),
        &Event::new().id(1),
        &Event::new().data("x").with_id(EventId::from(1)),
        &block,
    ];
    for event in own {
        let error = log.append(event, Instant::now()).unwrap_err();
        assert!(matches!(error, AppendError::OwnId), "{error:?}");
    }
    assert_eq!(log.head(), at(0));
    assert_eq!(log.reader_from_start().next_ready(), None);
}

/// Fails after it has written a field.
struct Broken;

impl SseEvent for Broken {
    fn event_name(&self) -> Option<&str> {
        None
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.event("half")?;
        Err(EncodeError::custom("no"))
    }
}

/// Panics after it has written a field.
struct Panics;

impl SseEvent for Panics {
    fn event_name(&self) -> Option<&str> {
        None
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.event("half")?;
        panic!("as arranged");
    }
}

#[test]
fn an_event_that_fails_or_panics_leaves_nothing() {
    let log = log();
    let mut batch = Batch::new();
    batch.push(&all("a")).unwrap();
    assert!(matches!(batch.push(&Broken), Err(AppendError::Encode(_))));
    assert!(batch.push(&Event::new().id(1).data("x")).is_err());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| batch.push(&Panics)));
    assert!(panicked.is_err());
    batch.push(&all("b")).unwrap();
    assert_eq!(
        log.append_batch(&batch, Instant::now()).unwrap(),
        Some(at(2))
    );
    assert_eq!(
        block(&mut log.reader_from_start()),
        "id: 7.1\ndata: a\n\nid: 7.2\ndata: b\n\n"
    );
}

#[test]
fn what_clients_do_not_dispatch_leaves_nothing() {
    let log = log();
    for event in [
        Event::new().comment("hi"),
        Event::new().retry(Duration::from_secs(1)),
        Event::new(),
    ] {
        assert_eq!(log.append(&event, Instant::now()).unwrap(), None);
    }
    assert_eq!(log.head(), at(0));
    assert_eq!(log.reader_from_start().next_ready(), None);
}

#[test]
fn a_batch_can_be_used_again() {
    let log = log();
    let mut batch = Batch::new();
    for text in ["a", "b"] {
        batch.clear();
        batch.push(&all(text)).unwrap();
        assert_eq!(batch.len(), 1);
        log.append_batch(&batch, Instant::now()).unwrap();
    }
    assert_eq!(
        block(&mut log.reader_from_start()),
        "id: 7.1\ndata: a\n\nid: 7.2\ndata: b\n\n"
    );
}

#[test]
fn encoded_events_get_the_ids_of_the_log() {
    let mut buffer = EventBuffer::new();
    buffer.open_stream(None);
    buffer
        .write(
            &Event::named("a")
                .id("old")
                .retry(Duration::from_secs(1))
                .data("1"),
        )
        .unwrap();
    buffer.write(&Event::new().comment("alone")).unwrap();
    buffer
        .write(&Event::new().retry(Duration::from_secs(1)))
        .unwrap();
    buffer.write(&Event::new().id("")).unwrap();
    buffer.write(&Event::new().data("id: 5\nx")).unwrap();
    let mut batch = Batch::new();
    batch.push_block(&buffer.take_block());

    let log = log();
    assert_eq!(
        log.append_batch(&batch, Instant::now()).unwrap(),
        Some(at(2))
    );
    assert_eq!(
        block(&mut log.reader_from_start()),
        ":\nevent: a\nid: 7.1\nretry: 1000\ndata: 1\n\nid: 7.2\ndata: id: 5\ndata: x\n\n"
    );
}

proptest! {
    #[test]
    fn any_block_comes_out_with_new_ids_and_nothing_else_changed(
        events in prop::collection::vec(any::<[Option<u8>; 5]>(), 1..8),
    ) {
        // What fields may hold is not the question here, but what their lines begin with.
        const TEXTS: [&str; 6] = ["x", "id: 1", "data: y", "", "a\nid\n\nb", "retry"];
        let text = |n: u8| TEXTS[usize::from(n) % TEXTS.len()];
        let mut buffer = EventBuffer::new();
        for [comment, name, id, retry, data] in events {
            let mut event = name.map_or_else(Event::new, |n| Event::named(format!("n{}", n % 9)));
            if let Some(n) = comment {
                event = event.comment(text(n));
            }
            if let Some(n) = id {
                event = event.id(n);
            }
            if let Some(n) = retry {
                event = event.retry(Duration::from_secs(n.into()));
            }
            if let Some(n) = data {
                event = event.data(text(n));
            }
            buffer.write(&event).unwrap();
        }
        let before = buffer.take_block();
        let mut batch = Batch::new();
        batch.push_block(&before);
        let log = log();
        log.append_batch(&batch, Instant::now()).unwrap();
        let mut reader = log.reader_from_start();
        let after = reader.next_ready().map_or(Bytes::new(), |read| match read {
            Read::Block(block) => block.bytes().clone(),
            other => panic!("{other:?}"),
        });

        let decode = |bytes: Bytes| {
            let mut decoder = Decoder::new();
            decoder.push(bytes);
            let mut events = Vec::new();
            while let Some(event) = decoder.next_event().unwrap() {
                let id = event.id().map(str::to_owned);
                events.push((event.event().to_owned(), event.data().to_owned(), id));
            }
            events
        };
        let mut expected = decode(before.bytes().clone());
        for (event, n) in expected.iter_mut().zip(1..) {
            event.2 = Some(at(n).to_string());
        }
        prop_assert_eq!(decode(after), expected);
    }
}

#[test]
fn a_block_without_ids_is_an_event_like_others() {
    let log = log();
    let event = Block::encode(&Event::new().data("x")).unwrap();
    assert_eq!(log.append(&event, Instant::now()).unwrap(), Some(at(1)));
    assert_eq!(block(&mut log.reader_from_start()), "id: 7.1\ndata: x\n\n");
}

#[test]
fn a_store_gets_the_bytes_that_readers_get() {
    let head = Cursor::new(3, 10);
    let log = Log::starting_after(head, Retention::default());
    let mut reader = log.reader_after(head).unwrap();
    let mut batch = Batch::new();
    for note in [all("a"), never("b"), latest("k", "c")] {
        batch.push(&note).unwrap();
    }
    let first = Cursor::new(3, 11);
    let stored: Vec<Block> = batch.blocks(first).collect();
    let ids = stored.iter().map(|block| block.last_id().unwrap().as_str());
    assert_eq!(ids.collect::<Vec<_>>(), ["3.11", "3.12"]);

    assert_eq!(
        log.append_stored(first, &batch, Instant::now()).unwrap(),
        Some(Cursor::new(3, 12))
    );
    let bytes = stored
        .iter()
        .flat_map(|block| block.bytes().to_vec())
        .collect::<Vec<_>>();
    assert_eq!(bytes, b"id: 3.11\ndata: a\n\nid: 3.12\ndata: c\n\n");
    assert_eq!(
        block(&mut reader),
        "id: 3.11\ndata: a\n\ndata: b\n\nid: 3.12\ndata: c\n\n"
    );

    let error = log
        .append_stored(first, &batch, Instant::now())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the next entry of the log is 3.13, not this one"
    );
}

#[test]
fn sequence_numbers_never_wrap() {
    let log = Log::starting_after(at(u64::MAX - 1), Retention::default());
    assert_eq!(
        log.append(&all("last"), Instant::now()).unwrap(),
        Some(at(u64::MAX))
    );
    let error = log.append(&all("more"), Instant::now()).unwrap_err();
    assert!(matches!(error, AppendError::Exhausted));
    let mut batch = Batch::new();
    batch.push(&all("more")).unwrap();
    assert_eq!(batch.blocks(at(u64::MAX)).count(), 1);
    let error = log.append_stored(at(u64::MAX), &batch, Instant::now());
    assert!(matches!(error, Err(AppendError::Exhausted)));
    assert_eq!(
        block(&mut log.reader_from_start()),
        "id: 7.18446744073709551615\ndata: last\n\n"
    );
}
