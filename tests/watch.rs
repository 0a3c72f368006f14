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

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread::{self, JoinHandle};

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

/// Answers one connection after the other with `answers`; returns the heads of the requests.
fn scripted(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("{}/events", listener.local_addr().expect("bound"));
    let server = thread::spawn(move || {
        let answer = |answer: String| {
            let (mut socket, _) = listener.accept().expect("a client");
            let mut head = String::new();
            let mut lines = BufReader::new(&socket);
            while !head.ends_with("\r\n\r\n") {
                lines.read_line(&mut head).expect("a request");
            }
            socket.write_all(answer.as_bytes()).expect("it listens");
            head.to_lowercase()
        };
        answers.into_iter().map(answer).collect()
    });
    (url, server)
}

/// Runs the example to its end.
fn watch(args: &[&str]) -> Output {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    // Where this test is, the example is.
    let target = std::env::current_exe().expect("this test");
    let target = target.ancestors().nth(3).expect("target/debug/deps/…");
    Command::new(cargo)
        .args(["run", "--quiet", "--package", "sse-tower-examples"])
        .args(["--example", "watch", "--target-dir"])
        .arg(target)
        .arg("--")
        .args(args)
        .output()
        .expect("cargo runs")
}

#[test]
fn it_goes_on_where_it_was_cut_off_until_the_server_says_that_it_is_over() {
    let stream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let (url, server) = scripted(vec![
        format!("{stream}retry: 100\nid: 8\nevent: tick\ndata: 1\n\n"),
        format!("{stream}event: tick\ndata: 2\n\n"),
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned(),
    ]);
    let out = watch(&["--from", "7", "-H", "X-Key: k", &url]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert_eq!(String::from_utf8_lossy(&out.stdout), "tick #8 1\ntick 2\n");
    assert!(said.contains("after id \"8\""), "{said}");
    let heads = server.join().expect("three requests");
    for (head, id) in heads.iter().zip(["7", "8", "8"]) {
        assert!(head.contains(&format!("last-event-id: {id}\r\n")), "{head}");
        assert!(head.contains("x-key: k\r\n"), "{head}");
    }
}

#[test]
fn a_refusal_is_told_and_is_a_failure() {
    let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\nconnection: close\r\n\r\nnot you";
    let (url, server) = scripted(vec![refusal.to_owned()]);
    let out = watch(&[&url]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("not you") && said.contains("403"), "{said}");
    assert!(server.join().is_ok() && out.stdout.is_empty());

    let out = watch(&[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("usage: watch"));
}
