//! The conformance cases of `vectors/`: facts of the standard that real clients agree on.
//!
//! They go through the adapters of `examples/conformance`, as they do for outside checkers.

#[path = "../examples/conformance/decode.rs"]
mod decode;
#[path = "../examples/conformance/encode.rs"]
mod encode;

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::encode::Outcome;

/// What a decoder case says beside the case itself.
#[derive(Deserialize)]
struct Decoded {
    events: Vec<decode::Event>,
    retry: Option<serde_json::Number>,
    last_event_id: String,
    /// After so many bytes, so many events must be out.
    #[serde(default)]
    prompt: Vec<(usize, usize)>,
}

#[test]
fn decoder_cases() {
    let cases = cases::<decode::Case, Decoded>(include_str!("vectors/decoder-cases.jsonl"));
    assert_eq!(cases.len(), 180);
    for (case, want) in cases {
        let bytes = BASE64_STANDARD.decode(&case.input_b64).unwrap();
        let read = |chunks| {
            let case = case.clone();
            decode::answer(decode::Case { chunks, ..case }).unwrap()
        };
        for (split, chunks) in splits(&bytes, &case.chunks) {
            let name = format!("{} ({split})", case.name);
            let seen = read(chunks);
            assert_eq!(seen.name, case.name);
            same(&seen.events, &want.events, &name);
            same(&seen.retry, &want.retry.as_ref().map(millis), &name);
            same(&seen.last_event_id, &want.last_event_id, &name);
            same(&seen.error, &None, &name);
        }
        for &(fed, due) in &want.prompt {
            let at = read(vec![fed]).at;
            let out = at.iter().filter(|&&chunk| chunk == 0).count();
            assert!(out >= due, "{}: {out} events after {fed} bytes", case.name);
        }
    }
}

/// Numbers beyond 64 bits become the largest.
fn millis(number: &serde_json::Number) -> u64 {
    number.as_u64().unwrap_or(u64::MAX)
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

/// What an encoder case says beside the case itself.
#[derive(Deserialize)]
struct Encoded {
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
    events: Vec<decode::Event>,
    #[serde(default)]
    also_events: Vec<Vec<decode::Event>>,
    retry: Option<u64>,
    last_event_id: String,
}

#[test]
fn encoder_cases() {
    let cases = cases::<encode::Case, Encoded>(include_str!("vectors/encoder-cases.jsonl"));
    assert_eq!(cases.len(), 87);
    let (mut all, mut all_texts) = (Vec::new(), Vec::new());
    for (case, Encoded { must }) in cases {
        let encode::Answer { name, outcome } = encode::answer(case).unwrap();
        let b64 = match outcome {
            Outcome::B64(b64) => b64,
            Outcome::Rejected(why) => {
                let may_be = matches!(must, Must::Reject | Must::RejectOrReadback(_));
                assert!(may_be, "{name}: refused: {why}");
                continue;
            }
        };
        let bytes = BASE64_STANDARD.decode(&b64).unwrap();
        let seen = read(&bytes);
        match must {
            Must::Reject => panic!("{name}: accepted"),
            Must::Exact { any_b64 } => assert!(any_b64.contains(&b64), "{name}: {b64}"),
            Must::Readback(want) | Must::RejectOrReadback(want) => {
                if !want.also_events.contains(&seen.events) {
                    same(&seen.events, &want.events, &name);
                }
                same(&seen.retry, &want.retry, &name);
                same(&seen.last_event_id, &want.last_event_id, &name);
                same(&seen.error, &None, &name);
            }
        }
        all.extend(bytes);
        all_texts.extend(texts(&seen));
    }
    // Every output ends at an event boundary, so one behind the other they read the same.
    same(&texts(&read(&all)), &all_texts, "all outputs in one stream");
}

fn read(bytes: &[u8]) -> decode::Answer {
    let input_b64 = BASE64_STANDARD.encode(bytes);
    let case = decode::Case {
        input_b64,
        ..decode::Case::default()
    };
    decode::answer(case).expect("base64 from above")
}

/// Events without their ids, which depend on the events before.
fn texts(seen: &decode::Answer) -> Vec<(String, String)> {
    let text = |event: &decode::Event| (event.event.clone(), event.data.clone());
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

/// The cases, each with what is expected of it; a line of JSON holds both.
fn cases<Case: DeserializeOwned, Want: DeserializeOwned>(lines: &str) -> Vec<(Case, Want)> {
    let lines = lines.lines().map(|line| {
        let case = serde_json::from_str(line).expect("a case");
        (case, serde_json::from_str(line).expect("what it must give"))
    });
    lines.collect()
}
