//! Positions, lengths and what is computed of them, also where they are odd.

use serde_json::Value;
use sse_tower::{Block, Decoder, FromSseEvent as _, progress};

use super::*;

/// The state of a job, as JSON and as it is read.
fn state(stream: &ProgressStream<u8>) -> (Value, Progress<u8>) {
    let event = now(&mut stream.clone());
    let block = Block::encode(&event).unwrap();
    let mut decoder = Decoder::new();
    decoder.push(block.bytes());
    let raw = decoder.next_event().unwrap().unwrap();
    let json = serde_json::from_str(raw.data()).unwrap();
    (json, Progress::from_event(&raw).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_pace_makes_a_rate_and_a_time() {
    let (reporter, stream) = progress::<u8>(100);
    let (json, _) = state(&stream);
    assert!(json.get("rate").is_none() && json.get("etaMs").is_none());
    for _ in 0..20 {
        pass(500).await;
        reporter.inc(1);
        state(&stream);
    }
    let (json, _) = state(&stream);
    assert_eq!(
        (&json["rate"], &json["etaMs"]),
        (&2.0.into(), &40_000.into())
    );
}

#[tokio::test(start_paused = true)]
async fn the_rate_hardly_depends_on_who_looks() {
    let (one, seldom) = progress::<u8>(1000);
    let (two, often) = progress::<u8>(1000);
    for step in 0..100 {
        pass(100).await;
        one.inc(step % 3);
        two.inc(step % 3);
        for _ in 0..5 {
            state(&often);
        }
    }
    // The last ten seconds count most, and nobody looked at the one before they were over.
    assert_eq!(state(&seldom).0["rate"], 9.9);
    let rate = state(&often).0["rate"].as_f64().unwrap();
    assert!((9.0..11.0).contains(&rate), "{rate}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_goes_on_where_another_stopped_begins_its_rate_anew() {
    let (reporter, stream) = progress::<u8>(10_000);
    reporter.set_position(5_000);
    reporter.reset_eta();
    pass(1000).await;
    reporter.inc(10);
    let (json, _) = state(&stream);
    assert_eq!(
        (&json["position"], &json["rate"]),
        (&5010.into(), &10.0.into())
    );
}

#[tokio::test(start_paused = true)]
async fn more_than_all_is_all() {
    let (reporter, stream) = progress::<u8>(10);
    pass(1000).await;
    reporter.inc(15);
    let (json, _) = state(&stream);
    assert_eq!(
        (&json["position"], &json["length"]),
        (&15.into(), &10.into())
    );
    assert_eq!(
        (&json["percent"], &json["etaMs"]),
        (&100.0.into(), &0.into())
    );
    reporter.set_length(30);
    assert_eq!(state(&stream).0["percent"], 50.0);
    reporter.finish(1);
    assert_eq!(state(&stream).0["position"], 30);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_nothing_is_done() {
    let (_reporter, stream) = progress::<u8>(0);
    assert_eq!(state(&stream).0["percent"], 100.0);
}

#[tokio::test(start_paused = true)]
async fn no_number_is_too_large() {
    let (reporter, stream) = progress::<u8>(u64::MAX);
    pass(1).await;
    reporter.inc(u64::MAX - 1);
    reporter.inc(u64::MAX);
    reporter.inc(1);
    pass(1000).await;
    let (json, read) = state(&stream);
    assert_eq!(position(read), u64::MAX, "exact for those who read 64 bits");
    assert_eq!(json["percent"], 100.0);
    reporter.inc_length(u64::MAX);
    reporter.set_position((1 << 53) + 1);
    let (json, read) = state(&stream);
    assert_eq!(position(read), (1 << 53) + 1);
    assert_eq!(json["percent"], 0.0);
    for (_, value) in json.as_object().unwrap() {
        assert!(value.is_number(), "{value} is no NaN and nothing infinite");
    }
}

#[tokio::test(start_paused = true)]
async fn going_back_is_allowed() {
    let (reporter, stream) = progress::<u8>(100);
    pass(1000).await;
    reporter.inc(90);
    state(&stream);
    reporter.set_position(10);
    let (json, _) = state(&stream);
    assert_eq!(
        (&json["position"], &json["percent"]),
        (&10.into(), &10.0.into())
    );
    assert!(
        json.get("rate").is_none(),
        "what is done again has no rate yet"
    );
}
