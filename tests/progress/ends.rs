//! Every job ends, once.

use std::fmt;

use futures_util::StreamExt as _;
use serde::{Serialize, Serializer};
use sse_tower::{TaskState, progress};

use super::*;

/// The message of a failure that is told at once.
#[track_caller]
fn failure<T: Clone + fmt::Debug>(stream: &mut ProgressStream<T>) -> String {
    match now(stream) {
        Progress::Failed { message, .. } => message,
        event => panic!("{event:?} is no failure"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_finishes_has_failed() {
    let (reporter, mut stream) = progress::<()>(1);
    now(&mut stream);
    let other = reporter.clone();
    drop(reporter);
    nothing(&mut stream);
    drop(other);
    assert_eq!(failure(&mut stream), "the job ended without a result");
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_has_failed() {
    let (reporter, mut stream) = progress::<()>(1);
    now(&mut stream);
    let job = tokio::spawn(async move {
        reporter.inc(1);
        panic!("on purpose");
    });
    assert!(job.await.is_err());
    assert_eq!(position(now(&mut stream)), 1);
    assert_eq!(failure(&mut stream), "the job panicked");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_says_why() {
    let (reporter, mut stream) = progress::<()>(1);
    now(&mut stream);
    reporter.fail(std::io::Error::other("the disk is full"));
    assert_eq!(failure(&mut stream), "the disk is full");
}

/// However soon after an update: who looks on is told what one is told who comes late.
#[tokio::test(start_paused = true)]
async fn how_far_a_job_came_is_told_before_its_failure() {
    let (reporter, mut stream) = progress::<()>(10);
    now(&mut stream);
    reporter.inc(3);
    reporter.set_message("writing");
    nothing(&mut stream);
    reporter.fail("the disk is full");
    let Progress::Update {
        position: 3,
        message: Some(message),
        ..
    } = now(&mut stream)
    else {
        panic!("how far it came")
    };
    assert_eq!(message, "writing");
    assert_eq!(failure(&mut stream), "the disk is full");
}

#[tokio::test(start_paused = true)]
async fn of_a_job_that_is_done_the_result_says_all() {
    let (reporter, mut stream) = progress::<u8>(10);
    now(&mut stream);
    reporter.inc(3);
    reporter.set_message("writing");
    reporter.finish(7);
    assert!(matches!(now(&mut stream), Progress::Done { result: 7, .. }));
}

#[tokio::test(start_paused = true)]
async fn the_first_end_is_the_end_and_later_words_have_no_effect() {
    let (reporter, mut stream) = progress::<u8>(10);
    now(&mut stream);
    let other = reporter.clone();
    assert!(!other.is_finished());
    reporter.finish(1);
    assert!(other.is_finished());
    let task = other.task("late", 1);
    task.inc(1);
    task.finish();
    other.inc(1);
    other.set_length(99);
    other.set_message("late");
    other.reset_eta();
    assert_eq!(other.position(), 10);
    other.clone().fail("late");
    other.finish(2);
    assert!(matches!(now(&mut stream), Progress::Done { result: 1, .. }));
    let Progress::Update {
        position,
        length,
        message,
        ..
    } = now(&mut stream.clone())
    else {
        panic!("the last state")
    };
    assert_eq!((position, length, message), (10, Some(10), None));
}

#[tokio::test(start_paused = true)]
async fn what_a_task_does_after_the_end_of_the_job_is_not_told() {
    let (reporter, stream) = progress::<()>(None);
    let task = reporter.part("a", 10);
    now(&mut stream.clone());
    pass(1000).await;
    task.inc(1);
    reporter.fail("no space");
    task.inc(1);
    let mut late = stream;
    assert_eq!(position(now(&mut late)), 1);
    let Progress::Task {
        position: 1,
        rate: None,
        eta_ms: None,
        ..
    } = now(&mut late)
    else {
        panic!("as it was at the end")
    };
    assert_eq!(failure(&mut late), "no space");
}

/// Whether each task of a job that is over has failed.
async fn all_failed(stream: ProgressStream<u8>) -> Vec<(String, bool)> {
    let events = stream.filter_map(async |event| match event {
        Progress::Task { name, state, .. } => Some((name, state == TaskState::Failed)),
        _ => None,
    });
    events.collect().await
}

#[tokio::test(start_paused = true)]
async fn no_task_goes_on_when_the_job_is_over() {
    for finish in [true, false] {
        let (reporter, mut present) = progress::<u8>(None);
        let done = reporter.part("done", 10);
        let running = reporter.part("running", 10);
        let inner = running.task("inner", 1);
        assert_eq!(position(now(&mut present)), 0);
        (0..3).for_each(|_| drop(now(&mut present)));
        done.finish();
        if finish {
            reporter.finish(1);
        } else {
            reporter.fail("no space");
        }
        inner.finish();
        running.finish();
        let states = [("done", false), ("running", true), ("inner", true)];
        let states = states.map(|(name, failed)| (name.to_owned(), failed));
        let late = present.clone();
        assert_eq!(all_failed(present).await, states);
        assert_eq!(all_failed(late).await, states);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_finished_is_full_and_never_more_than_that() {
    for (own, of_part, length, full) in [
        (3, 4, Some(10), 10),
        (3, 4, Some(5), 7),
        (3, 4, None, 9),
        (0, 0, Some(0), 0),
    ] {
        let (reporter, stream) = progress::<u8>(length);
        let part = reporter.part("a", 9);
        reporter.inc(own);
        part.inc(of_part);
        let other = reporter.clone();
        reporter.finish(1);
        part.inc(2);
        assert_eq!(other.position(), full);
        assert_eq!(position(now(&mut stream.clone())), full);
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Unserializable;

impl Serialize for Unserializable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a secret of ours"))
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_sent_is_a_failure_that_says_so() {
    let (reporter, mut stream) = progress::<Unserializable>(1);
    now(&mut stream);
    reporter.finish(Unserializable);
    assert_eq!(failure(&mut stream), "the result of the job cannot be sent");
}

struct BadDisplay;

impl fmt::Display for BadDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of it")?;
        Err(fmt::Error)
    }
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_does_not_display_is_no_panic() {
    let (reporter, mut stream) = progress::<()>(1);
    now(&mut stream);
    reporter.fail(BadDisplay);
    assert_eq!(failure(&mut stream), "half of it");
}

#[tokio::test(start_paused = true)]
async fn who_looks_is_counted_and_leaves_the_job_alone() {
    let (reporter, stream) = progress::<u8>(1);
    let mut clients = [stream.clone(), stream.clone(), reporter.subscribe()];
    assert_eq!(
        reporter.subscribers(),
        0,
        "the state of a router is no client"
    );
    for client in &mut clients {
        now(client);
        nothing(client);
    }
    assert_eq!(reporter.subscribers(), 3);
    drop(clients);
    assert_eq!(reporter.subscribers(), 0);
    reporter.inc(1);
    let mut late = reporter.subscribe();
    reporter.finish(1);
    now(&mut late);
    assert!(matches!(now(&mut late), Progress::Done { .. }));
}

/// A job of plain threads, without a runtime, is told of all the same.
#[tokio::test]
async fn a_job_needs_no_runtime() {
    let (reporter, stream) = progress::<u8>(3);
    let job = std::thread::spawn(move || {
        for n in reporter.wrap_iter(0..3) {
            reporter.set_message(format!("at {n}"));
        }
        reporter.finish(3);
    });
    let events: Vec<_> = stream.collect().await;
    job.join().unwrap();
    assert!(matches!(
        events.last(),
        Some(Progress::Done { result: 3, .. })
    ));
}

/// Whoever comes first: each of those who look is told of one end, and of the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ends_that_race_are_one_end() {
    let mut ends = [0; 2];
    for round in 0..10_000 {
        let (reporter, first) = progress::<u8>(3);
        let second = reporter.subscribe();
        let all = [first, second].map(|stream| tokio::spawn(stream.collect::<Vec<_>>()));
        let (finishes, fails, leaves) = (reporter.clone(), reporter.clone(), reporter);
        let racing = [
            tokio::spawn(async move { finishes.finish(7) }),
            tokio::spawn(async move {
                fails.inc(round % 2);
                fails.fail("no");
            }),
            tokio::spawn(async move { drop(leaves) }),
        ];
        for racer in racing {
            racer.await.unwrap();
        }
        let mut told = Vec::new();
        for events in all {
            let mut events = events.await.unwrap();
            let last = events.pop().expect("an end");
            let is_update = |event| matches!(event, &Progress::Update { .. });
            assert!(events.iter().all(is_update), "{events:?} {last:?}");
            told.push(match last {
                Progress::Done { result: 7, .. } => 0,
                Progress::Failed { message, .. } if message == "no" => 1,
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(told[0], told[1]);
        ends[told[0]] += 1;
    }
    assert_eq!(ends[0] + ends[1], 10_000);
}
