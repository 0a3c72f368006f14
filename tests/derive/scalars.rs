//! Texts, numbers and truth values, which are written without serde.

use std::borrow::Cow;

use serde::Serialize;
use sse_core::SseEvent;

use crate::{check, check_payload};

#[derive(Serialize, SseEvent)]
#[serde(untagged)]
enum Scalars<'a> {
    Texts {
        owned: String,
        borrowed: &'a str,
        both: Cow<'a, str>,
        boxed: Box<str>,
        letter: char,
        reference: &'a &'a String,
    },
    Integers {
        a: u8,
        b: i8,
        c: u16,
        d: i16,
        e: u32,
        f: i32,
        g: u64,
        h: i64,
        i: u128,
        j: i128,
        k: usize,
        l: isize,
        m: &'a u64,
    },
    Others {
        yes: bool,
        no: bool,
        short: f32,
        long: f64,
        none: f64,
        maybe: Option<bool>,
    },
    One(String),
    Two(bool, &'a str),
}

#[test]
fn scalars_are_what_serde_json_makes_of_them() {
    let text = "a \"b\" \\ \u{1}é".to_owned();
    let all = [
        Scalars::Texts {
            owned: text.clone(),
            borrowed: &text,
            both: Cow::Borrowed(&text),
            boxed: text.as_str().into(),
            letter: '"',
            reference: &&text,
        },
        Scalars::Integers {
            a: u8::MAX,
            b: i8::MIN,
            c: u16::MAX,
            d: i16::MIN,
            e: u32::MAX,
            f: i32::MIN,
            g: u64::MAX,
            h: i64::MIN,
            i: u128::MAX,
            j: i128::MIN,
            k: 0,
            l: -1,
            m: &7,
        },
        Scalars::Others {
            yes: true,
            no: false,
            short: 0.1,
            long: 1e300,
            none: f64::NAN,
            maybe: Some(true),
        },
        Scalars::One(text.clone()),
        Scalars::Two(false, &text),
    ];
    for event in &all {
        check_payload(event, event);
    }
}

#[test]
fn every_letter_is_escaped_as_serde_json_does_wherever_it_stands() {
    let mut letters: Vec<char> = ('\0'..='\u{a0}').collect();
    letters.extend(['é', '\u{2028}', '😀']);
    for letter in letters {
        for before in 0..100 {
            let text = format!("{}{letter}{}", "x".repeat(before), "y".repeat(before % 40));
            check_payload(&Scalars::One(text.clone()), &text);
        }
    }
    let dense = "\"\\\n\r\t\u{8}\u{c}\0\u{7f}".repeat(30);
    check_payload(&Scalars::One(dense.clone()), &dense);
}

#[test]
fn a_type_may_have_the_name_of_another() {
    #[derive(Serialize)]
    struct String(Vec<u8>);
    #[derive(Serialize)]
    struct Cow<'a, T: ?Sized>(&'a T);

    #[derive(SseEvent)]
    enum Events<'a> {
        Mine { list: String, text: Cow<'a, str> },
    }

    let event = Events::Mine {
        list: String(vec![1, 2]),
        text: Cow("x"),
    };
    check(
        &event,
        "event: mine\ndata: {\"list\":[1,2],\"text\":\"x\"}\n\n",
    );
}

#[test]
fn traits_around_the_derive_take_no_part() {
    mod with_traits {
        #[expect(dead_code, reason = "it only is there")]
        pub(super) trait Pipe: Sized {
            fn write(self) {}
            fn put(&self) {}
            fn value(&mut self) {}
        }
        impl<T> Pipe for T {}

        macro_rules! events {
            ($text:ty) => {
                #[derive(sse_core::SseEvent)]
                pub(super) enum Events {
                    Piped {
                        text: $text,
                        number: f64,
                        list: Vec<u8>,
                    },
                }
            };
        }
        events!(String);
    }
    let event = with_traits::Events::Piped {
        text: "x".into(),
        number: 0.5,
        list: vec![1],
    };
    check(
        &event,
        "event: piped\ndata: {\"text\":\"x\",\"number\":0.5,\"list\":[1]}\n\n",
    );
}
