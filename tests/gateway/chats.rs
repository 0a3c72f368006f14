//! The gateway's answers to `useChat`, whose page is cut off and comes back.

use std::sync::{Arc, Mutex};

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
