//! Logs that are closed, detached or gone.

use std::time::Instant;

use sse_core::log::{AppendError, Batch, Read};
use sse_core::{EncodeError, EventWriter, Missed, SseEvent};

use crate::{all, append, at, log, never, texts};

/// The stream ends after it.
struct Done;

impl SseEvent for Done {
    fn event_name(&self) -> Option<&str> {
        Some("done")
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.event("done")?;
        w.data("");
        Ok(())
    }

    fn is_terminal(&self) -> bool {
        true
    }
}

fn batch(event: &impl SseEvent) -> Batch {
    let mut batch = Batch::new();
    batch.push(event).unwrap();
    batch
}

#[test]
fn late_readers_of_a_closed_log_get_the_rest_and_the_last_event() {
    let log = log();
    append(&log, &[all("a")]);
    let mut early = log.reader();
    assert_eq!(
        log.close_with(&batch(&Done), Instant::now()).unwrap(),
        Some(at(2))
    );
    assert!(log.is_closed());

    let Some(Read::Block(last)) = early.next_ready() else {
        panic!()
    };
    assert_eq!(&last.bytes()[..], b"event: done\nid: 7.2\ndata:\n\n");
    assert!(last.is_terminal());
    for _ in 0..2 {
        assert_eq!(early.next_ready(), Some(Read::Closed));
    }

    let mut late = log.reader_after(at(0)).unwrap();
    assert!(matches!(late.next_ready(), Some(Read::Block(block)) if block.events() == 2));
    assert_eq!(late.next_ready(), Some(Read::Closed));
    assert_eq!(log.reader_after(at(2)).unwrap_err(), Missed::Closed);
    let mut new = log.reader();
    assert_eq!(new.cursor(), at(1));
    assert!(matches!(new.next_ready(), Some(Read::Block(block)) if block == last));
    assert_eq!(new.next_ready(), Some(Read::Closed));
}

#[test]
fn a_closed_log_takes_nothing_and_stays_closed() {
    let log = log();
    let mut reader = log.reader();
    log.close();
    for error in [
        log.append(&all("a"), Instant::now()).unwrap_err(),
        log.append_batch(&Batch::new(), Instant::now()).unwrap_err(),
        log.close_with(&batch(&all("a")), Instant::now())
            .unwrap_err(),
    ] {
        assert!(matches!(error, AppendError::Closed));
    }
    log.detach();
    log.close();
    assert_eq!(reader.next_ready(), Some(Read::Closed));
    drop(log);
    assert_eq!(reader.next_ready(), Some(Read::Closed));
}

#[test]
fn a_live_only_last_event_is_kept() {
    let log = log();
    log.close_with(&batch(&never("end")), Instant::now())
        .unwrap();
    assert_eq!(texts(&mut log.reader_from_start()), ["end"]);
}

#[test]
fn a_block_ends_with_a_terminal_event() {
    let log = log();
    log.append(&Done, Instant::now()).unwrap();
    append(&log, &[all("a")]);
    let mut reader = log.reader_from_start();
    let mut ends = Vec::new();
    while let Some(Read::Block(block)) = reader.next_ready() {
        ends.push((block.events(), block.is_terminal()));
    }
    assert_eq!(ends, [(1, true), (1, false)]);
}

#[test]
fn readers_of_a_dropped_log_get_the_rest_and_an_end_that_is_not_for_good() {
    let log = log();
    let mut reader = log.reader();
    append(&log, &[all("a")]);
    drop(log);
    assert_eq!(texts(&mut reader), ["a"]);
    assert_eq!(reader.next_ready(), Some(Read::Detached));
}

#[test]
fn a_detached_log_takes_nothing() {
    let log = log();
    log.detach();
    log.close();
    let error = log.append(&all("a"), Instant::now()).unwrap_err();
    assert!(matches!(error, AppendError::Detached));
    assert_eq!(log.reader().next_ready(), Some(Read::Detached));
}
