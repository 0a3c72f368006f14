//! What events look like on the wire, and which never get there.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use serde_json::value::RawValue;
use sse_core::{
    Block, EncodeError, Event, EventBuffer, EventId, EventName, EventWriter, FieldError, Keep,
    RetryDelay, Rule, SseEvent, SseEventExt as _,
};

#[track_caller]
fn check(event: impl SseEvent, want: &str) {
    let mut buffer = EventBuffer::new();
    buffer.write(&event).unwrap();
    assert_eq!(str::from_utf8(buffer.as_bytes()), Ok(want));
}

/// The event is refused for this rule, and the bytes before it are all there is.
#[track_caller]
fn refused(event: impl SseEvent, want: Option<Rule>) {
    let mut buffer = EventBuffer::new();
    buffer.write(&Event::new().id(1).data("before")).unwrap();
    let error = buffer.write(&event).unwrap_err();
    assert_eq!(error.as_field_error().map(FieldError::rule), want);
    assert_eq!(buffer.last_id(), Some("1"));
    buffer.write(&Event::new().data("after")).unwrap();
    assert_eq!(buffer.take(), "id: 1\ndata: before\n\ndata: after\n\n");
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

#[test]
fn a_payload_that_failed_leaves_no_line_even_if_the_event_goes_on() {
    let swallows = fields(|w| {
        w.comment("c");
        let _ = w.text(Broken("half"));
        Ok(())
    });
    check(swallows, ": c\n");
    let goes_on = fields(|w| {
        let _ = w.text(Broken("half"));
        w.data("whole");
        Ok(())
    });
    check(goes_on, "data: whole\n\n");
}

#[test]
fn an_event_that_panics_leaves_nothing_behind() {
    let mut buffer = EventBuffer::new();
    buffer.write(&Event::new().id(1).data("before")).unwrap();
    let panics = fields(|w| {
        w.event("half")?;
        w.id(2)?;
        panic!("as arranged");
    });
    let write = AssertUnwindSafe(|| buffer.write(&panics));
    assert!(catch_unwind(write).is_err());
    assert_eq!(buffer.last_id(), Some("1"));
    buffer.write(&Event::new().data("after")).unwrap();
    assert_eq!(buffer.take(), "id: 1\ndata: before\n\ndata: after\n\n");
}

#[test]
fn a_literal_is_checked_like_any_other_text() {
    for bad in ["", "a\rb", "a\nb", "a\r\nb", "sse-tower:end"] {
        assert!(EventName::new(bad).is_err(), "{bad:?}");
        assert!(
            catch_unwind(|| EventName::from_static(bad)).is_err(),
            "{bad:?}"
        );
    }
    for bad in ["a\rb", "a\nb", "a\r\nb", "a\0", "sse-tower:end"] {
        assert!(EventId::new(bad).is_err(), "{bad:?}");
        assert!(
            catch_unwind(|| EventId::from_static(bad)).is_err(),
            "{bad:?}"
        );
    }
}

#[test]
fn an_event_may_fail_with_an_error_of_its_own() {
    let error = EventBuffer::new().write(&fields(|_| Err(EncodeError::custom("no picture"))));
    assert_eq!(error.unwrap_err().to_string(), "no picture");
}

#[test]
fn an_id_that_fails_to_display_is_an_error() {
    refused(Event::new().id(Broken("7")).data("x"), None);
}

#[test]
fn the_last_id_is_that_of_a_copied_block_too() {
    let block = Block::encode(&Event::new().id(7).data("b")).unwrap();
    let mut buffer = EventBuffer::new();
    buffer.write(&Event::new().id(1).data("a")).unwrap();
    buffer.write(&block).unwrap();
    assert_eq!((buffer.events(), buffer.last_id()), (2, Some("7")));
    let both = buffer.take_block();
    assert_eq!(
        (both.events(), both.last_id()),
        (2, Some(&EventId::from(7)))
    );
    assert_eq!((buffer.events(), buffer.last_id()), (0, None));
}

#[test]
fn what_is_added_from_outside_gives_way() {
    let event = fields(|w| {
        w.retry(Duration::from_secs(1));
        w.data("x");
        Ok(())
    });
    check(
        event.with_retry(Duration::from_secs(9)),
        "retry: 1000\ndata: x\n\n",
    );
    let named = fields(|w| w.event("a"));
    check(named.with_id(3), "event: a\nid: 3\n\n");
}

#[test]
fn what_clients_do_not_see_gets_no_id() {
    #[derive(SseEvent)]
    enum Unseen {
        #[sse(skip)]
        Nothing,
        #[sse(comment)]
        Heartbeat,
    }
    check(Unseen::Nothing.with_id(7), "");
    check(Unseen::Heartbeat.with_id(7), ":\n");
    let both = Unseen::Heartbeat
        .with_id(7)
        .with_retry(Duration::from_secs(1));
    check(both, ":\nretry: 1000\n\n");
}

#[test]
fn a_pointer_keeps_what_its_event_says() {
    struct Quiet;
    impl SseEvent for Quiet {
        fn event_name(&self) -> Option<&str> {
            Some("quiet")
        }
        fn encode(&self, _: &mut EventWriter) -> Result<(), EncodeError> {
            Ok(())
        }
        fn is_terminal(&self) -> bool {
            true
        }
        fn declares_id(&self) -> bool {
            true
        }
        fn keep(&self) -> Keep<'_> {
            Keep::Never
        }
    }
    fn ask(event: &dyn SseEvent) {
        assert_eq!(event.event_name(), Some("quiet"));
        assert!(event.is_terminal() && event.declares_id());
        assert_eq!(event.keep(), Keep::Never);
    }
    ask(&Quiet);
    ask(&&Quiet);
    ask(&Box::new(Quiet));
    ask(&std::sync::Arc::new(Quiet));
    ask(&Quiet.with_retry(Duration::ZERO));
}
