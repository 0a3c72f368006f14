//! A directory is hashed while anybody may look: `cargo run --example progress [DIRECTORY]`.
//!
//! It prints the address of a page that has a bar for the whole, for each directory and for each
//! file that is being read. So has this terminal, through the client of this library, and another
//! one with `cargo run --example progress -- watch URL`. All begin with what is done so far,
//! whenever they come, and are told how it ended, however late.
//!
//! `PORT` chooses the port.

mod hash;
mod watch;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use sse_tower::{Cursor, Jobs, NoJob, NotStarted, ProgressStream, Resume, SseLayer, sse_handler};
use tokio::net::TcpListener;
use tokio::signal;
use tokio::task::spawn_blocking;

use crate::hash::Summary;

#[derive(Clone)]
struct App {
    root: Arc<Path>,
    /// Keyed by what is hashed. Here that is one directory, so there is one job at a time.
    jobs: Jobs<Arc<Path>, Summary>,
}

impl App {
    /// Hashes the directory, unless that is being done.
    fn start(&self) -> Result<(), NotStarted> {
        let job = self.jobs.start(Arc::clone(&self.root), None)?;
        let root = Arc::clone(&self.root);
        spawn_blocking(move || hash::run(&root, job));
        Ok(())
    }
}

async fn start(State(app): State<App>) -> Result<StatusCode, NotStarted> {
    app.start()?;
    Ok(StatusCode::ACCEPTED)
}

#[sse_handler(retry = "1s")]
async fn follow(
    State(app): State<App>,
    resume: Resume<Cursor>,
) -> Result<ProgressStream<Summary>, NoJob> {
    app.jobs.subscribe(&app.root, resume)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    if let [command, url] = &arguments[..]
        && command == "watch"
    {
        return watch::watch(&url.to_string_lossy()).await;
    }
    let root = match arguments.into_iter().next() {
        Some(directory) => directory.into(),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")),
    };
    let root = fs::canonicalize(&root);
    let root = root.map_err(|error| format!("cannot hash this directory: {error}"))?;
    let app = App {
        root: root.into(),
        jobs: Jobs::new(),
    };
    app.start()?;
    let router = Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .route("/hash", get(follow).post(start))
        .layer(SseLayer::new())
        .with_state(app);
    let port = env::var("PORT").map_or(Ok(0), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    println!("{url}");
    // An event must not wait for the acknowledgement of the one before it.
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    tokio::spawn(async move {
        if let Err(error) = watch::watch(&format!("{url}hash")).await {
            eprintln!("{error}");
        }
    });
    tokio::spawn(async { signal::ctrl_c().await.map(|()| process::exit(130)) });
    Ok(axum::serve(listener, router).await?)
}
