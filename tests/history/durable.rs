//! A server whose topic is in a file, in a process that is killed and started again.

use std::env;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{self, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use sse_tower::store::RedbStore;
use sse_tower::{Cursor, DurableTopic, Missed, Resume, Retention, Sse, SseLayer};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::server::{Feed, KEPT, Server, go_on, listen, way_of};

const FILE: &str = "SSE_HISTORY_FILE";
/// What the ring holds: less than the store, so that clients read both.
const RING: usize = 32;

/// A topic in a file: a kill forgets nothing of it.
#[derive(Clone)]
pub(crate) struct Durable {
    process: Arc<Mutex<Process>>,
    file: Arc<File>,
    /// How often it died before it answered.
    unanswered: Arc<AtomicU32>,
}

struct Process {
    child: Child,
    address: SocketAddr,
    epoch: u64,
}

/// A file that goes with this value.
struct File(PathBuf);

impl Durable {
    pub(crate) async fn start() -> Self {
        let name = format!("sse-tower-history-{}.redb", process::id());
        let file = Arc::new(File(env::temp_dir().join(name)));
        let process = Process::start(Arc::clone(&file)).await;
        let process = Arc::new(Mutex::new(process));
        Self {
            process,
            file,
            unanswered: Arc::default(),
        }
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap()
    }

    /// Sends a request, at a time when there is somebody to take it. `None` if it was not
    /// answered.
    async fn post(&self, path: &str, body: String) -> Option<String> {
        let stream = loop {
            match TcpStream::connect(self.address()).await {
                Ok(stream) => break stream,
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        };
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut requests, connection) = handshake.await.ok()?;
        let mut io = JoinSet::new();
        io.spawn(connection);
        let request = Request::post(path)
            .header("host", "localhost")
            .header("content-type", "application/json");
        let request = request.body(Body::from(body)).unwrap();
        let response = requests.send_request(request).await.ok()?;
        assert_eq!(response.status(), StatusCode::OK, "POST {path}");
        let answer = response.into_body().collect().await.ok()?.to_bytes();
        Some(String::from_utf8(answer.to_vec()).unwrap())
    }
}

impl Server for Durable {
    fn address(&self) -> SocketAddr {
        self.process().address
    }

    async fn publish(&self, rows: Vec<String>) -> Option<Vec<Cursor>> {
        let rows = serde_json::to_string(&rows).unwrap();
        let Some(answer) = self.post("/publish", rows).await else {
            self.unanswered.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let cursors: Vec<String> = serde_json::from_str(&answer).unwrap();
        Some(cursors.iter().map(|it| it.parse().unwrap()).collect())
    }

    async fn close(&self) -> Cursor {
        let answer = self.post("/over", String::new()).await;
        answer.expect("nobody kills it now").parse().unwrap()
    }

    async fn restart(&self) {
        let before = self.unanswered.load(Ordering::Relaxed);
        // Until it takes an answer with it, which is what there is to be seen.
        for _ in 0..20 {
            let epoch = {
                let mut process = self.process();
                process.kill();
                process.epoch
            };
            let next = Process::start(Arc::clone(&self.file)).await;
            assert_eq!(next.epoch, epoch, "the epoch is the same");
            *self.process() = next;
            if self.unanswered.load(Ordering::Relaxed) > before {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("nobody publishes");
    }

    fn epochs(&self) -> Vec<u64> {
        vec![self.process().epoch]
    }
}

impl Process {
    async fn start(file: Arc<File>) -> Self {
        let start = spawn_blocking(move || Self::start_blocking(&file.0));
        start.await.unwrap()
    }

    fn start_blocking(file: &path::Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "durable::server", "--ignored", "--nocapture"])
            .env(FILE, file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The harness writes lines too.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let serving = lines.find_map(|line| {
            let (address, epoch) = line.strip_prefix("serving ")?.split_once(' ')?;
            Some((address.parse().unwrap(), epoch.parse().unwrap()))
        });
        let (address, epoch) = serving.expect("it serves");
        // Who writes where nobody reads is ended.
        thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            epoch,
        }
    }

    /// SIGKILL: nothing in the process runs any more.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process that the tests start and kill"]
async fn server() {
    // Its end is that of the process that has started this one.
    thread::spawn(|| {
        drop(io::stdin().read_to_end(&mut Vec::new()));
        process::exit(0);
    });
    let file = env::var_os(FILE);
    let file = file.unwrap_or_else(|| panic!("{FILE} names no file: another test runs this"));
    let store = RedbStore::open(file).unwrap();
    let retention = |events| Retention::events(events).bytes(usize::MAX);
    let topic =
        DurableTopic::open_with_ring(store, "history", retention(KEPT), retention(RING)).await;
    let topic = topic.unwrap();
    let app = Router::new()
        .route("/publish", post(publish))
        .route("/over", post(close))
        .route("/{way}", get(feed))
        // A keep-alive would repair a wake-up that is lost.
        .layer(SseLayer::new().no_keep_alive())
        .with_state(topic.clone());
    let listener = listen();
    let address = listener.local_addr().unwrap();
    println!("\nserving {address} {}", topic.head().epoch());
    axum::serve(listener, app).await.unwrap();
}

async fn publish(
    State(topic): State<DurableTopic<Feed>>,
    Json(rows): Json<Vec<String>>,
) -> Json<Vec<String>> {
    let count = rows.len() as u64;
    let last = topic.publish_all(rows.into_iter().map(Feed::Row)).await;
    let last = last.unwrap().expect("a row is kept");
    let seqs = last.seq() + 1 - count..=last.seq();
    let cursors = seqs.map(|seq| Cursor::new(last.epoch(), seq).to_string());
    Json(cursors.collect())
}

async fn close(State(topic): State<DurableTopic<Feed>>) -> String {
    let cursor = topic.close(Feed::Over).await.unwrap();
    cursor.expect("the last event is kept").to_string()
}

async fn feed(
    State(topic): State<DurableTopic<Feed>>,
    Path(way): Path<String>,
    resume: Resume<Cursor>,
) -> Result<Sse<Feed>, Missed> {
    let head = topic.clone();
    let way = way_of(way, move || Some(head.head()));
    go_on(
        topic.subscribe(resume),
        way,
        || topic.from_start(),
        || topic.head(),
    )
}
