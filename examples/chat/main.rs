//! A chat with rooms: `cargo run --example chat`, then open the page in two windows.
//!
//! A room is a topic of a [`Hub`]. What the topic keeps of each event is its history, so a page
//! that joins, one that comes back after a lost connection, and one that was there all the
//! time end up with the same messages, each once.
//!
//! `PORT` chooses the port.

use std::env;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use sse_tower::{
    Cursor, Hub, PublishError, Resume, Retention, Sse, SseEvent, SseLayer, Topic, sse_handler,
};
use tokio::net::TcpListener;

const ROOMS: [&str; 3] = ["lobby", "kitchen", "library"];
const MAX_BODY: usize = 4 * 1024;

#[derive(SseEvent)]
enum Chat {
    Said {
        name: String,
        text: String,
    },
    /// How many are in the room. Only the newest count is worth keeping.
    #[sse(replay = "latest")]
    Present {
        count: usize,
    },
    /// Somebody is writing, which is of no interest later.
    #[sse(replay = "never")]
    Typing {
        name: String,
    },
    /// What the page shows is no longer all there was: the room follows from where it begins.
    Restart,
}

#[derive(Clone)]
struct App {
    rooms: Hub<&'static str, Chat>,
    /// Held while a count is taken and published, so that an older one never comes last.
    counting: Arc<Mutex<()>>,
}

/// Sends what was said in the room, or what the client has missed of it, and then what is said.
#[sse_handler(retry = "1s")]
async fn follow(
    Path(room): Path<String>,
    State(app): State<App>,
    resume: Resume<Cursor>,
) -> Result<Sse<Chat>, StatusCode> {
    let room = app.room(&room)?;
    let (first, events) = match resume {
        Resume::Fresh => (None, room.from_start()),
        resume => match room.subscribe(resume) {
            Ok(missed) => (None, missed),
            // Away for longer than the room remembers, or the server was started anew.
            Err(_) => (Some(Chat::Restart), room.from_start()),
        },
    };
    app.count(&room);
    let sse = events.behind(stream::iter(first));
    Ok(sse.on_close(move |_| app.count(&room)))
}

#[derive(Deserialize)]
struct Message {
    name: String,
    text: String,
}

async fn say(
    Path(room): Path<String>,
    State(app): State<App>,
    Json(Message { name, text }): Json<Message>,
) -> Result<StatusCode, StatusCode> {
    answer(app.room(&room)?.publish(Chat::Said { name, text }))
}

#[derive(Deserialize)]
struct Writer {
    name: String,
}

async fn typing(
    Path(room): Path<String>,
    State(app): State<App>,
    Json(Writer { name }): Json<Writer>,
) -> Result<StatusCode, StatusCode> {
    answer(app.room(&room)?.publish(Chat::Typing { name }))
}

fn answer(published: Result<Option<Cursor>, PublishError>) -> Result<StatusCode, StatusCode> {
    match published {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

impl App {
    fn room(&self, name: &str) -> Result<Topic<Chat>, StatusCode> {
        let known = ROOMS.iter().find(|room| **room == name);
        known
            .map(|room| self.rooms.topic(room))
            .ok_or(StatusCode::NOT_FOUND)
    }

    /// Tells the room how many there are.
    fn count(&self, room: &Topic<Chat>) {
        let _counting = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = room.subscribers();
        if let Err(error) = room.publish(Chat::Present { count }) {
            eprintln!("nobody was told that there are {count}: {error}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let app = App {
        rooms: Hub::new(Retention::events(200)).idle_after(DAY),
        counting: Arc::default(),
    };
    let router = Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/rooms", get(async || Json(ROOMS)))
        .route("/rooms/{room}", get(follow).post(say))
        .route("/rooms/{room}/typing", post(typing))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(SseLayer::new())
        .with_state(app);
    let port = env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}
