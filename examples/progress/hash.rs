//! The job: the SHA-256 of every file below a directory, and one of them all.
//!
//! The digest is what this prints:
//! `find . -type d \( -name target -o -name .git \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum -z | sha256sum`

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sse_tower::{ProgressReporter, ProgressTask};

/// What came of it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) digest: String,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    /// Files and directories that are not in the digest.
    pub(crate) unreadable: usize,
}

const THREADS: usize = 2;

pub(crate) fn run(root: &Path, job: ProgressReporter<Summary>) {
    let began = Instant::now();
    job.set_message("looking for files");
    let found = match find(root) {
        Ok(found) => found,
        Err(error) => return job.fail(format!("cannot list the directory: {error}")),
    };
    job.set_message("hashing");
    // A part for each directory in the root. So the job is as long as they are together.
    let parts = found.groups.into_iter().map(|(name, files)| {
        let bytes = files.iter().map(|(_, len)| len).sum::<u64>();
        (job.part(name.to_string_lossy(), bytes), files)
    });
    let parts = Mutex::new(parts.collect::<Vec<_>>().into_iter());
    let hashes = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                // Not `while let`, which would hold the lock until the files are hashed.
                loop {
                    let next = lock(&parts).next();
                    let Some((part, files)) = next else { break };
                    for (path, len) in files {
                        if let Some(hashed) = hash(root, &path, len, &part) {
                            // As `sort` orders names: as bytes.
                            lock(&hashes).insert(path.into_os_string(), hashed);
                        }
                    }
                    part.finish();
                }
            });
        }
    });
    let hashes = hashes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut digest = Sha256::new();
    for (path, (hash, _)) in &hashes {
        digest.update(format!("{hash}  "));
        digest.update(path.as_encoded_bytes());
        digest.update("\0");
    }
    let summary = Summary {
        digest: hex(&digest.finalize()),
        files: hashes.len(),
        // Not the position of the job: a directory that is done is full, whatever was read of it.
        bytes: hashes.values().map(|(_, bytes)| bytes).sum(),
        seconds: began.elapsed().as_secs_f64(),
        unreadable: found.unreadable + found.files - hashes.len(),
    };
    job.finish(summary);
}

/// The digest of a file, which is a part of its directory, and how many bytes that is of. A file
/// that cannot be read stays in sight, with the reason.
fn hash(root: &Path, path: &Path, len: u64, directory: &ProgressTask) -> Option<(String, u64)> {
    let part = directory.part(path.to_string_lossy(), len);
    match digest(&root.join(path), &part) {
        Ok(digest) => {
            let bytes = part.position();
            part.finish_and_clear();
            Some((digest, bytes))
        }
        Err(error) => {
            part.fail(error);
            None
        }
    }
}

fn digest(path: &Path, part: &ProgressTask) -> io::Result<String> {
    let mut file = part.wrap_read(File::open(path)?);
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}

#[derive(Default)]
struct Found {
    /// By the first part of their paths, with their lengths.
    groups: BTreeMap<OsString, Vec<(PathBuf, u64)>>,
    files: usize,
    unreadable: usize,
}

/// Lists the files below `root`, relative to it; what cannot be listed is counted.
fn find(root: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    let mut directories = vec![(PathBuf::from("."), OsString::from("."))];
    fs::read_dir(root)?;
    while let Some((directory, group)) = directories.pop() {
        let Ok(entries) = fs::read_dir(root.join(&directory)) else {
            found.unreadable += 1;
            continue;
        };
        for entry in entries {
            let entry = entry.and_then(|entry| Ok((entry.file_name(), entry.metadata()?)));
            let Ok((name, metadata)) = entry else {
                found.unreadable += 1;
                continue;
            };
            let path = directory.join(&name);
            // Links are not followed; pipes and devices have no end.
            if metadata.is_file() {
                let files = found.groups.entry(group.clone()).or_default();
                files.push((path, metadata.len()));
                found.files += 1;
            } else if metadata.is_dir() && name != "target" && name != ".git" {
                let is_top = group == ".";
                directories.push((path, if is_top { name } else { group.clone() }));
            }
        }
    }
    Ok(found)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
