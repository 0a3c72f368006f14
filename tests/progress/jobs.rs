//! Jobs by key, kept for a while.

use axum::response::IntoResponse as _;
use futures_util::StreamExt as _;
use http::StatusCode;
use sse_tower::{Cursor, EventId, Jobs, NoJob, NotStarted, Resume, progress};

use super::*;

type Builds = Jobs<&'static str, u8>;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn fresh(jobs: &Builds, key: &'static str) -> Result<ProgressStream<u8>, NoJob> {
    jobs.subscribe(&key, Resume::Fresh)
}

/// The id of the last event of a job that is over.
async fn last_id(stream: ProgressStream<u8>) -> Cursor {
    let events: Vec<_> = stream.collect().await;
    let Some(Progress::Done { id: Some(id), .. }) = events.last() else {
        panic!("{events:?} does not end well")
    };
    EventId::as_str(id).parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_job_is_found_by_its_key_from_anywhere() {
    let jobs = Builds::new();
    let reporter = jobs.clone().start("a", 10).unwrap();
    reporter.inc(3);
    assert_eq!(position(now(&mut fresh(&jobs, "a").unwrap())), 3);
    assert_eq!(fresh(&jobs, "b").unwrap_err(), NoJob::Unknown);
    assert_eq!((jobs.len(), reporter.subscribers()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_over_is_kept_for_its_time_and_no_longer() {
    let jobs = Builds::new().keep_for(secs(60));
    let reporter = jobs.start("a", 10).unwrap();
    reporter.clone().finish(7);
    pass(59_999).await;
    reporter.fail("too late, and no reason to keep it longer");
    let early = fresh(&jobs, "a").unwrap();
    pass(1).await;
    assert_eq!(fresh(&jobs, "a").unwrap_err(), NoJob::Unknown);
    assert!(jobs.is_empty());
    last_id(early).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_runs_is_kept_however_long() {
    let jobs = Builds::new().keep_for(secs(60));
    let reporter = jobs.start("a", 10).unwrap();
    pass(86_400_000).await;
    jobs.start("b", 1).unwrap().finish(1);
    reporter.finish(7);
    pass(59_000).await;
    assert!(fresh(&jobs, "a").is_ok(), "the time counts from its end");
}

#[tokio::test(start_paused = true)]
async fn who_has_seen_the_end_is_told_so_and_nobody_else() {
    let jobs = Builds::new();
    jobs.start("a", 10).unwrap().finish(7);
    jobs.start("b", 10).unwrap().finish(7);
    let end_of_a = Resume::After(last_id(fresh(&jobs, "a").unwrap()).await);
    let seen = jobs.subscribe(&"a", end_of_a.clone()).unwrap_err();
    assert_eq!(seen, NoJob::Seen);
    last_id(jobs.subscribe(&"b", end_of_a.clone()).unwrap()).await;
    // The same key, but another run.
    let again = jobs.start("a", 10).unwrap();
    assert_eq!(
        position(now(&mut jobs.subscribe(&"a", end_of_a).unwrap())),
        0
    );
    drop(again);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_runs_is_taken_and_one_that_is_over_is_free() {
    let jobs = Builds::new();
    let reporter = jobs.start("a", 10).unwrap();
    assert_eq!(jobs.start("a", 10).unwrap_err(), NotStarted::Running);
    reporter.finish(7);
    let (reporter, _) = progress(3);
    jobs.insert("a", &reporter).unwrap();
    assert_eq!(
        (jobs.len(), position(now(&mut fresh(&jobs, "a").unwrap()))),
        (1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn there_are_only_so_many_and_what_ended_first_goes_first() {
    let jobs = Builds::new().at_most(3);
    let running = jobs.start("running", 1).unwrap();
    for key in ["first", "second"] {
        jobs.start(key, 1).unwrap().finish(7);
        pass(1).await;
    }
    let third = jobs.start("third", 1).unwrap();
    assert_eq!(fresh(&jobs, "first").unwrap_err(), NoJob::Unknown);
    assert!(fresh(&jobs, "second").is_ok());
    let fourth = jobs.start("fourth", 1).unwrap();
    assert_eq!(jobs.start("fifth", 1).unwrap_err(), NotStarted::Full);
    assert_eq!(jobs.len(), 3);
    drop((running, third, fourth));
    jobs.start("fifth", 1).unwrap();
    jobs.remove(&"fifth");
    assert_eq!(jobs.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_kept_is_given_back_when_the_next_job_starts() {
    let result = std::sync::Arc::new(());
    let jobs = Jobs::<u8, Held>::new().keep_for(secs(60));
    jobs.start(1, 1).unwrap().finish(Held(result.clone()));
    pass(60_000).await;
    assert_eq!(std::sync::Arc::strong_count(&result), 2);
    let _next = jobs.start(2, 1).unwrap();
    assert_eq!(std::sync::Arc::strong_count(&result), 1);
}

/// A result whose memory can be seen.
struct Held(#[expect(dead_code, reason = "it is counted")] std::sync::Arc<()>);

impl serde::Serialize for Held {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// A result that looks at the jobs when it is dropped, as one that is a guard may.
struct Looks(Jobs<u8, Self>);

impl serde::Serialize for Looks {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        let _ = self.0.len();
    }
}

/// On a thread, so that a lock that is never given back is a failure and no hanging test.
#[test]
fn a_result_that_is_forgotten_may_look_at_the_jobs() {
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let jobs = Jobs::<u8, Looks>::new().at_most(1);
        let run = |key| jobs.start(key, 1).unwrap().finish(Looks(jobs.clone()));
        run(1);
        done.send("of the same key").unwrap();
        run(1);
        done.send("what ended first").unwrap();
        run(2);
        let brief = Jobs::<u8, Looks>::new().keep_for(Duration::ZERO);
        done.send("what is no longer kept").unwrap();
        for key in [1, 2] {
            let looks = Looks(brief.clone());
            brief.start(key, 1).unwrap().finish(looks);
        }
        done.send("").unwrap();
    });
    let mut at = "the first";
    while !at.is_empty() {
        let next = is_done.recv_timeout(Duration::from_secs(10));
        at = next.unwrap_or_else(|_| panic!("it hangs at {at}"));
    }
}

#[test]
fn the_answers_are_those_that_an_event_source_understands() {
    for (response, status, no_store) in [
        (NoJob::Unknown.into_response(), StatusCode::NOT_FOUND, true),
        (NoJob::Seen.into_response(), StatusCode::NO_CONTENT, true),
        (
            NotStarted::Running.into_response(),
            StatusCode::CONFLICT,
            false,
        ),
        (
            NotStarted::Full.into_response(),
            StatusCode::SERVICE_UNAVAILABLE,
            false,
        ),
    ] {
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key("cache-control"), no_store);
    }
}
