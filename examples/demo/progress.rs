//! Typed progress: the SHA-256 of a directory, a job that any number of pages follow.
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
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sse_tower::{
    Cursor, Jobs, NoJob, NotStarted, ProgressReporter, ProgressStream, Resume, sse_handler,
};
use tokio::task::spawn_blocking;

use crate::App;

/// More than this is not hashed, so that the demo ends wherever it is started.
const MAX_BYTES: u64 = 1 << 30;
/// How many files and directories are looked at.
const MAX_ENTRIES: usize = 100_000;

/// The directory, and the job of hashing it.
#[derive(Clone)]
pub(crate) struct Hashing {
    root: Arc<Path>,
    jobs: Jobs<Arc<Path>, Summary>,
}

/// What comes of it.
#[derive(Clone, Serialize)]
pub(crate) struct Summary {
    directory: String,
    digest: String,
    files: usize,
    bytes: u64,
    seconds: f64,
    /// Files and directories that could not be read and are not in the digest.
    unreadable: usize,
    /// There is more in the directory than the bounds allow.
    cut: bool,
}

impl Hashing {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root: root.into(),
            jobs: Jobs::new(),
        }
    }
}

/// Starts to hash the directory; 409 if that is being done.
pub(crate) async fn start(State(app): State<App>) -> Result<StatusCode, NotStarted> {
    let Hashing { root, jobs } = app.hashing;
    let job = jobs.start(Arc::clone(&root), None)?;
    spawn_blocking(move || run(&root, job));
    Ok(StatusCode::ACCEPTED)
}

/// Shows how far it is, to any number of pages, from its present state to its end.
#[sse_handler(retry = "1s")]
pub(crate) async fn follow(
    State(app): State<App>,
    resume: Resume<Cursor>,
) -> Result<ProgressStream<Summary>, NoJob> {
    let Hashing { root, jobs } = &app.hashing;
    jobs.subscribe(root, resume)
}

fn run(root: &Path, job: ProgressReporter<Summary>) {
    let began = Instant::now();
    job.set_message("looking for files");
    let mut found = Found::below(root);
    // As `sort` orders names: as bytes. As paths, `a/b` would come before `a-b`.
    found.files.sort_unstable();
    job.set_length(found.bytes);

    let mut digest = Sha256::new();
    let mut files = 0;
    for (path, len) in &found.files {
        job.set_message(path.to_string_lossy().into_owned());
        let Ok(hash) = hash(&root.join(path), *len, &job) else {
            found.unreadable += 1;
            continue;
        };
        files += 1;
        digest.update(format!("{hash}  "));
        digest.update(path.as_encoded_bytes());
        digest.update("\0");
    }
    let bytes = job.position();
    job.finish(Summary {
        directory: root.display().to_string(),
        digest: hex(&digest.finalize()),
        files,
        bytes,
        seconds: began.elapsed().as_secs_f64(),
        unreadable: found.unreadable,
        cut: found.cut,
    });
}

/// The digest of one file, of which no more than `len` bytes are read: it may be growing.
fn hash(path: &Path, len: u64, job: &ProgressReporter<Summary>) -> io::Result<String> {
    let mut file = job.wrap_read(File::open(path)?.take(len));
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
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
    /// Lists the files below `root`; what cannot be listed is counted.
    fn below(root: &Path) -> Self {
        let mut found = Self::default();
        let mut looked_at = 0;
        let mut directories = vec![PathBuf::from(".")];
        while let Some(directory) = directories.pop() {
            let Ok(entries) = fs::read_dir(root.join(&directory)) else {
                found.unreadable += 1;
                continue;
            };
            for entry in entries {
                if looked_at == MAX_ENTRIES {
                    found.cut = true;
                    return found;
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
        found
    }

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
