//! The gateway's answers to `useChat`, whose page is cut off and comes back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::post;
use futures_util::StreamExt as _;
use http::{Request, StatusCode};
use sse_tower::{Sse, SseLayer};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::ServiceExt as _;

use crate::dialect::ui::UiMessage;

/// Chats with one answer, which the test gives.
fn chats() -> (UnboundedSender<UiMessage>, Router) {
    let (answer, receiver) = mpsc::unbounded_channel();
    let events = Arc::new(Mutex::new(Some(UnboundedReceiverStream::new(receiver))));
    let endpoint = async move || {
        let events = events.lock().unwrap().take().expect("one question");
        Sse::new(events).finish_with(UiMessage::Done)
    };
    let app = crate::chat::routes(post(endpoint)).layer(SseLayer::new());
    (answer, app)
}

fn delta(delta: impl ToString) -> UiMessage {
    let (id, delta) = ("t1".to_owned(), delta.to_string());
    UiMessage::TextDelta { id, delta }
}

async fn ask(app: &Router) -> Body {
    let request = Request::post("/api/chat").body(Body::from(r#"{"id":"a b"}"#));
    let response = app.clone().oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body()
}

/// What a page that comes back is answered, if there is something.
async fn resume(app: &Router) -> Option<String> {
    let request = Request::get("/api/chat/a%20b/stream").body(Body::empty());
    let response = app.clone().oneshot(request.unwrap()).await.unwrap();
    if response.status() == StatusCode::NO_CONTENT {
        return None;
    }
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-vercel-ai-ui-message-stream"], "v1");
    let body = to_bytes(response.into_body(), 16 << 20).await.unwrap();
    Some(String::from_utf8(body.into()).unwrap())
}

async fn settle() {
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_resumed_whole() {
    let (answer, app) = chats();
    let mut page = ask(&app).await.into_data_stream();
    answer.send(delta(0)).unwrap();
    page.next().await.unwrap().unwrap();
    drop(page);
    for n in 1..5_000 {
        answer.send(delta(n)).unwrap();
    }
    settle().await;
    // Still at it, so that this is no matter of who forgets what.
    let resumed = tokio::spawn(async move { resume(&app).await });
    settle().await;
    drop(answer);
    let text = resumed
        .await
        .unwrap()
        .expect("there is something to resume");
    assert_eq!(text.matches("text-delta").count(), 5_000);
    assert!(text.contains(r#""delta":"4999""#) && text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_while_the_page_is_cut_off_is_there_for_it() {
    let (answer, app) = chats();
    let mut page = ask(&app).await.into_data_stream();
    answer.send(delta("half")).unwrap();
    page.next().await.unwrap().unwrap();
    drop(page);
    answer.send(delta("the rest")).unwrap();
    drop(answer);
    settle().await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let text = resume(&app).await.expect("it was not read");
    assert!(text.contains("half") && text.contains("the rest"), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    // It would be there twice.
    assert_eq!(resume(&app).await, None);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_read_to_its_end_is_not_given_again() {
    let (answer, app) = chats();
    let page = ask(&app).await;
    answer.send(delta("all")).unwrap();
    drop(answer);
    let text = to_bytes(page, 4096).await.unwrap();
    assert!(text.ends_with(b"data: [DONE]\n\n"), "{text:?}");
    assert_eq!(resume(&app).await, None);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_longer_than_that() {
    let (answer, app) = chats();
    drop(ask(&app).await);
    answer.send(delta("all")).unwrap();
    drop(answer);
    settle().await;
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(resume(&app).await, None);
}
