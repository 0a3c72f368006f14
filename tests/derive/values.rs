//! Values that are special, or refused.

use std::fmt::Display;

use serde::Serialize;
use sse_core::{Block, EventBuffer, SseEvent};

use crate::check;

#[test]
fn an_id_is_what_its_whole_path_says() {
    mod my {
        #[expect(non_camel_case_types, reason = "a name that is known")]
        pub(super) struct u64;

        impl std::fmt::Display for u64 {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("mine")
            }
        }
    }
    #[derive(SseEvent)]
    enum Ids {
        A(#[sse(id)] my::u64),
        B(#[sse(id)] Option<my::u64>),
        C(#[sse(id)] std::primitive::u64),
    }
    check(&Ids::A(my::u64), "event: a\nid: mine\ndata: {}\n\n");
    check(&Ids::B(Some(my::u64)), "event: b\nid: mine\ndata: {}\n\n");
    check(&Ids::C(7), "event: c\nid: 7\ndata: {}\n\n");
}

#[test]
fn a_time_on_a_variant_is_one_that_every_client_understands() {
    #[derive(SseEvent)]
    #[sse(data = "empty")]
    enum Later {
        #[sse(retry = "1ms")]
        Soon,
        #[sse(retry = "1000h")]
        Late,
    }
    check(&Later::Soon, "event: soon\nretry: 1\ndata:\n\n");
    check(&Later::Late, "event: late\nretry: 2147483647\ndata:\n\n");
}

#[test]
fn each_line_of_a_value_has_its_key() {
    #[derive(SseEvent)]
    #[sse(data = "lines")]
    enum Patch {
        Elements {
            mode: &'static str,
            html: &'static str,
        },
    }
    let event = Patch::Elements {
        mode: "append",
        html: "<p>\r\na\rb\n</p>",
    };
    let mut buffer = EventBuffer::new();
    buffer.write(&event).unwrap();
    assert_eq!(
        str::from_utf8(buffer.as_bytes()).unwrap(),
        "event: elements\ndata: mode append\ndata: html <p>\ndata: html a\ndata: html b\ndata: html </p>\n\n"
    );
}

#[test]
fn values_that_cannot_be_written_leave_no_trace() {
    struct Refuses;
    impl Display for Refuses {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }
    impl Serialize for Refuses {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("refused"))
        }
    }
    #[derive(SseEvent)]
    enum Refused {
        #[sse(comment)]
        Comment(Refuses),
        #[sse(data = "lines")]
        Text { fine: u8, refuses: Refuses },
        #[sse(data = "lines")]
        Json {
            #[sse(json)]
            refuses: Refuses,
        },
        Row {
            #[sse(event)]
            name: &'static str,
        },
    }
    let text = Refused::Text {
        fine: 1,
        refuses: Refuses,
    };
    let json = Refused::Json { refuses: Refuses };
    let name = Refused::Row { name: "a\nid: 7" };
    for event in [Refused::Comment(Refuses), text, json, name] {
        let mut writer = EventBuffer::new();
        assert!(writer.write(&event).is_err());
        assert!(writer.is_empty());
    }
}

#[test]
fn encoded_blocks_inside_an_enum_are_not_copied() {
    #[derive(SseEvent)]
    enum Relayed {
        #[sse(flatten)]
        Encoded(Block),
        Own,
    }
    let block = Block::encode(&Relayed::Own).unwrap();
    let relayed = Relayed::Encoded(block.clone());
    assert_eq!(
        relayed.block().unwrap().bytes().as_ptr(),
        block.bytes().as_ptr()
    );
    assert!(Relayed::Own.block().is_none());
    check(&relayed, "event: own\ndata: {}\n\n");
}
