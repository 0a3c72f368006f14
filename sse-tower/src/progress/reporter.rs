//! `ProgressReporter` and `ProgressTask`: what a job says of itself.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use futures_core::Stream;
use serde::Serialize;
use sse_core::Block;

use super::event::{Progress, TaskState};
use super::handle::Handle;
use super::stream::{Job, Outcome, ProgressStream};
use super::wrap::Counted;

/// Tells how far a job is, and how it ended. Made by [`progress()`](super::progress()).
///
/// Clones are the same job. When the last is dropped and none has
/// [finished](Self::finish), the job has failed. It may be used on any thread, inside of a
/// runtime or not; nothing here waits.
///
/// # Examples
///
/// ```
/// use futures_util::StreamExt as _;
/// use sse_tower::{Progress, progress};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (reporter, mut stream) = progress::<&str>(None);
/// reporter.set_length(4);
/// reporter.inc(3);
/// reporter.set_message("linking");
/// let Some(Progress::Update { percent, message, .. }) = stream.next().await else {
///     panic!("it goes on")
/// };
/// assert_eq!((percent, message.as_deref()), (Some(75.0), Some("linking")));
///
/// reporter.fail("the disk is full");
/// let Some(Progress::Failed { message, .. }) = stream.next().await else {
///     panic!("it has failed")
/// };
/// assert_eq!(message, "the disk is full");
/// # }
/// ```
pub struct ProgressReporter<T> {
    task: Handle,
    job: Arc<Unfinished<T>>,
}

/// Tells how far a sub-task of a job is. Made by [`ProgressReporter::task`].
///
/// Clones are the same task. When the last is dropped and none has
/// [finished](Self::finish), the task has failed, and the job goes on. So has a task that goes
/// on when the job ends, however that does. A sub-task of a task that is over is not shown.
#[derive(Clone, Debug)]
pub struct ProgressTask {
    task: Handle,
    unfinished: Arc<UnfinishedTask>,
}

/// The verbs that a job and its sub-tasks have in common.
macro_rules! verbs {
    () => {
        /// Some more is done.
        ///
        /// An atomic addition and a look at a flag: cheap enough for the innermost loop. It also
        /// wakes the clients that wait for it, each at most once in 100 ms.
        pub fn inc(&self, delta: u64) {
            self.task.inc(delta);
        }

        /// So much is done, whatever was before. What its [parts](Self::part) have done comes on
        /// top.
        pub fn set_position(&self, position: u64) {
            self.task.set_position(position);
        }

        /// How much is done, with what its [parts](Self::part) have done.
        ///
        /// Takes the lock of the job and adds up its tasks: nothing for the innermost loop.
        #[must_use]
        pub fn position(&self) -> u64 {
            self.task.position()
        }

        /// There is so much to do.
        pub fn set_length(&self, length: u64) {
            self.task.set_length(Some(length));
        }

        /// There is so much more to do. Has no effect while the length is unknown.
        pub fn inc_length(&self, delta: u64) {
            self.task.inc_length(delta);
        }

        /// It is not known how much there is to do.
        pub fn unset_length(&self) {
            self.task.set_length(None);
        }

        /// How much there is to do, as it was set, or else of all its [parts](Self::part). Costs
        /// what [`position`](Self::position) does.
        #[must_use]
        pub fn length(&self) -> Option<u64> {
            self.task.length()
        }

        /// What is being done now; empty for nothing. Takes the lock of the job, which others
        /// hold for as long as it takes to add up its tasks.
        pub fn set_message(&self, message: impl Into<Cow<'static, str>>) {
            self.task.set_message(message.into());
        }

        /// Forgets how fast it went so far.
        ///
        /// For what was not done now: a download that goes on at 5 GB did not take 5 GB in its
        /// first second.
        pub fn reset_eta(&self) {
            self.task.board().reset_eta(self.task.task());
        }

        /// A sub-task with a bar of its own.
        ///
        /// What it does is not done of this one. As long as it is not
        /// [cleared](ProgressTask::finish_and_clear) it stays in the state of the job, which
        /// every client is sent: clear those of which there are thousands.
        #[must_use]
        pub fn task(&self, name: impl Into<String>, total: impl Into<Option<u64>>) -> ProgressTask {
            ProgressTask::new(self.task.add(name.into(), total.into(), false))
        }

        /// A sub-task whose steps are steps of this one, too, also after it is cleared.
        ///
        /// If this one has no length of its own, it has that of all its parts, once each has
        /// one; of a part that is over without one, that is what it has done. A part that failed
        /// keeps its length, so this one is not full before it is finished.
        #[must_use]
        pub fn part(&self, name: impl Into<String>, total: impl Into<Option<u64>>) -> ProgressTask {
            ProgressTask::new(self.task.add(name.into(), total.into(), true))
        }

        /// Counts the items of an iterator when they are taken.
        pub fn wrap_iter<I: IntoIterator>(&self, iter: I) -> Counted<I::IntoIter> {
            self.counted(iter.into_iter())
        }

        /// Counts the items of a stream when they are taken. To count the bytes of its chunks,
        /// call [`inc`](Self::inc) for each.
        pub fn wrap_stream<S: Stream>(&self, stream: S) -> Counted<S> {
            self.counted(stream)
        }

        /// Counts the bytes that are read, of tokio's `AsyncRead` or of [`std::io::Read`], and
        /// follows where it seeks.
        pub fn wrap_read<R>(&self, read: R) -> Counted<R> {
            self.counted(read)
        }
    };
}

impl<T> ProgressReporter<T> {
    verbs!();

    pub(super) fn new(job: Arc<Job<T>>) -> Self {
        Self {
            task: job.handle(),
            job: Arc::new(Unfinished(job)),
        }
    }

    /// The job is done, and this came of it. Its bar is full. Later words have no effect.
    ///
    /// Sub-tasks that nobody has finished by then have failed, as if they were dropped.
    ///
    /// A result that cannot be serialized is logged, and clients are told that the job failed.
    pub fn finish(self, result: T)
    where
        T: Serialize,
    {
        // Better found out here, once, than by each stream.
        let done = Progress::Done {
            id: None,
            result: &result,
        };
        self.job.0.end(match Block::encode(&done) {
            Ok(_) => Outcome::Done(result),
            Err(error) => {
                let error: &dyn Error = &error;
                let cause = error.source().map(ToString::to_string);
                tracing::error!(error = %error, cause, "the result of a job cannot be sent");
                Outcome::Failed("the result of the job cannot be sent".to_owned())
            }
        });
    }

    /// The job has failed, and with it the sub-tasks that go on. Later words have no effect.
    ///
    /// The clients are told what `reason` displays, so let it be meant for them.
    pub fn fail(self, reason: impl Display) {
        self.job.0.end(Outcome::Failed(text(reason)));
    }

    /// Whether the job is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.job.0.is_over()
    }

    /// A stream of this job, which begins with its present state.
    pub fn subscribe(&self) -> ProgressStream<T> {
        ProgressStream::new(Arc::clone(&self.job.0))
    }

    /// How many streams are being read, for jobs that nobody needs when nobody looks.
    ///
    /// A stream counts from its first poll until it is dropped: one that is kept as the state of
    /// a router, to be cloned for each client, does not.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.job.0.streams()
    }

    pub(super) fn job(&self) -> &Arc<Job<T>> {
        &self.job.0
    }

    fn counted<I>(&self, inner: I) -> Counted<I> {
        Counted::new(inner, self.task.clone(), None)
    }
}

impl ProgressTask {
    verbs!();

    fn new(task: Handle) -> Self {
        Self {
            unfinished: Arc::new(UnfinishedTask(task.clone())),
            task,
        }
    }

    /// The task is done, and its bar full. Later words have no effect.
    pub fn finish(self) {
        self.unfinished.end(TaskState::Done);
    }

    /// The task is done, and need not be shown any longer, nor its sub-tasks.
    pub fn finish_and_clear(self) {
        self.task.board().clear(self.task.task());
    }

    /// The task has failed; its message is what `reason` displays. Later words have no effect.
    pub fn fail(self, reason: impl Display) {
        self.set_message(text(reason));
        self.unfinished.end(TaskState::Failed);
    }

    fn counted<I>(&self, inner: I) -> Counted<I> {
        Counted::new(inner, self.task.clone(), Some(Arc::clone(&self.unfinished)))
    }
}

impl<T> Clone for ProgressReporter<T> {
    fn clone(&self) -> Self {
        Self {
            task: self.task.clone(),
            job: Arc::clone(&self.job),
        }
    }
}

impl<T> fmt::Debug for ProgressReporter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProgressReporter")
            .field(&self.job.0)
            .finish()
    }
}

/// A job that fails if nobody finishes it.
struct Unfinished<T>(Arc<Job<T>>);

impl<T> Drop for Unfinished<T> {
    fn drop(&mut self) {
        if !self.0.is_over() {
            let reason = if std::thread::panicking() {
                "the job panicked"
            } else {
                "the job ended without a result"
            };
            self.0.end(Outcome::Failed(reason.to_owned()));
        }
    }
}

/// A sub-task that fails if nobody finishes it.
#[derive(Debug)]
pub(super) struct UnfinishedTask(Handle);

impl UnfinishedTask {
    fn end(&self, state: TaskState) {
        self.0.board().end_task(self.0.task(), state);
    }
}

impl Drop for UnfinishedTask {
    fn drop(&mut self) {
        self.end(TaskState::Failed);
    }
}

/// What `value` displays. `to_string` panics where that fails.
fn text(value: impl Display) -> String {
    let mut text = String::new();
    let _ = write!(text, "{value}");
    text
}
