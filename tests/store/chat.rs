//! The example `chat`, and a page that was away for longer than its room remembers.

use axum::Router;
use axum::body::Body;
use futures_util::StreamExt as _;
use http::Request;
use sse_tower::Shutdown;
use sse_tower::store::RedbStore;
use tower::ServiceExt as _;

use crate::TempPath;
use crate::example_chat::router;

async fn say(app: &Router, text: &str) {
    let said = format!(r#"{{"name":"Ada","text":"{text}"}}"#);
    let request = Request::post("/rooms/lobby").header("content-type", "application/json");
    let response = app.clone().oneshot(request.body(Body::from(said)).unwrap());
    assert_eq!(response.await.unwrap().status(), 204);
}

/// What a page is sent that has seen the event `id`, up to what was said last.
async fn follow(app: &Router, id: &str, last: &str) -> String {
    let request = Request::get("/rooms/lobby").header("accept", "text/event-stream");
    let request = request.header("last-event-id", id).body(Body::empty());
    let response = app.clone().oneshot(request.unwrap()).await.unwrap();
    let mut frames = response.into_body().into_data_stream();
    let mut text = String::new();
    while !text.contains(last) {
        let frame = frames.next().await.expect("it goes on").unwrap();
        text += str::from_utf8(&frame).unwrap();
    }
    text
}

#[tokio::test]
async fn a_page_that_was_away_too_long_is_told_to_begin_again() {
    let path = TempPath::new();
    let store = RedbStore::open(&path.0).unwrap();
    let app = router(store, &Shutdown::new()).await.unwrap();
    say(&app, "one").await;
    say(&app, "two").await;
    let all = follow(&app, "", "two").await;
    assert!(
        all.contains("one") && !all.contains("event: restart"),
        "{all}"
    );
    let id = all.lines().find_map(|line| line.strip_prefix("id: "));
    let rest = follow(&app, id.unwrap(), "two").await;
    assert!(
        !rest.contains("one") && !rest.contains("event: restart"),
        "{rest}"
    );

    let again = follow(&app, "1.1", "two").await;
    let (restart, one) = (again.find("event: restart\n"), again.find("one"));
    assert!(restart.is_some() && restart < one, "{again}");
}
