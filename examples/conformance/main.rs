//! The workspace seen by the conformance checkers, which know nothing of Rust.
//!
//! ```text
//! cargo run --example conformance -- decode         JSON lines: bytes in, events out
//! cargo run --example conformance -- encode         JSON lines: fields in, bytes out
//! cargo run --example conformance -- serve [PORT]   a server with every route that the clients visit
//! ```
//!
//! `serve` prints `{"port": N}` when it listens; without a port it takes any free one.
//! `decode` and `encode` read one case per line from stdin and answer with one line each;
//! `tests/vectors.rs` shares them, so what the checkers drive is what is tested.

mod decode;
#[path = "../llm-gateway/dialect/mod.rs"]
#[expect(dead_code, reason = "the gateway reads answers, too")]
mod dialect;
mod encode;
mod foreign;
mod jobs;
mod llm;
mod log;
mod mcp;
mod serve;

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufWriter, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["decode"] => answer_lines(decode::answer),
        ["encode"] => answer_lines(encode::answer),
        ["serve"] => serve::run(0),
        ["serve", port] => serve::run(port.parse()?),
        _ => Err("usage: conformance decode | encode | serve [PORT]".into()),
    }
}

/// Answers every line of JSON on stdin with a line of JSON on stdout.
fn answer_lines<Q: DeserializeOwned, A: Serialize>(
    answer: impl Fn(Q) -> Result<A, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        serde_json::to_writer(&mut out, &answer(serde_json::from_str(&line?)?)?)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}
