//! However a stream is split, it reads the same, within the same limits, and nothing panics.
//!
//! `cargo fuzz run decode`

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sse_core::{Decoder, LimitError, Limits, RawEvent};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    line_limit: Option<u8>,
    event_limit: Option<u8>,
    last_event_id: Option<&'a str>,
    /// The lengths of the first chunks.
    chunks: Vec<u8>,
    bytes: &'a [u8],
}

fuzz_target!(|input: Input| {
    let whole = read(&input, [input.bytes]);
    assert_eq!(read(&input, input.bytes.chunks(1)), whole);

    let mut rest = input.bytes;
    let chunks = input.chunks.iter().map(|&len| {
        let (chunk, after) = rest.split_at(rest.len().min(len.into()));
        rest = after;
        chunk
    });
    let mut chunks: Vec<_> = chunks.collect();
    chunks.push(rest);
    assert_eq!(read(&input, chunks), whole);
});

#[derive(Debug, Default, PartialEq)]
struct Seen {
    events: Vec<RawEvent<'static>>,
    errors: Vec<LimitError>,
    state: String,
}

fn read<'a>(input: &Input, chunks: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let size = |limit: Option<u8>| limit.map_or(usize::MAX, usize::from);
    let limits = Limits::none()
        .with_line(size(input.line_limit))
        .with_event(size(input.event_limit));
    let mut decoder = Decoder::new()
        .with_limits(limits)
        .with_last_event_id(input.last_event_id.unwrap_or_default());

    let mut seen = Seen::default();
    for chunk in chunks {
        decoder.push(chunk);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => seen.events.push(event.into_owned()),
                Ok(None) => break,
                Err(limit) => seen.errors.push(limit),
            }
        }
    }
    assert!(seen.errors.len() <= 1, "one error, once");
    seen.state = format!("{:?} {}", decoder.retry(), decoder.last_event_id());
    seen
}
