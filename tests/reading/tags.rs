//! Which variant an event is, by its tag.

use std::collections::BTreeMap;

use sse_core::{FromSseEvent, SseEvent};

use crate::{broken, check, round, unknown};

#[test]
fn a_tag_stands_in_for_the_name() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Tagged {
        Delta { index: u8 },
        Ping,
        Map(BTreeMap<String, u8>),
    }
    // A proxy dropped the `event:` line.
    check(
        "data: {\"index\":1,\"type\":\"delta\"}\n\n",
        Tagged::Delta { index: 1 },
    );
    check("data: {\"type\":\"ping\"}\n\n", Tagged::Ping);
    // The name wins.
    check(
        "event: ping\ndata: {\"type\":\"delta\",\"index\":1}\n\n",
        Tagged::Ping,
    );
    // The tag is not needed beside a name, and never part of the content.
    check(
        "event: delta\ndata: {\"index\":1}\n\n",
        Tagged::Delta { index: 1 },
    );
    let map = BTreeMap::from([("a".to_owned(), 1)]);
    check(
        "event: map\ndata: {\"a\":1,\"type\":\"map\"}\n\n",
        Tagged::Map(map),
    );
    unknown::<Tagged>("data: {\"type\":\"later\"}\n\n");
    unknown::<Tagged>("data: {\"type\":7}\n\n");
    unknown::<Tagged>("data: not JSON\n\n");
    broken::<Tagged>(
        "event: delta\ndata: [1]\n\n",
        "expected an object with the tag `type`",
    );
}

#[test]
fn an_unnamed_tagged_enum_needs_its_tag() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed, tag = "type")]
    enum Parts {
        Start,
        Delta { text: String },
    }
    check(
        "data: {\"type\":\"delta\",\"text\":\"a\"}\n\n",
        Parts::Delta { text: "a".into() },
    );
    // Tomorrow's parts are unknown; what is no part at all is broken.
    unknown::<Parts>("data: {\"type\":\"later\"}\n\n");
    broken::<Parts>("data: {\"text\":\"a\"}\n\n", "the tag `type` is missing");
    broken::<Parts>("data: {\n\n", "EOF");
    broken::<Parts>("data: {\"type\":\"delta\"}\n\n", "missing field `text`");
}

#[test]
fn an_alias_is_found_through_the_tag() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", unnamed)]
    enum Aliased {
        #[sse(alias = "text-delta")]
        Delta { i: u8 },
        #[serde(alias = "bye")]
        End,
    }
    let delta = "data: {\"i\":1,\"type\":\"text-delta\"}\n\n";
    check(delta, Aliased::Delta { i: 1 });
    check("data: {\"type\":\"bye\"}\n\n", Aliased::End);
    unknown::<Aliased>("data: {\"type\":\"hello\"}\n\n");
}

#[test]
fn no_name_is_not_the_tag_message() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", unnamed)]
    enum Tagged {
        Message {
            a: u8,
        },
        #[sse(data = "text")]
        Text(String),
    }
    round(Tagged::Message { a: 1 });
    round(Tagged::Text("{\"a\":1}".into()));

    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", unnamed)]
    enum Alone {
        Message { a: u8 },
    }
    broken::<Alone>("data: {\"a\":1}\n\n", "the tag `type` is missing");
}

#[test]
fn a_tag_says_more_than_no_name() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Chat {
        Message { text: String },
        Notice { text: String },
    }
    let text = String::from("a");
    // A proxy dropped the names, or there was none to begin with.
    check(
        "data: {\"type\":\"notice\",\"text\":\"a\"}\n\n",
        Chat::Notice { text: text.clone() },
    );
    for payload in [
        "{\"type\":\"message\",\"text\":\"a\"}",
        "{\"type\":\"new\",\"text\":\"a\"}",
        "{\"text\":\"a\"}",
    ] {
        let text = text.clone();
        check(&format!("data: {payload}\n\n"), Chat::Message { text });
    }
    check(
        "event: message\ndata: {\"type\":\"notice\",\"text\":\"a\"}\n\n",
        Chat::Message { text },
    );
}

#[test]
fn a_name_of_its_own_says_more_than_a_tag() {
    #[derive(FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Chat {
        Ping,
        #[sse(rename = "error", terminal)]
        Error {
            code: u8,
        },
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Job {
        Progress { r#type: String, n: u8 },
    }
    #[derive(FromSseEvent, Debug, PartialEq)]
    enum App {
        #[sse(flatten)]
        Chat(Chat),
        #[sse(flatten)]
        Job(Job),
    }
    let progress = Job::Progress {
        r#type: "ping".into(),
        n: 1,
    };
    let bytes = "event: progress\ndata: {\"type\":\"ping\",\"n\":1}\n\n";
    check(bytes, App::Job(progress));
    unknown::<Chat>("event: theirs\ndata: {\"type\":\"error\",\"code\":1}\n\n");
    // A proxy dropped the name.
    check(
        "data: {\"type\":\"error\",\"code\":1}\n\n",
        Chat::Error { code: 1 },
    );
}

#[test]
fn a_tag_stands_for_tagged_variants_only() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type")]
    enum Mixed {
        Delta {
            i: u8,
        },
        #[sse(data = "empty", terminal)]
        Close,
        #[sse(data = "text")]
        Log(String),
        #[sse(unnamed, data = "text")]
        Raw(String),
    }
    round(Mixed::Raw("{\"type\":\"close\"}".into()));
    round(Mixed::Raw("{\"type\":\"log\"}".into()));
    check(
        "data: {\"type\":\"delta\",\"i\":1}\n\n",
        Mixed::Delta { i: 1 },
    );
}

#[test]
fn a_tag_tells_names_chosen_at_run_time_apart() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", rename_all = "lowercase")]
    enum Rows {
        Gone(#[sse(event)] String),
        Moved {
            #[sse(event)]
            row: String,
            to: u8,
        },
        Added {
            #[sse(event)]
            row: String,
            to: u8,
        },
        Ping,
    }
    let row = || String::from("row-7");
    round(Rows::Gone(row()));
    round(Rows::Moved { row: row(), to: 1 });
    round(Rows::Added { row: row(), to: 1 });
    round(Rows::Ping);
    unknown::<Rows>("event: row-7\ndata: {\"type\":\"ping\"}\n\n");
    unknown::<Rows>("event: row-7\ndata: {}\n\n");
    broken::<Rows>(
        "event: row-7\ndata: {\"type\":\"added\"}\n\n",
        "missing field `to`",
    );

    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "t", content = "c")]
    enum Adjacent {
        Unit(#[sse(event)] String),
        Named,
    }
    round(Adjacent::Unit(row()));
}
