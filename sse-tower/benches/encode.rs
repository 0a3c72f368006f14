//! From a typed value to the bytes of the response's body, against axum's `Sse`.
//!
//! `cargo bench -p sse-tower --bench encode`. Both run in turns in one process; what counts is
//! the ratio of the medians, and the number of allocations, which does not wobble.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use axum::body::Body;
use axum::response::{IntoResponse, sse};
use futures_util::{FutureExt as _, stream};
use http_body_util::BodyExt as _;
use serde::Serialize;
use sse_tower::{Sse, SseEvent};

/// Events per response, so that what a connection costs does not count.
const EVENTS: u64 = 2_000;
const ROUNDS: usize = 101;

fn main() {
    let text = "x".repeat(79) + "\n";
    let text: &'static str = text.repeat(64 * 1024 / 80).leak();
    let rows: &'static [Row] = vec![ROW; 12].leak();

    compare(
        "token, 65 B: name, id, JSON",
        EVENTS,
        move |n| Ours::Token {
            n,
            index: 0,
            text: "Hello, you",
        },
        move |n| {
            sse::Event::default()
                .event("token")
                .id(n.to_string())
                .json_data(Token {
                    index: 0,
                    text: "Hello, you",
                })
        },
        Token {
            index: 0,
            text: "Hello, you",
        },
    );
    compare(
        "1 KiB of JSON: 12 rows",
        EVENTS,
        move |n| Ours::Document { n, rows },
        move |n| {
            sse::Event::default()
                .event("document")
                .id(n.to_string())
                .json_data(Document { rows })
        },
        Document { rows },
    );
    for (name, text) in [
        ("1 KiB of JSON: one text", "All work and no play. "),
        (
            "1 KiB of JSON: JSON in a text",
            r#"{"city":"Paris","day":3}"#,
        ),
    ] {
        let text: &'static str = text.repeat(1_000 / text.len()).leak();
        let token = move || Token { index: 0, text };
        compare(
            name,
            EVENTS,
            move |n| Ours::Token { n, index: 0, text },
            move |n| {
                sse::Event::default()
                    .event("token")
                    .id(n.to_string())
                    .json_data(token())
            },
            token(),
        );
    }
    compare(
        "64 KiB of text in lines of 80 B",
        EVENTS / 20,
        move |_| Ours::Text(text),
        move |_| Ok(sse::Event::default().data(text)),
        (),
    );
    compare(
        "40 B of data only",
        EVENTS,
        move |_| Ours::Text("a bare event with forty bytes of data!"),
        move |_| Ok(sse::Event::default().data("a bare event with forty bytes of data!")),
        (),
    );
}

#[derive(SseEvent)]
enum Ours {
    Token {
        #[sse(id)]
        n: u64,
        index: u32,
        text: &'static str,
    },
    Document {
        #[sse(id)]
        n: u64,
        rows: &'static [Row],
    },
    #[sse(unnamed, data = "text")]
    Text(&'static str),
}

#[derive(Serialize)]
struct Token {
    index: u32,
    text: &'static str,
}

#[derive(Serialize)]
struct Document {
    rows: &'static [Row],
}

/// 80 bytes or so of JSON, in numbers and short texts.
#[derive(Clone, Serialize)]
struct Row {
    symbol: &'static str,
    name: &'static str,
    price: f64,
    volume: u64,
    open: bool,
}

const ROW: Row = Row {
    symbol: "ABCD",
    name: "A company, Inc.",
    price: 1234.5,
    volume: 987_654,
    open: true,
};

/// Times both in turns and prints their medians.
fn compare(
    name: &str,
    events: u64,
    ours: impl Fn(u64) -> Ours + Copy + Send + 'static,
    axums: impl Fn(u64) -> Result<sse::Event, axum::Error> + Copy + Send + 'static,
    json: impl Serialize,
) {
    let ours = || {
        Sse::new(stream::iter((0..events).map(ours)))
            .into_response()
            .into_body()
    };
    let axums = || {
        let events = (0..events).map(move |n| Ok::<_, Infallible>(axums(n).expect("JSON")));
        sse::Sse::new(stream::iter(events))
            .into_response()
            .into_body()
    };
    let (mut mine, mut theirs, mut serde) = (Vec::new(), Vec::new(), Vec::new());
    let mut out = Vec::new();
    for _ in 0..ROUNDS {
        mine.push(time(|| read(ours())));
        theirs.push(time(|| read(axums())));
        serde.push(time(|| {
            for _ in 0..events {
                out.clear();
                serde_json::to_writer(&mut out, black_box(&json)).expect("JSON");
            }
            out.len()
        }));
    }
    let count = |make: &dyn Fn() -> Body| {
        let body = make();
        allocation_counter::measure(|| {
            read(body);
        })
        .count_total as f64
            / events as f64
    };
    let per_event = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2] * 1e9 / events as f64
    };
    let (mine, theirs) = (per_event(&mut mine), per_event(&mut theirs));
    let serde = per_event(&mut serde);
    println!(
        "{name}\n  ours {mine:9.1} ns  {:6.3} allocations",
        count(&ours)
    );
    println!("  axum {theirs:9.1} ns  {:6.3} allocations", count(&axums));
    print!("  ratio {:.3}", mine / theirs);
    if size_of_val(&json) > 0 {
        print!(
            ", serde_json alone into a used buffer {:.3}",
            serde / theirs
        );
    }
    println!();
}

fn time(work: impl FnOnce() -> usize) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

/// Reads a body that is always ready; returns its length.
fn read(mut body: Body) -> usize {
    let mut len = 0;
    while let Some(frame) = body.frame().now_or_never().expect("always ready") {
        len += frame.expect("no error").into_data().expect("data").len();
    }
    len
}
