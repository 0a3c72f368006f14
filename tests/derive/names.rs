//! What goes to the `event` line.

use serde::Serialize;
use sse_core::SseEvent;

use crate::check;

#[test]
fn names() {
    #[derive(SseEvent)]
    #[sse(rename_all = "dot.case")]
    enum Names {
        SessionCreated,
        #[sse(rename = "error")]
        Error,
        r#Try,
        #[sse(unnamed)]
        Quiet,
    }
    check(
        &Names::SessionCreated,
        "event: session.created\ndata: {}\n\n",
    );
    check(&Names::Error, "event: error\ndata: {}\n\n");
    check(&Names::Try, "event: try\ndata: {}\n\n");
    check(&Names::Quiet, "data: {}\n\n");
    assert_eq!(Names::SessionCreated.event_name(), Some("session.created"));
    assert_eq!(Names::Quiet.event_name(), None);
}

#[test]
fn serde_gives_the_names_unless_sse_does() {
    #[derive(Serialize, SseEvent)]
    #[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
    #[expect(clippy::enum_variant_names, reason = "cases of names")]
    enum Serde {
        FirstOne {
            file_name: u8,
        },
        #[serde(rename = "zwei")]
        SecondOne,
        #[serde(rename(serialize = "drei", deserialize = "trois"))]
        ThirdOne,
        #[serde(rename = "vier")]
        #[sse(rename = "four")]
        FourthOne,
        #[serde(rename_all = "UPPERCASE")]
        FifthOne {
            file_name: u8,
        },
    }
    check(
        &Serde::FirstOne { file_name: 1 },
        "event: first-one\ndata: {\"fileName\":1}\n\n",
    );
    check(&Serde::SecondOne, "event: zwei\ndata: {}\n\n");
    check(&Serde::ThirdOne, "event: drei\ndata: {}\n\n");
    check(&Serde::FourthOne, "event: four\ndata: {}\n\n");
    check(
        &Serde::FifthOne { file_name: 1 },
        "event: fifth-one\ndata: {\"FILE_NAME\":1}\n\n",
    );

    #[derive(SseEvent)]
    #[serde(rename_all(serialize = "UPPERCASE"))]
    #[sse(rename_all = "lowercase")]
    enum Wins {
        FirstOne,
    }
    check(&Wins::FirstOne, "event: firstone\ndata: {}\n\n");
}

#[test]
fn names_that_join_to_the_same_do_not_collide() {
    #[derive(SseEvent)]
    #[allow(non_camel_case_types)]
    enum Joined {
        A_b { c: Vec<u8> },
        A { b_c: Vec<u8> },
    }
    check(
        &Joined::A_b { c: vec![1] },
        "event: a_b\ndata: {\"c\":[1]}\n\n",
    );
    check(
        &Joined::A { b_c: vec![2] },
        "event: a\ndata: {\"b_c\":[2]}\n\n",
    );
}
