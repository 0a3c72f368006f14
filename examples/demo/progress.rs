//! Typed progress: the SHA-256 of a directory.
//!
//! The digest is what this prints, as long as the bounds below cut nothing off:
//! `find . -type d \( -name target -o -name .git \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum -z | sha256sum`
//!
//! Without `-z`, sha256sum escapes backslashes and line breaks in names.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use futures_util::{Stream, stream};
use sha2::{Digest, Sha256};
use sse_tower::{SseEvent, sse_handler};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;

use crate::App;

/// More than this is not hashed, so that the demo ends wherever it is started.
const MAX_BYTES: u64 = 1 << 30;
/// How many files and directories are looked at.
const MAX_ENTRIES: usize = 100_000;
/// How many directories may be hashed at a time.
const MAX_JOBS: usize = 4;
/// A browser paints no faster than it is told at this rate.
const TICK: Duration = Duration::from_millis(50);

/// What happens while a directory is hashed.
#[derive(SseEvent)]
pub(crate) enum Hashing {
    Started {
        directory: String,
        files: usize,
        bytes: u64,
        /// There is more in the directory than the bounds allow.
        cut: bool,
    },
    /// The file being read; of many small ones, one per tick.
    File {
        path: String,
    },
    Progress {
        bytes: u64,
        percent: f64,
    },
    #[sse(terminal)]
    Finished {
        digest: String,
        bytes: u64,
        seconds: f64,
        /// Files and directories that could not be read and are not in the digest.
        unreadable: usize,
    },
}

/// Hashes the directory once for each connection, and stops when the client leaves.
#[sse_handler(retry = "1s")]
pub(crate) async fn hash(
    State(app): State<App>,
) -> Result<impl Stream<Item = Hashing>, (StatusCode, &'static str)> {
    let permit = app.jobs.permits.clone().try_acquire_owned();
    let permit =
        permit.map_err(|_| (StatusCode::TOO_MANY_REQUESTS, "four directories at a time"))?;
    let (events, mut received) = mpsc::channel(16);
    let root = Arc::clone(&app.jobs.root);
    spawn_blocking(move || Job::new(events, permit).run(&root));
    Ok(stream::poll_fn(move |cx| received.poll_recv(cx)))
}

#[derive(Clone)]
pub(crate) struct Jobs {
    root: Arc<Path>,
    permits: Arc<Semaphore>,
}

impl Jobs {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root: root.into(),
            permits: Arc::new(Semaphore::new(MAX_JOBS)),
        }
    }
}

/// The client has left.
struct Gone;

/// One run, on a thread of its own.
struct Job {
    events: mpsc::Sender<Hashing>,
    started: Instant,
    last_file: Option<Instant>,
    last_progress: Instant,
    bytes: u64,
    total: u64,
    _permit: OwnedSemaphorePermit,
}

impl Job {
    fn new(events: mpsc::Sender<Hashing>, permit: OwnedSemaphorePermit) -> Self {
        let now = Instant::now();
        Self {
            events,
            started: now,
            last_file: None,
            last_progress: now,
            bytes: 0,
            total: 0,
            _permit: permit,
        }
    }

    fn run(mut self, root: &Path) -> Result<(), Gone> {
        let mut found = self.find(root)?;
        // As `sort` orders names: as bytes. As paths, `a/b` would come before `a-b`.
        found.files.sort_unstable();
        self.total = found.bytes;
        self.send(Hashing::Started {
            directory: root.display().to_string(),
            files: found.files.len(),
            bytes: found.bytes,
            cut: found.cut,
        })?;

        let mut digest = Sha256::new();
        let mut unreadable = found.unreadable;
        for (path, len) in found.files {
            if self.last_file.is_none_or(|last| last.elapsed() >= TICK) {
                self.last_file = Some(Instant::now());
                let path = path.to_string_lossy().into_owned();
                self.send(Hashing::File { path })?;
            }
            match self.hash(&root.join(&path), len)? {
                Ok(hash) => {
                    digest.update(format!("{hash}  "));
                    digest.update(path.as_encoded_bytes());
                    digest.update("\0");
                }
                Err(_) => unreadable += 1,
            }
        }
        self.progress()?;
        self.send(Hashing::Finished {
            digest: hex(&digest.finalize()),
            bytes: self.bytes,
            seconds: self.started.elapsed().as_secs_f64(),
            unreadable,
        })
    }

    /// Lists the files below `root`; what cannot be listed is counted.
    fn find(&self, root: &Path) -> Result<Found, Gone> {
        let mut found = Found::default();
        let mut looked_at = 0;
        let mut directories = vec![PathBuf::from(".")];
        while let Some(directory) = directories.pop() {
            if self.events.is_closed() {
                return Err(Gone);
            }
            let Ok(entries) = fs::read_dir(root.join(&directory)) else {
                found.unreadable += 1;
                continue;
            };
            for entry in entries {
                if looked_at == MAX_ENTRIES {
                    found.cut = true;
                    return Ok(found);
                }
                looked_at += 1;
                let entry = entry.and_then(|entry| Ok((entry.file_name(), entry.metadata()?)));
                let Ok((name, metadata)) = entry else {
                    found.unreadable += 1;
                    continue;
                };
                // Links are not followed; pipes and devices have no end.
                if metadata.is_file() {
                    found.add(directory.join(name), metadata.len());
                } else if metadata.is_dir() && name != "target" && name != ".git" {
                    directories.push(directory.join(name));
                }
            }
        }
        Ok(found)
    }

    /// The digest of one file, of which no more than `len` bytes are read: it may be growing.
    fn hash(&mut self, path: &Path, len: u64) -> Result<io::Result<String>, Gone> {
        let mut file = match File::open(path) {
            Ok(file) => file.take(len),
            Err(error) => return Ok(Err(error)),
        };
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(Ok(hex(&digest.finalize()))),
                Ok(read) => {
                    digest.update(&buffer[..read]);
                    self.bytes += read as u64;
                }
                Err(error) => return Ok(Err(error)),
            }
            if self.last_progress.elapsed() >= TICK {
                self.progress()?;
            }
        }
    }

    fn progress(&mut self) -> Result<(), Gone> {
        self.last_progress = Instant::now();
        let permille = (1000 * self.bytes).checked_div(self.total).unwrap_or(1000);
        self.send(Hashing::Progress {
            bytes: self.bytes,
            percent: permille as f64 / 10.0,
        })
    }

    /// Waits while the client is behind.
    fn send(&self, event: Hashing) -> Result<(), Gone> {
        self.events.blocking_send(event).map_err(|_| Gone)
    }
}

#[derive(Default)]
struct Found {
    /// Relative to the root, with their lengths.
    files: Vec<(OsString, u64)>,
    bytes: u64,
    unreadable: usize,
    cut: bool,
}

impl Found {
    /// Leaves out a file that does not fit; a smaller one may.
    fn add(&mut self, path: PathBuf, len: u64) {
        if len > MAX_BYTES - self.bytes {
            self.cut = true;
            return;
        }
        self.bytes += len;
        self.files.push((path.into(), len));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
