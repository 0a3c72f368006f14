//! `ProgressStream`: a job as one client is told of it.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use serde::Serialize;
use sse_core::{Cursor, EventId};
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep, sleep_until};

use super::board::{Board, Told};
use super::event::{Progress, TaskState};
use super::handle::{Counter, Handle};
use super::{PACE, entry};
use crate::extract::Resume;
use crate::response::Sse;

/// A job as one client is told of it: [`Progress`] events, from the present state to the end.
///
/// A clone is a stream of its own, which begins with the state that is present when it is first
/// polled. For a job that is over, that is its last state and then the end. Dropping a stream
/// does not stop the job.
///
/// A stream sends at most one [`Update`](Progress::Update) in 100 ms, and of each sub-task at
/// most one [`Task`](Progress::Task), always with the newest state. The end is sent at once, and
/// before it, however soon, what happened meanwhile: how far a job came that failed, which
/// sub-task did. Only of a job that is done an `Update` that would have come too soon is left out,
/// with its message: its bar is full, and what is to be read in the end is the result.
///
/// It is polled on a tokio runtime with its timer enabled, as under `axum::serve`.
///
/// # Examples
///
/// ```
/// use axum::{Router, extract::State, routing::get};
/// use sse_tower::{Cursor, ProgressStream, Resume, SseLayer, progress, sse_handler};
///
/// #[sse_handler]
/// async fn follow(
///     resume: Resume<Cursor>,
///     State(job): State<ProgressStream<u32>>,
/// ) -> Option<ProgressStream<u32>> {
///     job.after(resume)
/// }
///
/// let (reporter, stream) = progress::<u32>(100);
/// let app: Router = Router::new()
///     .route("/job", get(follow))
///     .layer(SseLayer::new())
///     .with_state(stream);
/// # drop(reporter);
/// ```
#[must_use = "a stream does nothing unless it is polled"]
pub struct ProgressStream<T> {
    job: Arc<Job<T>>,
    told: Told,
    /// The client has seen something before, perhaps of another job.
    returning: bool,
    /// What is told next.
    events: VecDeque<Progress<T>>,
    /// There may be another update then.
    paused_until: Option<Instant>,
    pause: Option<Pin<Box<Sleep>>>,
    wake: Option<Pin<Box<OwnedNotified>>>,
    /// It was polled, so it counts.
    polled: bool,
    over: bool,
}

/// What the reporters and the streams of a job share.
pub(super) struct Job<T> {
    pub(super) board: Arc<Board>,
    root: Arc<Counter>,
    outcome: OnceLock<Outcome<T>>,
    streams: AtomicUsize,
}

#[derive(Clone)]
pub(super) enum Outcome<T> {
    Done(T),
    Failed(String),
}

impl<T> ProgressStream<T> {
    pub(super) fn new(job: Arc<Job<T>>) -> Self {
        Self {
            job,
            told: Told::new(),
            returning: false,
            events: VecDeque::new(),
            paused_until: None,
            pause: None,
            wake: None,
            polled: false,
            over: false,
        }
    }

    /// The stream, unless the client has seen the end of the job already.
    ///
    /// `None` as the answer of an [`#[sse_handler]`](crate::sse_handler) is 204, at which an
    /// `EventSource` stops. Under an [`SseLayer`](crate::SseLayer) a browser that has seen the
    /// end is answered before the handler is; this is for all others, and for a connection that
    /// broke right behind the last event.
    ///
    /// A client that comes back is told to forget the tasks that it knows, which may be those of
    /// another job: its first update has [`reset`](Progress::Update::reset).
    #[must_use]
    pub fn after(mut self, resume: Resume<Cursor>) -> Option<Self> {
        self.returning = !matches!(resume, Resume::Fresh);
        let last = self.job.board.last_id();
        let seen_all = last.is_some() && resume.after() == last;
        (!seen_all).then_some(self)
    }
}

impl<T: Clone> ProgressStream<T> {
    /// Looks at the job, and whether there was something to tell.
    fn look(&mut self) -> bool {
        let job = &self.job;
        let outcome = job.outcome.get();
        let paused = self.paused_until.is_some();
        if outcome.is_some() || !paused {
            let only_tasks = paused && matches!(outcome, Some(Outcome::Done(_)));
            let (told, events) = (&mut self.told, &mut self.events);
            job.board.tell(told, self.returning, only_tasks, events);
        }
        if let Some(outcome) = outcome {
            let id = job.board.last_id().map(EventId::from);
            self.events.push_back(match outcome.clone() {
                Outcome::Done(result) => Progress::Done { id, result },
                Outcome::Failed(message) => Progress::Failed { id, message },
            });
            self.over = true;
        }
        !self.events.is_empty()
    }

    /// Is ready when the job is worth a look; whether that is because it has changed.
    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let goes_on = self.paused_until.is_some() && self.poll_pause(cx).is_ready();
        let Some(wake) = &mut self.wake else {
            return Poll::Ready(false);
        };
        let changed = wake.as_mut().poll(cx).is_ready();
        if !changed && !goes_on {
            return Poll::Pending;
        }
        self.wake = None;
        Poll::Ready(changed)
    }

    /// Is ready when it is not too soon for the next update.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(until) = self.paused_until {
            let pause = &mut self.pause;
            let pause = pause.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if pause.deadline() != until {
                pause.as_mut().reset(until);
            }
            ready!(pause.as_mut().poll(cx));
            self.paused_until = None;
        }
        Poll::Ready(())
    }
}

impl<T: Clone> Stream for ProgressStream<T> {
    type Item = Progress<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if !this.polled {
            this.polled = true;
            this.job.streams.fetch_add(1, Ordering::Relaxed);
        }
        loop {
            if let Some(event) = this.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            if this.over {
                return Poll::Ready(None);
            }
            let changed = ready!(this.poll_wake(cx));
            // A change that is not to be seen is followed by a pause, too: the next may be as well.
            if !this.look() && !changed {
                let board = &this.job.board;
                let wake = if this.paused_until.is_some() {
                    board.await_end()
                } else {
                    board.await_change()
                };
                // Once more, for what has happened since.
                if !this.look() {
                    this.wake = Some(Box::pin(wake));
                    continue;
                }
            }
            this.paused_until = Some(Instant::now() + PACE);
        }
    }
}

/// Nothing in it is pinned in place.
impl<T> Unpin for ProgressStream<T> {}

impl<T> Clone for ProgressStream<T> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.job))
    }
}

impl<T> Drop for ProgressStream<T> {
    fn drop(&mut self) {
        if self.polled {
            self.job.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<T> From<ProgressStream<T>> for Sse<Progress<T>>
where
    T: Clone + Serialize + Send + Sync + 'static,
{
    fn from(stream: ProgressStream<T>) -> Self {
        Self::new(stream)
    }
}

impl<T> IntoResponse for ProgressStream<T>
where
    T: Clone + Serialize + Send + Sync + 'static,
{
    fn into_response(self) -> Response {
        Sse::from(self).into_response()
    }
}

impl<T> fmt::Debug for ProgressStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressStream")
            .field("job", &self.job)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

impl<T> Job<T> {
    pub(super) fn new(total: Option<u64>) -> Self {
        let root = Arc::new(Counter::new(total));
        Self {
            board: Arc::new(Board::new(Arc::clone(&root))),
            root,
            outcome: OnceLock::new(),
            streams: AtomicUsize::new(0),
        }
    }

    pub(super) fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.board), Arc::clone(&self.root), entry::JOB)
    }

    pub(super) fn end(&self, outcome: Outcome<T>) {
        let state = match outcome {
            Outcome::Done(_) => TaskState::Done,
            Outcome::Failed(_) => TaskState::Failed,
        };
        self.board.end(state, || {
            let _ = self.outcome.set(outcome);
        });
    }

    pub(super) fn is_over(&self) -> bool {
        self.outcome.get().is_some()
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("over", &self.is_over())
            .field("streams", &self.streams())
            .finish_non_exhaustive()
    }
}
