//! A chat with rooms: `cargo run --example chat`, then open the page in two windows.
//!
//! The messages of a room are a [`DurableTopic`], so a page that joins, one that comes back after
//! a lost connection or a restart of the server, and one that was there all the time end up with
//! the same messages, each once. Who is there and who is writing goes through a topic of a [`Hub`]
//! that keeps nothing. A page follows both on one connection.
//!
//! `PORT` chooses the port, and `FILE` the file for the messages, instead of one in the temporary
//! directory.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::future::ready;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use sse_tower::store::{RedbStore, StoreError};
use sse_tower::{
    Block, Cursor, DurableTopic, Hub, Missed, Resume, Retention, Shutdown, Sse, SseEvent, SseLayer,
    Topic, sse_handler,
};
use tokio::net::TcpListener;
use tokio::signal;

const ROOMS: [&str; 3] = ["lobby", "kitchen", "library"];
const MAX_BODY: usize = 4 * 1024;

#[derive(SseEvent)]
enum Said {
    Said {
        name: String,
        text: String,
    },
    /// The page has missed messages that are gone: it starts over with those that are kept.
    Restart,
}

/// What is of no interest later. It has no id, so the id with which a page comes back is always
/// that of a message.
#[derive(SseEvent)]
enum Now {
    /// How many are in the room.
    #[sse(replay = "never")]
    Present { count: usize },
    /// Somebody is writing.
    #[sse(replay = "never")]
    Typing { name: String },
}

#[derive(Clone)]
struct App {
    said: Arc<HashMap<&'static str, DurableTopic<Said>>>,
    now: Hub<String, Now>,
    /// Held while a count is taken and published, so that an older one never comes last.
    counting: Arc<Mutex<()>>,
}

/// Sends what was said in the room, or what the client has missed of it, and then what is said
/// and who is there.
#[sse_handler(retry = "1s")]
async fn follow(
    Path(room): Path<String>,
    State(app): State<App>,
    resume: Resume<Cursor>,
) -> axum::response::Result<Sse<Block>> {
    let topic = app.said(&room)?;
    let (first, said) = match resume {
        Resume::Fresh => (None, topic.from_start()),
        resume => match topic.subscribe(resume) {
            Ok(missed) => (None, missed),
            // The room goes on elsewhere, or not at all.
            Err(missed @ (Missed::Stopped | Missed::Closed(_))) => return Err(missed.into()),
            // Away for longer than the room remembers.
            Err(_) => (Some(Said::Restart), topic.from_start()),
        },
    };
    let first = first.map(|event| Block::encode(&event));
    let first = first.transpose().map_err(failed)?;
    let topic = app.now.topic(&room);
    let now = topic.live();
    app.count(&topic);
    // When the messages end, so does the stream, and the client comes back: presence is no chat.
    let said = said.map(Some).chain(stream::once(ready(None)));
    let both = stream::select(said, now.map(Some));
    let both = both.take_while(|event| ready(event.is_some()));
    let events = stream::iter(first.map(Ok)).chain(both.filter_map(ready));
    Ok(Sse::new(events).on_close(move |_| app.count(&topic)))
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
    let said = app.said(&room)?.publish(Said::Said { name, text }).await;
    said.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
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
    app.said(&room)?;
    let now = app.now.topic(&room);
    now.publish(Now::Typing { name }).map_err(failed)?;
    Ok(StatusCode::NO_CONTENT)
}

fn failed(error: impl Error) -> StatusCode {
    eprintln!("{error}: {:?}", error.source());
    StatusCode::INTERNAL_SERVER_ERROR
}

impl App {
    /// What is said in a room, if there is such a room.
    fn said(&self, room: &str) -> Result<&DurableTopic<Said>, StatusCode> {
        self.said.get(room).ok_or(StatusCode::NOT_FOUND)
    }

    /// Tells the room how many there are.
    fn count(&self, room: &Topic<Now>) {
        let _counting = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = room.subscribers();
        if let Err(error) = room.publish(Now::Present { count }) {
            eprintln!("nobody was told that there are {count}: {error}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = env::var_os("FILE").map(PathBuf::from);
    let file = file.unwrap_or_else(|| env::temp_dir().join("sse-tower-chat.redb"));
    let stop = Shutdown::new();
    let app = router(RedbStore::open(file)?, &stop).await?;
    let port = env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}/", listener.local_addr()?);
    // An event must not wait for the acknowledgement of the one before it.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.begun());
    let limit = async {
        signal::ctrl_c().await?;
        // Streams end between two events; pages come back to the next process.
        stop.begin();
        // The rest belongs to clients that do not read, for which the server would wait for ever.
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(())
    };
    tokio::select! {
        served = server => Ok(served?),
        stopped = limit => stopped,
    }
}

/// The rooms that are in a store, and the page that shows them.
pub(crate) async fn router(store: RedbStore, stop: &Shutdown) -> Result<Router, StoreError> {
    let mut said = HashMap::new();
    for room in ROOMS {
        let kept = Retention::events(200);
        let topic = DurableTopic::open(store.clone(), ("room", room), kept).await?;
        said.insert(room, topic);
    }
    let app = App {
        said: Arc::new(said),
        now: Hub::new(Retention::events(1)),
        counting: Arc::default(),
    };
    Ok(Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/rooms", get(async || Json(ROOMS)))
        .route("/rooms/{room}", get(follow).post(say))
        .route("/rooms/{room}/typing", post(typing))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(SseLayer::new().shutdown(stop))
        .with_state(app))
}
