//! The rules of the format, one test each (HTML §9.2.5 and §9.2.6).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;
use sse_core::{
    Decoder, EncodeError, Event, EventId, EventName, EventWriter, FieldError, LimitError, Limits,
    RetryDelay, Rule, SseEvent,
};
use sse_tower_tests::{Seen, read};

/// Every way of cutting has to give the same.
const STEPS: [usize; 5] = [usize::MAX, 1, 2, 3, 7];

fn read_in_steps(decoder: &mut Decoder, bytes: &[u8], step: usize) -> Seen {
    read(decoder, bytes.chunks(step.min(bytes.len().max(1))))
}

mod decoding {
    use super::*;

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
}

mod limits {
    use super::*;

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
}

mod encoding {
    use super::*;

    #[track_caller]
    fn check(event: impl SseEvent, want: &str) {
        let mut writer = EventWriter::new();
        writer.write(&event).unwrap();
        assert_eq!(str::from_utf8(writer.as_bytes()), Ok(want));
    }

    /// The event is refused for this rule, and the bytes before it are all there is.
    #[track_caller]
    fn refused(event: impl SseEvent, want: Option<Rule>) {
        let mut writer = EventWriter::new();
        writer.write(&Event::new().id(1).data("before")).unwrap();
        let error = writer.write(&event).unwrap_err();
        assert_eq!(error.as_field_error().map(FieldError::rule), want);
        assert_eq!(writer.last_id(), Some(EventId::from(1)));
        writer.write(&Event::new().data("after")).unwrap();
        assert_eq!(writer.take(), "id: 1\ndata: before\n\ndata: after\n\n");
    }

    /// An event whose fields are written by a closure.
    struct Fields<F>(F);

    impl<F: Fn(&mut EventWriter) -> Result<(), EncodeError>> SseEvent for Fields<F> {
        fn event_name(&self) -> Option<&str> {
            None
        }

        fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
            (self.0)(w)
        }
    }

    fn fields<F: Fn(&mut EventWriter) -> Result<(), EncodeError>>(write: F) -> Fields<F> {
        Fields(write)
    }

    /// Displays a part and then fails.
    struct Broken(&'static str);

    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn fields_stand_in_a_fixed_order() {
        check(
            Event::named("e")
                .data("d")
                .retry(Duration::from_secs(1))
                .id(7)
                .comment("c"),
            ": c\nevent: e\nid: 7\nretry: 1000\ndata: d\n\n",
        );
    }

    #[test]
    fn data_is_split_at_every_line_ending() {
        check(Event::new().data("a\nb"), "data: a\ndata: b\n\n");
        check(Event::new().data("a\r\nb"), "data: a\ndata: b\n\n");
        check(Event::new().data("a\rb"), "data: a\ndata: b\n\n");
        check(Event::new().data("a\n\rb"), "data: a\ndata: \ndata: b\n\n");
        check(Event::new().data("a\n"), "data: a\ndata: \n\n");
        check(Event::new().data("\r\n"), "data: \ndata: \n\n");
    }

    #[test]
    fn spaces_survive_and_empty_data_fires() {
        check(Event::new().data("  a"), "data:   a\n\n");
        check(Event::new().data("\n a"), "data: \ndata:  a\n\n");
        check(Event::new().data(""), "data:\n\n");
        check(Event::named("e"), "event: e\ndata:\n\n");
    }

    #[test]
    fn comments_are_split_and_alone_end_no_block() {
        check(Event::new().comment("a\r\nb\rc\n"), ": a\n: b\n: c\n:\n");
        check(Event::new().comment(""), ":\n");
        check(Event::new(), "");
    }

    #[test]
    fn retry_is_a_number_and_nothing_else() {
        check(
            Event::new().retry(RetryDelay::from_millis(0)),
            "retry: 0\n\n",
        );
        let longest = RetryDelay::from_millis(u64::MAX);
        check(
            Event::new().retry(longest),
            "retry: 18446744073709551615\n\n",
        );
        check(
            Event::new().retry(Duration::MAX),
            "retry: 18446744073709551615\n\n",
        );
    }

    #[test]
    fn displayed_text_and_raw_json_are_split_too() {
        check(
            fields(|w| w.text(format_args!("a\r{}", "\nb"))),
            "data: a\ndata: b\n\n",
        );
        check(fields(|w| w.text("")), "data:\n\n");
        let raw = RawValue::from_string("{\n\"a\":\r\n1}".into()).unwrap();
        check(
            fields(|w| w.json(&raw)),
            "data: {\ndata: \"a\":\ndata: 1}\n\n",
        );
        check(fields(|w| w.json("a\r\nb")), "data: \"a\\r\\nb\"\n\n");
    }

    #[test]
    fn a_line_break_cannot_start_another_field() {
        for end in ["\n", "\r", "\r\n"] {
            let evil = format!("a{end}id: 666");
            refused(
                Event::named(evil.clone()).data("x"),
                Some(Rule::NoLineBreak),
            );
            refused(Event::new().id(&evil).data("x"), Some(Rule::NoLineBreak));
            check(
                Event::new().data(evil.clone()),
                "data: a\ndata: id: 666\n\n",
            );
            check(Event::new().comment(evil.clone()), ": a\n: id: 666\n");
            assert!(EventName::new(evil.clone()).is_err());
            assert!(EventId::new(evil).is_err());
            refused(Event::named(end).data("x"), Some(Rule::NoLineBreak));
            refused(Event::new().id(end).data("x"), Some(Rule::NoLineBreak));
        }
    }

    #[test]
    fn nul_is_refused_where_clients_would_ignore_the_field() {
        refused(Event::new().id("1\0").data("x"), Some(Rule::NoNul));
        assert!(EventId::new("\0").is_err());
        check(Event::named("a\0").data("x"), "event: a\0\ndata: x\n\n");
        check(Event::new().data("a\0"), "data: a\0\n\n");
        check(Event::new().comment("a\0"), ": a\0\n");
    }

    #[test]
    fn names_are_not_empty_and_not_reserved() {
        refused(Event::named("").data("x"), Some(Rule::NotEmpty));
        refused(
            Event::named("sse-tower:end").data("x"),
            Some(Rule::Reserved),
        );
        refused(
            Event::new().id("sse-tower:end").data("x"),
            Some(Rule::Reserved),
        );
    }

    #[test]
    fn a_failing_event_leaves_no_bytes_behind() {
        let started = |w: &mut EventWriter| {
            w.comment("c");
            w.event("e")?;
            w.id(2)?;
            w.retry(Duration::from_secs(1));
            w.data("d");
            Ok(())
        };
        refused(
            fields(|w| started(w).and_then(|()| w.id("3\n"))),
            Some(Rule::NoLineBreak),
        );
        refused(
            fields(|w| started(w).and_then(|()| w.event("\r"))),
            Some(Rule::NoLineBreak),
        );
        refused(
            fields(|w| started(w).and_then(|()| w.id(Broken("3")))),
            None,
        );
        refused(
            fields(|w| started(w).and_then(|()| w.text(Broken("t")))),
            None,
        );
        let keys_are_no_text = BTreeMap::from([((1, 2), 3)]);
        refused(
            fields(|w| started(w).and_then(|()| w.json(&keys_are_no_text))),
            None,
        );
    }

    #[test]
    fn a_refused_field_leaves_nothing_to_an_event_that_goes_on() {
        let evil = "1\nevent: evil\ndata: evil\n\n";
        check(
            fields(|w| {
                assert!(w.event(evil).is_err());
                assert!(w.id(evil).is_err());
                assert!(w.id(Broken(evil)).is_err());
                assert!(w.text(Broken(evil)).is_err());
                w.data("x");
                Ok(())
            }),
            "data: x\n\n",
        );
    }
}
