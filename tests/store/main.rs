//! Stores of topics.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod contract;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// A path for a file, which is removed with this value.
struct TempPath(PathBuf);

impl TempPath {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("sse-tower-{}-{n}.redb", process::id())))
    }
}

impl Drop for TempPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
