//! One event to everybody: what is posted to `/publish` goes to all clients of `/events`.
//!
//! ```text
//! PORT=8080 cargo run --release --example fanout
//! curl -N localhost:8080/events &
//! curl -d 'Hello, all of you' localhost:8080/publish
//! ```
//!
//! A client that comes back with the id of the last event it has seen is sent what it missed, or
//! everything that is kept if that is no longer known.

use std::env;
use std::error::Error;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use sse_tower::{
    Cursor, Missed, Resume, Retention, SseEvent, SseLayer, Subscription, Topic, sse_handler,
};
use tokio::net::TcpListener;

#[derive(SseEvent)]
enum Feed {
    #[sse(unnamed, data = "text")]
    Message(String),
}

/// One thread: nearly all of the work is the kernel's, and subscribers of one topic gain little
/// from a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    let app = Router::new()
        .route("/events", get(events))
        .layer(SseLayer::new())
        .route("/publish", post(publish))
        .with_state(Topic::new(Retention::events(4096)));

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // An event that waits for the acknowledgement of the one before it is up to 40 ms late.
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            eprintln!("tcp_nodelay: {error}");
        }
    });
    axum::serve(listener, app).await?;
    Ok(())
}

#[sse_handler]
async fn events(
    resume: Resume<Cursor>,
    State(topic): State<Topic<Feed>>,
) -> Result<Subscription<Feed>, Missed> {
    let subscription = match topic.subscribe(resume) {
        // Away for too long, or with an id of another run or version of the server: a 410 would end
        // a browser for good.
        Err(Missed::Gap(_) | Missed::Unreadable) => topic.from_start(),
        subscribed => subscribed?,
    };
    // So that a client that was not sent anything yet has a place to come back to as well.
    Ok(subscription.checkpoints())
}

/// Answers with the id of the event.
async fn publish(State(topic): State<Topic<Feed>>, text: String) -> Result<String, StatusCode> {
    let published = topic.publish(Feed::Message(text));
    let cursor = published.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(cursor.map_or_else(String::new, |cursor| cursor.to_string()))
}
