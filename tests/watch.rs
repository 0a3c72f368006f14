//! The example `watch`: how events look on a terminal and in a file.

#[path = "../examples/watch/args.rs"]
#[expect(dead_code, reason = "how to use it is for people")]
mod args;
#[path = "../examples/watch/print.rs"]
#[expect(
    dead_code,
    reason = "whether there are colours depends on the environment"
)]
mod print;

use sse_core::{Decoder, RawEvent};

use crate::args::Args;
use crate::print::Printer;

fn events(text: &str) -> Vec<RawEvent<'static>> {
    let mut decoder = Decoder::new();
    decoder.push(text);
    let mut events = Vec::new();
    while let Ok(Some(event)) = decoder.next_event() {
        events.push(event.into_owned());
    }
    events
}

fn printed(mut printer: Printer, text: &str) -> String {
    let mut out = Vec::new();
    for event in events(text) {
        printer.print(&mut out, &event).expect("memory");
    }
    String::from_utf8(out).expect("UTF-8")
}

const PLAIN: Printer = Printer::Text { colours: false };
const COLOURED: Printer = Printer::Text { colours: true };

#[test]
fn an_event_is_a_line_and_a_text_is_below() {
    let text = "event: tick\nid: 7\ndata: 1\n\ndata: a\ndata:  b\n\ndata:\n\n";
    assert_eq!(
        printed(PLAIN, text),
        "tick #7 1\nmessage\n    a\n     b\nmessage \n"
    );
}

#[test]
fn a_name_has_its_colour() {
    let once = printed(COLOURED, "event: tick\ndata: 1\n\n");
    assert!(
        once.starts_with("\x1b[1;3") && once.ends_with("tick\x1b[0m 1\n"),
        "{once:?}"
    );
    assert_eq!(printed(COLOURED, "event: tick\ndata: 1\n\n"), once);
    assert_ne!(
        printed(COLOURED, "event: tock\ndata: 1\n\n").replace("tock", "tick"),
        once
    );
}

/// Clears the screen, sets a title, draws from right to left, and deletes.
const HOSTILE: &str = "\x1b[2J\x1b]0;x\x07\u{9b}31m\u{202e}txt\u{2066}\x7f\x08\0";

#[test]
fn a_terminal_obeys_nothing_that_a_stream_says() {
    let text = format!(
        "event: {HOSTILE}\nid: {}\ndata: {HOSTILE}\ndata: {HOSTILE}\n\n",
        HOSTILE.replace('\0', "")
    );
    for out in [printed(PLAIN, &text), printed(Printer::Json, &text)] {
        let bad = |c: char| c != '\n' && c.is_control() || ('\u{202a}'..='\u{2069}').contains(&c);
        assert!(!out.contains(bad), "{out:?}");
        assert!(out.contains("31m") && out.contains("txt"), "{out:?}");
    }
    let line = printed(PLAIN, "data: a\tb \x1b[31m\n\n");
    assert_eq!(line, "message a\tb \\u{1b}[31m\n");
}

#[test]
fn json_is_one_line_for_each_event_and_loses_nothing() {
    let text =
        format!("event: tick\nid: 7\nretry: 5\ndata: a\ndata: {HOSTILE}\n\ndata: é豆\u{2028}\n\n");
    let out = printed(Printer::Json, &text);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let first = serde_json::json!({"event": "tick", "id": "7", "retry": 5, "data": format!("a\n{HOSTILE}")});
    assert_eq!(
        lines,
        [
            first,
            serde_json::json!({"event": "message", "data": "é豆\u{2028}"})
        ]
    );
}

#[track_caller]
fn mistake(args: &[&str], expected: &str) {
    let args = args.iter().map(|&arg| arg.to_owned());
    assert_eq!(Args::parse(args).expect_err("a mistake"), expected);
}

#[test]
fn the_command_line() {
    let line = "--json -H A:b -H C:d:e --from 7 -d {} localhost:3000/x";
    let args = Args::parse(line.split(' ').map(str::to_owned)).expect("it is right");
    assert!(args.json);
    assert_eq!(
        (&*args.url, args.from.as_deref()),
        ("http://localhost:3000/x", Some("7"))
    );
    assert_eq!(args.body.as_deref(), Some("{}"));
    let headers = [("A", "b"), ("C", "d:e")].map(|(name, value)| (name.into(), value.into()));
    assert_eq!(args.headers, headers);

    for (given, url) in [
        (
            "localhost:3000/x?u=http://y",
            "http://localhost:3000/x?u=http://y",
        ),
        ("host?u=http://y", "http://host?u=http://y"),
        ("https://host/x?u=http://y", "https://host/x?u=http://y"),
        ("ftp://host", "ftp://host"),
    ] {
        assert_eq!(Args::parse([given.to_owned()]).expect("right").url, url);
    }

    mistake(&[], "there is no address");
    mistake(&["--from"], "`--from` needs a value");
    mistake(&["-H", "x", "u"], "a header is written as NAME:VALUE");
    mistake(&["--colour", "u"], "unknown option --colour");
    mistake(&["a", "b"], "one address is enough");
}
