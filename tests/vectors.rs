//! The conformance cases of `vectors/`: facts of the standard that real clients agree on.

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sse_core::{Decoder, EncodeError, Event, EventBuffer, Limits, RetryDelay};
use sse_tower_tests::{Dispatched, Seen, cut, read};

#[derive(Deserialize)]
struct DecoderCase {
    name: String,
    input_b64: String,
    #[serde(default)]
    chunks: Vec<usize>,
    #[serde(default)]
    initial_id: String,
    events: Vec<Dispatched>,
    retry: Option<serde_json::Number>,
    last_event_id: String,
    /// After so many bytes, so many events must be out.
    #[serde(default)]
    prompt: Vec<(usize, usize)>,
}

#[test]
fn decoder_cases() {
    let cases: Vec<DecoderCase> = cases(include_str!("vectors/decoder-cases.jsonl"));
    assert_eq!(cases.len(), 180);
    for case in &cases {
        let bytes = BASE64_STANDARD.decode(&case.input_b64).unwrap();
        let want = Seen {
            events: case.events.clone(),
            retry: case.retry.as_ref().map(millis),
            last_event_id: case.last_event_id.clone(),
            error: None,
        };
        for (split, offsets) in splits(&bytes, &case.chunks) {
            let seen = read(&mut decoder(case), cut(&bytes, &offsets));
            same(&seen, &want, &format!("{} ({split})", case.name));
        }
        for &(fed, due) in &case.prompt {
            let out = read(&mut decoder(case), [&bytes[..fed]]).events.len();
            assert!(out >= due, "{}: {out} events after {fed} bytes", case.name);
        }
    }
}

fn decoder(case: &DecoderCase) -> Decoder {
    Decoder::new()
        .with_limits(Limits::none())
        .with_last_event_id(case.initial_id.clone())
}

/// Numbers beyond 64 bits become the largest.
fn millis(number: &serde_json::Number) -> u128 {
    number.as_u64().unwrap_or(u64::MAX).into()
}

/// Where to cut `bytes`: as the case says, not at all, evenly, and anywhere.
fn splits(bytes: &[u8], given: &[usize]) -> BTreeMap<String, Vec<usize>> {
    let mut splits = BTreeMap::from([("as is".into(), given.to_vec()), ("whole".into(), vec![])]);
    for step in [1, 2, 3] {
        let offsets = (step..bytes.len()).step_by(step).collect();
        splits.insert(format!("every {step}"), offsets);
    }
    for seed in 0..8 {
        let mut random = fastrand::Rng::with_seed(seed);
        let cuts = 1 + bytes.len().min(200) / 5;
        let mut offsets: Vec<_> = (0..cuts).map(|_| random.usize(..=bytes.len())).collect();
        offsets.sort_unstable();
        splits.insert(format!("seed {seed}"), offsets);
    }
    splits
}

#[derive(Deserialize)]
struct EncoderCase {
    name: String,
    event: Option<String>,
    id: Option<String>,
    data: Option<String>,
    retry: Option<u64>,
    comment: Option<String>,
    must: Must,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Must {
    Exact { any_b64: Vec<String> },
    Readback(Readback),
    RejectOrReadback(Readback),
    Reject,
}

#[derive(Deserialize)]
struct Readback {
    events: Vec<Dispatched>,
    #[serde(default)]
    also_events: Vec<Vec<Dispatched>>,
    retry: Option<u64>,
    last_event_id: String,
}

#[test]
fn encoder_cases() {
    let cases: Vec<EncoderCase> = cases(include_str!("vectors/encoder-cases.jsonl"));
    assert_eq!(cases.len(), 87);
    let (mut all, mut all_events) = (Vec::new(), Vec::new());
    for case in &cases {
        let mut buffer = EventBuffer::new();
        match (encode(&mut buffer, case), &case.must) {
            (Err(_), Must::Reject | Must::RejectOrReadback(_)) => {
                assert!(buffer.is_empty(), "{}: refused, but written", case.name);
                continue;
            }
            (Err(error), _) => panic!("{}: refused: {error}", case.name),
            (Ok(()), Must::Reject) => panic!("{}: accepted", case.name),
            (Ok(()), Must::Exact { any_b64 }) => {
                let bytes = BASE64_STANDARD.encode(buffer.as_bytes());
                assert!(any_b64.contains(&bytes), "{}: {buffer:?}", case.name);
            }
            (Ok(()), Must::Readback(want) | Must::RejectOrReadback(want)) => {
                let seen = read(&mut Decoder::new(), [buffer.as_bytes()]);
                let events = [&want.events]
                    .into_iter()
                    .chain(&want.also_events)
                    .find(|events| **events == seen.events)
                    .unwrap_or(&want.events);
                let want = Seen {
                    events: events.clone(),
                    retry: want.retry.map(Into::into),
                    last_event_id: want.last_event_id.clone(),
                    error: None,
                };
                same(&seen, &want, &case.name);
            }
        }
        all.extend_from_slice(buffer.as_bytes());
        all_events.extend(texts(&read(&mut Decoder::new(), [buffer.as_bytes()])));
    }
    // Every output ends at an event boundary, so one behind the other they read the same.
    let seen = read(&mut Decoder::new(), [&all[..]]);
    same(&texts(&seen), &all_events, "all outputs in one stream");
}

fn encode(buffer: &mut EventBuffer, case: &EncoderCase) -> Result<(), EncodeError> {
    let mut event = case.event.clone().map_or_else(Event::new, Event::named);
    if let Some(text) = &case.comment {
        event = event.comment(text.clone());
    }
    if let Some(id) = &case.id {
        event = event.id(id);
    }
    if let Some(millis) = case.retry {
        event = event.retry(RetryDelay::from_millis(millis));
    }
    if let Some(text) = &case.data {
        event = event.data(text.clone());
    }
    buffer.write(&event).map(drop)
}

/// Events without their ids, which depend on the events before.
fn texts(seen: &Seen) -> Vec<(String, String)> {
    let text = |event: &Dispatched| (event.event.clone(), event.data.clone());
    seen.events.iter().map(text).collect()
}

/// Some cases have megabytes, so a failure prints the start of both sides only.
#[track_caller]
fn same<T: PartialEq + Debug>(seen: &T, want: &T, case: &str) {
    assert!(
        seen == want,
        "{case}\n seen {seen:.600?}\n want {want:.600?}"
    );
}

fn cases<T: DeserializeOwned>(lines: &str) -> Vec<T> {
    let case = |line| serde_json::from_str(line).expect("a case per line");
    lines.lines().map(case).collect()
}
