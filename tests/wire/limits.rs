//! How much a decoder takes before it gives up.

use sse_core::{Decoder, LimitError, Limits};
use sse_tower_tests::read;

use crate::{STEPS, read_in_steps};

const LINE: LimitError = LimitError::Line { limit: 8 };
const EVENT: LimitError = LimitError::Event { limit: 8 };

fn small() -> Decoder {
    Decoder::new().with_limits(Limits::none().with_line(8).with_event(8))
}

/// Reads `bytes` with both limits at 8 bytes: so many events, then the error, if any.
#[track_caller]
fn check(bytes: &str, events: usize, error: Option<LimitError>) {
    for step in STEPS {
        let mut decoder = small();
        let seen = read_in_steps(&mut decoder, bytes.as_bytes(), step);
        assert_eq!(
            (seen.events.len(), seen.error),
            (events, error),
            "in steps of {step}"
        );
        if error.is_some() {
            let after = read(&mut decoder, [&b"\n\ndata: x\n\n"[..]]);
            assert_eq!((after.events.len(), after.error), (0, None), "it is over");
        }
    }
}

#[test]
fn a_line_may_be_as_long_as_the_limit() {
    check("data: ab\n\n", 1, None);
    check("data: abc\n\n", 0, Some(LINE));
    check("data: ab\n\n:comment\n:comments\n", 1, Some(LINE));
}

#[test]
fn a_line_without_an_end_hits_the_limit_too() {
    check("data: a\n\n12345678", 1, None);
    check("data: a\n\n123456789", 1, Some(LINE));
}

#[test]
fn a_byte_order_mark_is_not_part_of_its_line() {
    check("\u{feff}12345678", 0, None);
    check("\u{feff}123456789", 0, Some(LINE));
    for step in STEPS {
        let mut decoder = Decoder::new().with_limits(Limits::none().with_line(1));
        let seen = read_in_steps(&mut decoder, "\u{feff}:\n".as_bytes(), step);
        assert_eq!(seen.error, None, "in steps of {step}");
    }
}

#[test]
fn the_payload_of_an_event_may_be_as_large_as_the_limit() {
    check("data: ab\ndata: cd\ndata:ef\n\n", 1, None);
    check("data: ab\ndata: cd\ndata:efg\n\n", 0, Some(EVENT));
    check(
        "data:a\n\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n",
        1,
        Some(EVENT),
    );
}

#[test]
fn each_event_counts_for_itself() {
    check(&"data: ab\ndata: cd\n\n".repeat(100), 100, None);
    check(&":comment\n".repeat(1000), 0, None);
}

#[test]
fn by_default_a_line_or_an_event_has_a_mebibyte() {
    let first_error = |bytes: Vec<u8>| read(&mut Decoder::new(), bytes.chunks(4096)).error;
    let limit = 1 << 20;
    assert_eq!(first_error(vec![b'x'; limit]), None);
    assert_eq!(
        first_error(vec![b'x'; limit + 1]),
        Some(LimitError::Line { limit })
    );
    let lines = b"data: 7 bytes\n".repeat(limit / 8);
    assert_eq!(first_error([&lines[..], b"data\n"].concat()), None);
    assert_eq!(
        first_error([&lines[..], b"data:x\n"].concat()),
        Some(LimitError::Event { limit }),
    );
}

#[test]
fn a_reconnect_starts_over_but_keeps_the_id() {
    let mut decoder = small();
    let seen = read(
        &mut decoder,
        [&b"id: 7\nretry:9\ndata\n\nid: 8\n123456789"[..]],
    );
    assert_eq!(seen.error, Some(LINE));
    assert_eq!(decoder.last_event_id(), "7");

    decoder.reconnect();
    let seen = read(&mut decoder, ["\u{feff}data: b\n\n".as_bytes()]);
    assert_eq!((&*seen.events[0].data, &*seen.events[0].id), ("b", "7"));
    assert_eq!((seen.retry, seen.error), (Some(9), None));
}

#[test]
fn a_reconnect_drops_the_unfinished_event() {
    let mut decoder = Decoder::new();
    read(&mut decoder, [&b"event: a\nid: 1\ndata: a\nda"[..]]);
    decoder.reconnect();
    let seen = read(&mut decoder, [&b"data: b\n\n"[..]]);
    let event = &seen.events[0];
    assert_eq!(
        (&*event.event, &*event.data, &*event.id),
        ("message", "b", "")
    );
}

#[test]
fn a_long_line_has_the_same_limits() {
    let limits = Limits::none().with_line(4_000).with_event(5_000);
    let line = |value: usize| format!("data: {}\n", "x".repeat(value));
    for (text, events, error) in [
        (line(3_994) + "\n", 1, None),
        (
            line(3_995) + "\n",
            0,
            Some(LimitError::Line { limit: 4_000 }),
        ),
        (
            line(3_995).trim_end().to_owned(),
            0,
            Some(LimitError::Line { limit: 4_000 }),
        ),
        (line(3_000) + &line(1_999) + "\n", 1, None),
        (
            line(3_000) + &line(2_000) + "\n",
            0,
            Some(LimitError::Event { limit: 5_000 }),
        ),
        // Whether its end has come or not.
        (
            line(3_000) + line(2_000).trim_end(),
            0,
            Some(LimitError::Event { limit: 5_000 }),
        ),
        (line(3_000) + line(1_999).trim_end(), 0, None),
    ] {
        for step in [1, 700, 1_023, 1_024, 1_460, 3_000, text.len()] {
            let mut decoder = Decoder::new().with_limits(limits);
            let seen = read_in_steps(&mut decoder, text.as_bytes(), step);
            assert_eq!(
                (seen.events.len(), seen.error),
                (events, error),
                "in steps of {step}"
            );
            if error.is_some() {
                let after = read(&mut decoder, [&b"\n\ndata: x\n\n"[..]]);
                assert_eq!((after.events.len(), after.error), (0, None), "it is over");
            }
        }
    }
}

#[test]
fn of_two_limits_that_of_the_earlier_byte_is_told() {
    let data = |value: usize| format!("data: {}\n\n", "x".repeat(value));
    let limit = 2_000;
    for (limits, text, error) in [
        (
            Limits::none().with_event(limit),
            data(2_001),
            LimitError::Event { limit },
        ),
        (
            Limits::none().with_event(limit).with_line(2_006),
            data(9_000),
            LimitError::Line { limit: 2_006 },
        ),
        (
            Limits::none().with_event(limit).with_line(2_007),
            data(9_000),
            LimitError::Event { limit },
        ),
        (
            Limits::none().with_event(limit).with_line(1_994),
            data(1_000).replace("\n\n", "\n") + &data(9_000),
            LimitError::Event { limit },
        ),
    ] {
        for step in [1, 700, 1_024, 1_460, 2_100, text.len()] {
            let mut decoder = Decoder::new().with_limits(limits);
            let seen = read_in_steps(&mut decoder, text.as_bytes(), step);
            assert_eq!(seen.error, Some(error), "{limits:?} in steps of {step}");
        }
    }
}
