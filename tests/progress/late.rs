//! Who comes late, twice, or back.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use common::Reader;
use futures_util::StreamExt as _;
use http::{Request, StatusCode};
use sse_tower::{Cursor, ProgressReporter, Resume, SseLayer, progress, sse_handler};
use tower::ServiceExt as _;

use super::*;

#[tokio::test(start_paused = true)]
async fn whoever_comes_is_told_the_present_state_at_once() {
    let (reporter, mut first) = progress::<()>(100);
    now(&mut first);
    reporter.inc(30);
    for mut late in [first.clone(), reporter.subscribe()] {
        assert_eq!(position(now(&mut late)), 30);
        nothing(&mut late);
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_job_that_is_over_the_last_state_and_the_end_are_told() {
    let (reporter, stream) = progress::<&str>(100);
    reporter.inc(30);
    reporter.set_message("linking");
    reporter.finish("linked");
    pass(3_600_000).await;
    for stream in [stream.clone(), stream] {
        let events: Vec<_> = stream.collect().await;
        let [
            Progress::Update {
                position,
                percent,
                message,
                ..
            },
            Progress::Done { result, .. },
        ] = &events[..]
        else {
            panic!("{events:?} is not a state and the end")
        };
        assert_eq!(
            (*position, *percent),
            (100, Some(100.0)),
            "finished is full"
        );
        assert_eq!((message.as_deref(), *result), (Some("linking"), "linked"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_failed_stands_where_it_failed() {
    let (reporter, stream) = progress::<()>(100);
    reporter.inc(30);
    pass(1000).await;
    reporter.fail("no space");
    let events: Vec<_> = stream.collect().await;
    let [
        Progress::Update {
            position: 30,
            rate: None,
            eta_ms: None,
            ..
        },
        Progress::Failed { .. },
    ] = &events[..]
    else {
        panic!("{events:?} is not a state and the end")
    };
}

#[sse_handler]
async fn follow(
    resume: Resume<Cursor>,
    State(job): State<ProgressStream<u8>>,
) -> Option<ProgressStream<u8>> {
    job.after(resume)
}

async fn job(State(job): State<ProgressStream<u8>>) -> ProgressStream<u8> {
    job
}

fn app() -> (ProgressReporter<u8>, Router) {
    let (reporter, stream) = progress::<u8>(100);
    let app = Router::new()
        .route("/follow", get(follow))
        .route("/job", get(job))
        .with_state(stream);
    (reporter, app)
}

async fn call(app: &Router, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

/// The ids of a response.
fn ids(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn who_has_seen_the_end_is_answered_204_and_who_has_not_is_told_it() {
    let (reporter, app) = app();
    reporter.inc(1);
    reporter.finish(7);
    let text = Reader::of(call(&app, "/follow", &[]).await).rest().await;
    let [state, end] = ids(&text)[..] else {
        panic!("{text} has not two ids")
    };
    let again = call(&app, "/follow", &[("last-event-id", end)]).await;
    assert_eq!(again.status(), StatusCode::NO_CONTENT);
    for not_the_end in [state, "1.1", "17", "of another server"] {
        let again = call(&app, "/follow", &[("last-event-id", not_the_end)]).await;
        assert_eq!(again.status(), StatusCode::OK, "{not_the_end}");
        let again = Reader::of(again).rest().await;
        assert_eq!(again.replace(",\"reset\":true", ""), text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_while_the_job_runs_is_told_the_present_state() {
    let (reporter, app) = app();
    let mut reader = Reader::of(call(&app, "/follow", &[]).await);
    let first = reader.frame().await;
    drop(reader);
    reporter.inc(50);
    let seen = ids(&first)[0];
    let mut reader = Reader::of(call(&app, "/follow", &[("last-event-id", seen)]).await);
    let second = reader.frame().await;
    assert!(second.contains("\"position\":50"), "{second}");
    assert_ne!(ids(&second)[0], seen);
}

/// It may have tasks of a run before this one, which has none of its own yet.
#[tokio::test(start_paused = true)]
async fn who_comes_back_forgets_the_tasks_of_another_run() {
    let (_reporter, app) = app();
    for (seen, reset) in [
        (None, false),
        (Some("1.1"), true),
        (Some("of another server"), true),
    ] {
        let header = seen.map(|id| ("last-event-id", id));
        let mut reader = Reader::of(call(&app, "/follow", header.as_slice()).await);
        let first = reader.frame().await;
        assert_eq!(first.contains("\"reset\":true"), reset, "{seen:?}: {first}");
    }
}

/// A browser, to which the layer says what it needs to stop, with no code of the handler.
#[tokio::test(start_paused = true)]
async fn a_browser_stops_at_the_end() {
    let (reporter, app) = app();
    let app = app.layer(SseLayer::new());
    let browser = ("accept", "text/event-stream");
    let reader = Reader::of(call(&app, "/job", &[browser]).await);
    reporter.finish(7);
    let text = reader.rest().await;
    let marker = "event: sse-tower:end\nid: sse-tower:end\ndata: {}\n\n";
    assert!(text.ends_with(marker), "{text}");
    let back = call(&app, "/job", &[browser, ("last-event-id", "sse-tower:end")]).await;
    assert_eq!(back.status(), StatusCode::NO_CONTENT);
    let reloaded = Reader::of(call(&app, "/job", &[browser]).await)
        .rest()
        .await;
    assert!(
        reloaded.contains("event: done\n") && reloaded.ends_with(marker),
        "{reloaded}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_job_is_kept_alive_by_the_response() {
    let (reporter, app) = app();
    let mut reader = Reader::of(call(&app, "/job", &[]).await);
    assert!(reader.frame().await.starts_with("event: progress\n"));
    assert_eq!(reader.frame().await, ":\n");
    drop(reporter);
    assert!(reader.rest().await.starts_with("event: failed\n"));
}
