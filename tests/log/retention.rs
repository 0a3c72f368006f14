//! What a log keeps.

use std::time::{Duration, Instant};

use sse_core::log::{GapCause, Log, Read, Reader};
use sse_core::{Cursor, Missed, Retention};

use crate::{all, append, at, block, latest, log, never, texts};

#[track_caller]
fn gap(reader: &mut Reader, requested: u64, resume: u64) {
    let Some(Read::Gap(gap)) = reader.next_ready() else {
        panic!("no gap")
    };
    assert_eq!((gap.requested(), gap.resume()), (at(requested), at(resume)));
    assert_eq!(gap.lost(), Some(resume - requested));
}

#[test]
fn the_oldest_events_go_first_and_a_reader_is_told_exactly() {
    let log = Log::new(7, Retention::events(2));
    let mut reader = log.reader();
    append(&log, &[all("a"), all("b")]);
    assert_eq!(texts(&mut log.reader_after(at(0)).unwrap()), ["a", "b"]);
    append(&log, &[all("c"), all("d"), all("e")]);
    gap(&mut reader, 0, 3);
    assert_eq!(reader.cursor(), at(3));
    assert_eq!(texts(&mut reader), ["d", "e"]);
    assert_eq!(texts(&mut log.reader_after(at(3)).unwrap()), ["d", "e"]);

    let Err(Missed::Gap(gap)) = log.reader_after(at(2)) else {
        panic!()
    };
    assert_eq!(
        (gap.requested(), gap.resume(), gap.lost()),
        (at(2), at(3), Some(1))
    );
    assert_eq!(gap.cause(), GapCause::Evicted);
    assert_eq!(gap.to_string(), "the events from after 7.2 to 7.3 are gone");
    assert_eq!(
        texts(&mut log.reader_after(gap.resume()).unwrap()),
        ["d", "e"]
    );
}

#[test]
fn bytes_are_limited_too() {
    // `id: 7.1⏎data: a⏎⏎` has 17 bytes.
    let log = Log::new(7, Retention::events(100).bytes(34));
    append(&log, &[all("a"), all("b")]);
    assert_eq!(texts(&mut log.reader_from_start()), ["a", "b"]);
    append(&log, &[all("cc")]);
    assert_eq!(texts(&mut log.reader_from_start()), ["cc"]);
}

#[test]
fn an_event_above_the_limit_reaches_attached_readers_and_stays_until_the_next() {
    let log = Log::new(7, Retention::events(100).bytes(100));
    append(&log, &[all("a")]);
    let mut reader = log.reader();
    let large = "x".repeat(100_000);
    append(&log, &[all(large.clone())]);
    assert_eq!(texts(&mut reader), [&*large]);
    assert_eq!(texts(&mut log.reader_from_start()), [&*large]);
    append(&log, &[all("b")]);
    assert_eq!(texts(&mut log.reader_from_start()), ["b"]);
    assert_eq!(log.start(), at(2));
}

#[test]
fn no_events_at_all_is_one() {
    let log = Log::new(7, Retention::events(0));
    append(&log, &[all("a"), all("b")]);
    assert_eq!(texts(&mut log.reader_from_start()), ["b"]);
}

#[test]
fn age_removes_everything_at_the_next_append_or_when_asked() {
    let start = Instant::now();
    let after = |secs| start + Duration::from_secs(secs);
    let log = Log::new(7, Retention::events(100).age(Duration::from_secs(10)));
    log.append(&all("a"), after(0)).unwrap();
    log.append(&all("b"), after(5)).unwrap();
    let mut reader = log.reader_from_start();
    log.append(&all("c"), after(10)).unwrap();
    gap(&mut reader, 0, 1);
    assert_eq!(texts(&mut reader), ["b", "c"]);
    // A clock that went back is no reason to remove anything.
    log.evict(after(0));
    assert_eq!(texts(&mut log.reader_from_start()), ["b", "c"]);

    log.evict(after(20));
    assert_eq!(texts(&mut log.reader_from_start()), [""; 0]);
    assert_eq!((log.start(), log.head()), (at(3), at(3)));
    assert_eq!(reader.next_ready(), None, "it was sent everything before");
    let Err(Missed::Gap(_)) = log.reader_after(at(2)) else {
        panic!()
    };
}

#[test]
fn the_last_event_of_a_closed_log_has_no_age() {
    let start = Instant::now();
    let log = Log::new(7, Retention::events(100).age(Duration::from_secs(10)));
    log.append(&all("a"), start).unwrap();
    log.append(&all("end"), start).unwrap();
    log.close();
    log.evict(start + Duration::from_secs(1000));
    assert_eq!(texts(&mut log.reader_from_start()), ["end"]);
}

#[test]
fn cursors_that_the_log_does_not_know_are_told() {
    let log = Log::starting_after(at(5), Retention::default());
    append(&log, &[all("a")]);
    let cause = |cursor| match log.reader_after(cursor) {
        Err(Missed::Gap(gap)) => {
            assert_eq!((gap.requested(), gap.resume()), (cursor, at(5)));
            Some((gap.cause(), gap.lost()))
        }
        _ => None,
    };
    assert_eq!(cause(at(4)), Some((GapCause::Evicted, Some(1))));
    assert_eq!(cause(at(5)), None);
    assert_eq!(cause(at(6)), None);
    assert_eq!(cause(at(7)), Some((GapCause::Future, None)));
    assert_eq!(cause(at(u64::MAX)), Some((GapCause::Future, None)));
    assert_eq!(cause(Cursor::new(6, 6)), Some((GapCause::Epoch, None)));
}

#[test]
fn the_newest_of_a_key_replaces_the_others_and_that_is_no_gap() {
    let log = log();
    append(
        &log,
        &[
            latest("x", "x1"),
            all("a"),
            latest("y", "y1"),
            latest("x", "x2"),
        ],
    );
    assert_eq!(
        block(&mut log.reader_after(at(0)).unwrap()),
        "id: 7.2\ndata: a\n\nid: 7.3\ndata: y1\n\nid: 7.4\ndata: x2\n\n"
    );
    append(&log, &[latest("y", "y2")]);
    let mut reader = log.reader_from_start();
    assert_eq!(texts(&mut reader), ["a", "x2", "y2"]);
    assert_eq!(reader.cursor(), at(5));
}

#[test]
fn a_hole_where_another_read_ended_is_no_hole_in_what_is_read() {
    let log = log();
    let mut fast = log.reader();
    append(&log, &[all("a")]);
    assert_eq!(texts(&mut fast), ["a"]);
    append(&log, &[latest("x", "b"), all("c"), latest("x", "d")]);
    assert_eq!(texts(&mut fast), ["c", "d"]);
    assert_eq!(texts(&mut log.reader_from_start()), ["a", "c", "d"]);
}

#[test]
fn replaced_events_make_room() {
    let log = Log::new(7, Retention::events(2));
    append(
        &log,
        &[
            all("a"),
            latest("x", "x1"),
            latest("x", "x2"),
            latest("x", "x3"),
        ],
    );
    assert_eq!(texts(&mut log.reader_after(at(0)).unwrap()), ["a", "x3"]);
    // Once it was removed, its key is free.
    append(&log, &[all("b"), all("c"), latest("x", "x4")]);
    assert_eq!(texts(&mut log.reader_from_start()), ["c", "x4"]);
}

#[test]
fn live_only_events_are_for_those_who_are_there() {
    let log = log();
    append(&log, &[never("nobody")]);
    let mut early = log.reader();
    let mut slow = log.reader();
    append(&log, &[all("a"), never("n"), all("b")]);
    assert_eq!(
        block(&mut early),
        "id: 7.1\ndata: a\n\ndata: n\n\nid: 7.2\ndata: b\n\n"
    );
    let mut late = log.reader_after(at(0)).unwrap();
    append(&log, &[never("m")]);
    assert_eq!(texts(&mut late), ["a", "b", "m"]);
    assert_eq!(texts(&mut early), ["m"]);
    assert_eq!(texts(&mut slow), ["a", "n", "b", "m"]);
    assert_eq!(log.head(), at(2));
}

#[test]
fn who_comes_late_to_the_same_place_is_given_no_live_only_event() {
    let log = log();
    append(&log, &[all("a")]);
    let mut early = [log.reader(), log.reader()];
    append(&log, &[latest("x", "x1"), never("n"), latest("x", "x2")]);
    let mut late = [(); 2].map(|()| log.reader_after(at(1)).unwrap());
    for (late, early) in late.iter_mut().zip(&mut early) {
        assert_eq!(texts(late), ["x2"]);
        assert_eq!(texts(early), ["n", "x2"]);
    }
}

#[test]
fn live_only_events_do_not_push_out_what_is_kept() {
    let log = Log::new(7, Retention::events(2));
    let mut reader = log.reader();
    append(&log, &[all("a")]);
    for n in 0..1000 {
        append(&log, &[never(n.to_string())]);
    }
    assert_eq!(texts(&mut log.reader_from_start()), ["a"]);
    // Whoever is too far behind has the newest of them, and is told nothing.
    let read = texts(&mut reader);
    assert_eq!(
        (read.len(), &read[0][..], &read[1][..], &read[256][..]),
        (257, "a", "744", "999")
    );

    let large = "x".repeat(40_000);
    append(
        &log,
        &[never(large.clone()), never("y"), never(large.clone())],
    );
    assert_eq!(texts(&mut reader), ["y", &large]);
}
