//! `Jobs`: jobs by key.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use sse_core::Cursor;
use tokio::time::Instant;

use super::progress;
use super::reporter::ProgressReporter;
use super::stream::{Job, ProgressStream};
use crate::extract::Resume;

/// Jobs by key: those that run, and for a while those that are over.
///
/// Clones are the same jobs. A job that is over is kept for [ten minutes](Self::keep_for), so that
/// a client that comes late, or whose page is loaded anew, is told how it ended. There are at
/// most [1,000 jobs](Self::at_most): to start one more, that which ended first is forgotten early.
///
/// There is no timer: what is no longer kept is unknown at once, and its memory is given back
/// when a job is next started.
///
/// # Examples
///
/// ```
/// use axum::extract::{Path, State};
/// use axum::{Router, routing::post};
/// use sse_tower::{Cursor, Jobs, NoJob, NotStarted, ProgressStream, Resume, SseLayer, sse_handler};
///
/// type Builds = Jobs<String, u32>;
///
/// async fn start(Path(name): Path<String>, State(builds): State<Builds>) -> Result<(), NotStarted> {
///     let reporter = builds.start(name, 100)?;
///     tokio::spawn(async move {
///         // … build, and reporter.inc(1) …
///         reporter.finish(7);
///     });
///     Ok(())
/// }
///
/// #[sse_handler]
/// async fn follow(
///     Path(name): Path<String>,
///     State(builds): State<Builds>,
///     resume: Resume<Cursor>,
/// ) -> Result<ProgressStream<u32>, NoJob> {
///     builds.subscribe(&name, resume)
/// }
///
/// let app: Router = Router::new()
///     .route("/builds/{name}", post(start).get(follow))
///     .layer(SseLayer::new())
///     .with_state(Builds::new());
/// ```
pub struct Jobs<K, T> {
    shared: Arc<Shared<K, T>>,
}

struct Shared<K, T> {
    keep_for: Duration,
    at_most: usize,
    jobs: Mutex<HashMap<K, Arc<Job<T>>>>,
}

impl<K: Eq + Hash, T> Jobs<K, T> {
    /// No jobs.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                keep_for: Duration::from_secs(10 * 60),
                at_most: 1000,
                jobs: Mutex::default(),
            }),
        }
    }

    /// How long a job is kept that is over. Default: ten minutes.
    ///
    /// Set it before the jobs are cloned: on jobs that are shared already it has no effect.
    #[must_use]
    pub fn keep_for(self, time: Duration) -> Self {
        self.with(|shared| shared.keep_for = time)
    }

    /// How many jobs there are at most, running and over. Default: 1,000.
    ///
    /// Set it before the jobs are cloned, too.
    #[must_use]
    pub fn at_most(self, jobs: usize) -> Self {
        self.with(|shared| shared.at_most = jobs)
    }

    /// Starts a job of `total` steps, as [`progress()`](super::progress()) does. One of the same
    /// key that is over is forgotten.
    ///
    /// # Errors
    ///
    /// Returns an error if a job of this key is running, or as many as there may be: as a
    /// response, 409 or 503.
    pub fn start(
        &self,
        key: K,
        total: impl Into<Option<u64>>,
    ) -> Result<ProgressReporter<T>, NotStarted> {
        let (reporter, _) = progress(total);
        self.insert(key, &reporter)?;
        Ok(reporter)
    }

    /// Adds a job that was started elsewhere.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn insert(&self, key: K, reporter: &ProgressReporter<T>) -> Result<(), NotStarted> {
        let now = Instant::now();
        // Outlives the lock: a result may take a while to drop, or come back here.
        let mut gone = Vec::new();
        let mut jobs = self.lock();
        if jobs.get(&key).is_some_and(|job| !job.is_over()) {
            return Err(NotStarted::Running);
        }
        gone.extend(jobs.remove_entry(&key));
        self.make_room(&mut jobs, &mut gone, now)?;
        jobs.insert(key, Arc::clone(reporter.job()));
        Ok(())
    }

    /// The job of `key` from its present state on, for a client that has seen what `resume`
    /// says.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such job (any more), or the client has seen its end: as a
    /// response, 404 or 204. An `EventSource` stops at both.
    pub fn subscribe(&self, key: &K, resume: Resume<Cursor>) -> Result<ProgressStream<T>, NoJob> {
        let now = Instant::now();
        let job = self.lock().get(key).map(Arc::clone);
        let job = job.filter(|job| self.is_kept(job, now));
        let stream = ProgressStream::new(job.ok_or(NoJob::Unknown)?);
        stream.after(resume).ok_or(NoJob::Seen)
    }

    /// Forgets the job of `key`, running or over. Those who follow it still do.
    pub fn remove(&self, key: &K) {
        let gone = self.lock().remove_entry(key);
        // Not while others wait.
        drop(gone);
    }

    /// How many jobs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let now = Instant::now();
        let jobs = self.lock();
        jobs.values().filter(|job| self.is_kept(job, now)).count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves to `gone` what is kept no longer, and, if that is not enough, what ended first.
    fn make_room(
        &self,
        jobs: &mut HashMap<K, Arc<Job<T>>>,
        gone: &mut Vec<(K, Arc<Job<T>>)>,
        now: Instant,
    ) -> Result<(), NotStarted> {
        gone.extend(jobs.extract_if(|_, job| !self.is_kept(job, now)));
        if jobs.len() < self.shared.at_most {
            return Ok(());
        }
        let ended = jobs.values().filter_map(|job| job.board.ended());
        let first = ended.min().ok_or(NotStarted::Full)?;
        let mut firsts = jobs.extract_if(|_, job| job.board.ended() == Some(first));
        gone.extend(firsts.next());
        Ok(())
    }

    fn is_kept(&self, job: &Job<T>, now: Instant) -> bool {
        let ended = job.board.ended();
        ended.is_none_or(|ended| now.saturating_duration_since(ended) < self.shared.keep_for)
    }

    fn with(mut self, change: impl FnOnce(&mut Shared<K, T>)) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            change(shared);
        }
        self
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<Job<T>>>> {
        self.shared
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, T> Default for Jobs<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, T> Clone for Jobs<K, T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K, T> fmt::Debug for Jobs<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs")
            .field("keep_for", &self.shared.keep_for)
            .field("at_most", &self.shared.at_most)
            .finish_non_exhaustive()
    }
}

/// Why there is nothing to tell of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoJob {
    /// There is none of this key, or it was over too long ago. As a response, 404.
    Unknown,
    /// It is over, and the client has seen that. As a response, 204.
    Seen,
}

impl NoJob {
    /// The status of the response.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Seen => StatusCode::NO_CONTENT,
        }
    }
}

impl fmt::Display for NoJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such job",
            Self::Seen => "the job is over and the client has seen its end",
        })
    }
}

impl Error for NoJob {}

impl IntoResponse for NoJob {
    fn into_response(self) -> Response {
        let no_store = [(CACHE_CONTROL, "no-store")];
        match self {
            Self::Unknown => (self.status(), no_store, self.to_string()).into_response(),
            Self::Seen => (self.status(), no_store).into_response(),
        }
    }
}

/// Why a job was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotStarted {
    /// One of the same key is running. As a response, 409.
    Running,
    /// As many are running as there may be. As a response, 503.
    Full,
}

impl NotStarted {
    /// The status of the response.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Running => StatusCode::CONFLICT,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "a job of this name is running",
            Self::Full => "there are too many jobs",
        })
    }
}

impl Error for NotStarted {}

impl IntoResponse for NotStarted {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}
