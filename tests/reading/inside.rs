//! Events inside events, and events of other types.

use sse_core::{Decoder, EventBuffer, FromSseEvent, Json, RawEvent, SseEvent};

use crate::{broken, check, read, unknown};

#[test]
fn enums_inside_enums() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Numbers {
        Number(u8),
        #[sse(literal = "stop", terminal)]
        Stop,
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed)]
    enum Lists {
        List(Vec<u8>),
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum All {
        #[sse(flatten)]
        Numbers(Box<Numbers>),
        #[sse(flatten)]
        Lists(Lists),
        Own,
    }
    check("data: 1\n\n", All::Numbers(Box::new(Numbers::Number(1))));
    check("data: [1]\n\n", All::Lists(Lists::List(vec![1])));
    check("event: own\ndata: {}\n\n", All::Own);
    assert!(All::Numbers(Box::new(Numbers::Stop)).ends_stream());
    assert!(!All::Own.ends_stream());
    broken::<All>("data: {}\n\n", "expected u8");
    unknown::<All>("event: x\ndata: 1\n\n");
}

#[test]
fn a_name_that_two_enums_have_is_that_of_the_first() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum First {
        Both(u8),
        Own(u8),
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Second {
        Both(String),
        Own(String),
        Last(String),
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum All {
        #[sse(flatten)]
        First(First),
        #[sse(flatten)]
        Second(Second),
        Own(bool),
    }
    check("event: both\ndata: 1\n\n", All::First(First::Both(1)));
    check("event: own\ndata: true\n\n", All::Own(true));
    let second = Second::Last("a".into());
    check("event: last\ndata: \"a\"\n\n", All::Second(second));
    // It is no matter of whether the payload fits.
    broken::<All>("event: both\ndata: \"a\"\n\n", "expected u8");
    broken::<All>("event: own\ndata: 1\n\n", "expected a boolean");
}

#[test]
fn other_types_that_can_be_read() {
    check("event: x\nid: 1\ndata: a\n\n", {
        let mut decoder = Decoder::new();
        decoder.push("event: x\nid: 1\ndata: a\n\n");
        let event = decoder.next_event().unwrap().unwrap();
        event.clone().into_owned()
    });
    let _: RawEvent<'static> = read("data: 1\n\n").unwrap();
    check("data: [1]\n\n", Json(vec![1]));
    check("data: [1]\n\n", Box::new(Json(vec![1])));
    unknown::<Json<u8>>("event: x\ndata: 1\n\n");
}

#[test]
fn what_belongs_to_the_layer_of_an_upstream_is_not_passed_on() {
    #[derive(SseEvent, FromSseEvent, Debug)]
    enum Any {
        #[sse(other)]
        Other(RawEvent<'static>),
    }
    let passed = |bytes| {
        let event: Any = read(bytes).unwrap();
        let mut buffer = EventBuffer::new();
        buffer.write(&event).unwrap();
        String::from_utf8(buffer.take().to_vec()).unwrap()
    };
    assert_eq!(passed("event: sse-tower:x\ndata: 1\n\n"), "");
    assert_eq!(passed("id: sse-tower:q\ndata: 1\n\n"), "data: 1\n\n");
    assert_eq!(
        passed("event: a\nid: 1\ndata: 1\n\n"),
        "event: a\nid: 1\ndata: 1\n\n"
    );
}
