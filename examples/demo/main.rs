//! Three live panels over server-sent events: `cargo run --example demo [DIRECTORY]`.
//!
//! - [`progress`] hashes a directory; the browser stops by itself at the end.
//! - [`feed`] shows this machine's load and loses nothing when the connection drops.
//! - [`tokens`] answers a prompt word by word, and goes on where it was when the page is reloaded.
//!
//! `PORT` chooses the port. `OPENAI_BASE_URL` (with `OPENAI_API_KEY` and `OPENAI_MODEL`) lets a
//! language model answer; without it, a Markov chain over the README does.

mod feed;
mod model;
mod progress;
mod tokens;
mod upstream;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Html;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use futures_util::Stream;
use sse_tower::{Retry, SseEvent, SseLayer, Topic, sse_handler};
use tokio::net::TcpListener;
use tokio::signal;
use tokio::time::sleep;

use crate::feed::Feed;
use crate::progress::Hashing;
use crate::tokens::{Produced, Production, Source};

/// What the handlers share; a clone is cheap.
#[derive(Clone)]
struct App {
    hashing: Hashing,
    feed: Topic<Feed>,
    source: Arc<Source>,
    produced: Arc<Production>,
    /// Around every route.
    streams: SseLayer,
    /// Around the feed alone, whose streams it can end.
    feed_streams: SseLayer,
}

fn router(app: App) -> Router {
    let prompts = DefaultBodyLimit::max(tokens::MAX_BODY);
    let answers = post(tokens::answer)
        .get(tokens::unknown)
        .layer((prompts, tokens::resumable()))
        .delete(tokens::cancel);
    Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/progress", get(progress::follow))
        .route("/progress/start", post(progress::start))
        .route("/feed", get(feed::feed).layer(app.feed_streams.clone()))
        .route("/feed/drop", post(feed::drop_connections))
        .route("/tokens/{name}", answers)
        .route("/status", get(status))
        .layer(app.streams.clone())
        .with_state(app)
}

/// What the server is doing.
#[derive(Clone, PartialEq, SseEvent)]
enum Server {
    Status {
        open_streams: usize,
        #[serde(flatten)]
        produced: Produced,
    },
}

/// Looks ten times a second, and sends an event when something has changed.
#[sse_handler(retry = "1s")]
async fn status(State(app): State<App>) -> impl Stream<Item = Server> {
    stream! {
        let mut last = None;
        loop {
            let now = Server::Status {
                open_streams: app.streams.open_streams(),
                produced: app.produced.now(),
            };
            if last.as_ref() != Some(&now) {
                last = Some(now.clone());
                yield now;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn run() -> Result<(), Box<dyn Error>> {
    let root = match env::args_os().nth(1) {
        Some(directory) => directory.into(),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")),
    };
    let port = match env::var("PORT") {
        Ok(port) => port
            .parse()
            .map_err(|_| format!("PORT must be a number from 0 to 65535, not {port:?}"))?,
        Err(_) => 0,
    };
    let app = App {
        hashing: Hashing::new(directory(&root)?),
        feed: feed::start(),
        source: Arc::new(Source::from_env()?),
        produced: Arc::default(),
        streams: SseLayer::new(),
        feed_streams: SseLayer::new().reconnect(Retry::fixed(Duration::from_secs(3))),
    };
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    println!("http://{}/", listener.local_addr()?);
    // An event must not wait for the acknowledgement of the one before it.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    // At once, even if streams are open: there is nothing to save.
    tokio::spawn(async { signal::ctrl_c().await.map(|()| process::exit(130)) });
    axum::serve(listener, router(app)).await?;
    Ok(())
}

/// The full path of `root`, which must be a directory that can be listed.
fn directory(root: &Path) -> Result<PathBuf, String> {
    fs::read_dir(root)
        .and_then(|_| root.canonicalize())
        .map_err(|error| format!("cannot hash {}: {error}", root.display()))
}
