//! How a client reads a stream (HTML §9.2.5 and §9.2.6).

use std::time::Duration;

use sse_core::Decoder;
use sse_tower_tests::read;

use crate::{STEPS, read_in_steps};

/// Reads `bytes` and compares with `(type, data, last event id)` of each event.
#[track_caller]
fn check(bytes: impl AsRef<[u8]>, want: &[(&str, &str, &str)]) {
    for step in STEPS {
        let seen = read_in_steps(&mut Decoder::new(), bytes.as_ref(), step);
        let events: Vec<_> = seen
            .events
            .iter()
            .map(|e| (&*e.event, &*e.data, &*e.id))
            .collect();
        assert_eq!(events, want, "in steps of {step}");
    }
}

#[track_caller]
fn check_retry(bytes: &str, want: Option<u128>) {
    for step in STEPS {
        let seen = read_in_steps(&mut Decoder::new(), bytes.as_bytes(), step);
        assert_eq!(seen.retry, want, "in steps of {step}");
    }
}

#[test]
fn lines_end_with_lf_cr_or_crlf() {
    let want = [("e", "a\nb", ""), ("message", "c", "")];
    check("event: e\ndata: a\ndata: b\n\ndata: c\n\n", &want);
    check("event: e\rdata: a\rdata: b\r\rdata: c\r\r", &want);
    check(
        "event: e\r\ndata: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n",
        &want,
    );
    check("event: e\ndata: a\r\ndata: b\r\n\ndata: c\n\r\n", &want);
    check(
        "data: a\n\rdata: b\n\n",
        &[("message", "a", ""), ("message", "b", "")],
    );
    check(
        "data: a\u{2028}\u{85}\x0bb\n\n",
        &[("message", "a\u{2028}\u{85}\x0bb", "")],
    );
}

#[test]
fn an_event_is_out_with_the_first_byte_of_its_blank_line() {
    for bytes in ["data: a\n\n", "data: a\r\r", "data: a\r\n\r", "data: a\n\r"] {
        let mut decoder = Decoder::new();
        let (start, last) = bytes.as_bytes().split_at(bytes.len() - 1);
        assert_eq!(read(&mut decoder, [start]).events.len(), 0, "{bytes:?}");
        assert_eq!(read(&mut decoder, [last]).events.len(), 1, "{bytes:?}");
    }
}

#[test]
fn one_space_after_the_colon_is_dropped() {
    check("data:a\n\n", &[("message", "a", "")]);
    check("data: a\n\n", &[("message", "a", "")]);
    check("data:  a \n\n", &[("message", " a ", "")]);
    check("data:\ta\n\n", &[("message", "\ta", "")]);
    check("event:  e\nid:  7\ndata:\n\n", &[(" e", "", " 7")]);
    check(" data: a\ndata : b\n\n", &[]);
}

#[test]
fn one_byte_order_mark_is_dropped() {
    check("\u{feff}data: a\n\n", &[("message", "a", "")]);
    check("\u{feff}\u{feff}data: a\n\n", &[]);
    check("data: a\n\n\u{feff}data: b\n\n", &[("message", "a", "")]);
    check("data: \u{feff}a\n\n", &[("message", "\u{feff}a", "")]);
    check(b"\xef\xbbdata: a\n\ndata: b\n\n", &[("message", "b", "")]);
}

#[test]
fn comments_and_unknown_fields_are_skipped() {
    check(
        ": a\ndata: a\n:\n::\ndata: b\n: c\n\n",
        &[("message", "a\nb", "")],
    );
    check(
        "foo: x\nDATA: y\ndata-x: z\ndata: a\n\n",
        &[("message", "a", "")],
    );
    check(": only\n\n\n\n", &[]);
}

#[test]
fn a_line_without_a_colon_is_a_name() {
    check("data\n\n", &[("message", "", "")]);
    check("data\ndata\n\n", &[("message", "\n", "")]);
    check(
        "id: 7\nid\nevent: e\nevent\ndata\n\n",
        &[("message", "", "")],
    );
    check("dat\n\n", &[]);
}

#[test]
fn an_event_needs_data_but_not_content() {
    check("event: e\n\ndata: a\n\n", &[("message", "a", "")]);
    check("event: e\ndata:\n\n", &[("e", "", "")]);
    check("data:\ndata:\n\n", &[("message", "\n", "")]);
    check(
        "data: a\ndata:\ndata: b\ndata:\n\n",
        &[("message", "a\n\nb\n", "")],
    );
}

#[test]
fn an_unfinished_event_is_discarded() {
    check("data: a\n\ndata: b\n", &[("message", "a", "")]);
    check("data: a\n\ndata: b", &[("message", "a", "")]);
    check("id: 7\ndata: a", &[]);
}

#[test]
fn the_last_name_and_id_of_a_block_win() {
    check(
        "event: a\nevent: b\nid: 1\nid: 2\ndata:\n\n",
        &[("b", "", "2")],
    );
    check("event: a\nevent:\ndata:\n\n", &[("message", "", "")]);
}

#[test]
fn ids_persist_until_replaced() {
    check(
        "id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid:\ndata: d\n\n",
        &[
            ("message", "a", "1"),
            ("message", "b", "1"),
            ("message", "c", "2"),
            ("message", "d", ""),
        ],
    );
}

#[test]
fn ids_with_nul_are_ignored() {
    check("id: 1\nid: 2\0\ndata: a\n\n", &[("message", "a", "1")]);
    check("id: \0\ndata: a\n\n", &[("message", "a", "")]);
}

#[test]
fn an_id_counts_from_the_blank_line_on() {
    let mut decoder = Decoder::new().with_last_event_id("0");
    assert_eq!(read(&mut decoder, [&b"id: 1\n"[..]]).last_event_id, "0");
    assert_eq!(read(&mut decoder, [&b"\n"[..]]).last_event_id, "1");
}

#[test]
fn an_event_knows_what_it_carries_itself() {
    let mut decoder = Decoder::new();
    decoder.push("id: 1\nretry: 5\ndata: a\n\ndata: b\n\nid\ndata: c\n\n");
    let mut own = Vec::new();
    while let Some(event) = decoder.next_event().unwrap() {
        own.push((event.id().map(str::to_owned), event.retry()));
    }
    let five = Some(Duration::from_millis(5));
    assert_eq!(
        own,
        [
            (Some("1".into()), five),
            (None, None),
            (Some("".into()), None)
        ]
    );
}

#[test]
fn retry_is_digits_only_and_effective_at_once() {
    check_retry("retry: 1500\n", Some(1500));
    check_retry("retry:007\r", Some(7));
    check_retry("retry: 1\nretry: 2\n", Some(2));
    check_retry("retry: 1500", None);
    for bad in [
        "", " ", " 5", "5 ", "-5", "+5", "5.0", "5e3", "0x5", "٥", "5\0",
    ] {
        check_retry(&format!("retry: {bad}\n\n"), None);
        check_retry(&format!("retry: 9\nretry: {bad}\n\n"), Some(9));
    }
    check_retry("retry\n", None);
}

#[test]
fn a_retry_beyond_64_bits_is_the_largest() {
    check_retry("retry: 18446744073709551615\n", Some(u64::MAX.into()));
    check_retry("retry: 18446744073709551616\n", Some(u64::MAX.into()));
    check_retry(
        &format!("retry: {}\n", "9".repeat(400)),
        Some(u64::MAX.into()),
    );
    check_retry(&format!("retry: {}\n", "9".repeat(400) + "x"), None);
}

#[test]
fn bytes_that_are_no_utf8_are_replaced() {
    check(b"data: a\xffb\n\n", &[("message", "a\u{fffd}b", "")]);
    check(b"data: \xe2\x82\n\n", &[("message", "\u{fffd}", "")]);
    check(
        b"event: \xc0\xaf\nid: \xf0\x9f\ndata:\n\n",
        &[("\u{fffd}\u{fffd}", "", "\u{fffd}")],
    );
    check("data: 豆😀\n\n", &[("message", "豆😀", "")]);
}

#[test]
fn a_long_line_reads_the_same_however_it_is_cut() {
    let ends = ["\n", "\r", "\r\n"];
    let values = [
        "x".repeat(1_000),
        "é豆😀".repeat(300),
        "x: data".repeat(200),
        " ".repeat(3_000),
    ];
    for (at, end) in ends.into_iter().enumerate() {
        let blank = ends[(at + 1) % 3];
        for value in &values {
            // The character at the end of the first line is cut for good, and an unknown field
            // is as long.
            let text = [
                format!("\u{feff}event: e{end}data: first{end}data:{value}").into_bytes(),
                b"\xf0\x9f".to_vec(),
                format!("{end}{value}{end}data{end}id: 1{end}{end}").into_bytes(),
                format!("data: {value}{end}data: {value}{end}:{blank}{blank}data: {value}")
                    .into_bytes(),
            ]
            .concat();
            let first = value.strip_prefix(' ').unwrap_or(value);
            let want = [
                ("e", format!("first\n{first}\u{fffd}\n"), "1"),
                ("message", format!("{value}\n{value}"), "1"),
            ];
            for step in (1..=8).chain([100, 1_023, 1_024, 1_025, 1_460, 5_000, text.len()]) {
                let mut decoder = Decoder::new();
                let mut kept = Vec::new();
                for chunk in text.chunks(step) {
                    decoder.push(chunk);
                    while let Some(event) = decoder.next_event().unwrap() {
                        let copy = event.clone();
                        let own = event.into_owned();
                        assert_eq!(own, copy);
                        kept.push(own);
                    }
                }
                let seen: Vec<_> = kept
                    .iter()
                    .map(|e| (e.event(), e.data().to_owned(), e.last_event_id()))
                    .collect();
                assert!(
                    seen == want,
                    "in steps of {step}, with {end:?}: {:.60?}",
                    seen
                );
            }
        }
    }
}

#[test]
fn chunks_may_be_pushed_before_events_are_taken() {
    let long = "x".repeat(3_000);
    let text = format!("data: {long}\nevent: e\n\ndata: b\n\ndata: {long}\r\n\r\n");
    let want = read_in_steps(&mut Decoder::new(), text.as_bytes(), usize::MAX);
    assert_eq!(want.events.len(), 3);
    for cut in 0..text.len() {
        let mut decoder = Decoder::new();
        let (before, after) = text.as_bytes().split_at(cut);
        let mut seen = read(&mut decoder, [before]).events;
        for chunk in after.chunks(700) {
            decoder.push(chunk);
        }
        seen.extend(read(&mut decoder, [&b""[..]]).events);
        assert_eq!(seen, want.events, "cut at {cut}");
    }
}

#[test]
fn a_long_line_does_not_outlive_its_connection() {
    let mut decoder = Decoder::new();
    read(
        &mut decoder,
        [format!("data: {}", "x".repeat(2_000)).as_bytes()],
    );
    decoder.reconnect();
    let seen = read(&mut decoder, [&b"data: b\n\n"[..]]);
    assert_eq!(seen.events.len(), 1);
    assert_eq!(seen.events[0].data, "b");
}
