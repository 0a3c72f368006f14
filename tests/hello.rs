//! The example `hello`, which is the program of the README.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use sse_tower::RawEvent;
use sse_tower::testing::SseTest;
use tower::ServiceExt as _;

#[path = "../examples/hello/main.rs"]
#[expect(dead_code, reason = "nothing here listens on a port")]
mod example;

#[test]
fn the_readme_shows_the_example() {
    let program = include_str!("../examples/hello/main.rs");
    let (_, program) = program.split_once("\n\n").unwrap();
    let readme = include_str!("../README.md");
    assert!(
        readme.contains(&format!("```rust,no_run\n{program}```\n")),
        "the program of the README is that of examples/hello/main.rs"
    );
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_was_cut_off_reads_on_to_the_end_and_stops() {
    let mut launch = SseTest::<RawEvent<'static>>::get(example::app(), "/launch").await;
    let first = launch.next().await;
    assert_eq!(
        (first.event(), first.data()),
        ("count", r#"{"seconds":10}"#)
    );
    launch.expect_idle(Duration::from_millis(999)).await;

    launch.disconnect();
    launch.reconnect().await;
    let mut last = launch.next().await;
    assert_eq!((last.id(), last.data()), (Some("1"), r#"{"seconds":9}"#));
    while last.event() == "count" {
        last = launch.next().await;
    }
    assert_eq!(last.event(), "liftoff");
    launch.expect_end().await;
    let answer = launch.reconnect_refused().await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_page_listens_to_the_stream() {
    let request = Request::get("/").body(Body::empty()).unwrap();
    let response = example::app().oneshot(request).await.unwrap();
    let page = to_bytes(response.into_body(), 4096).await.unwrap();
    assert!(page.starts_with(b"<!doctype html>"));
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.contains("new EventSource('/launch')"), "{page}");
}
