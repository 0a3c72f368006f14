//! Progress: what a job has done so far, told to whoever looks.
//!
//! [`progress()`] gives two ends. The [`ProgressReporter`] goes to the job and has the verbs of
//! indicatif's `ProgressBar`; the [`ProgressStream`] goes to the client as [`Progress`] events.
//! Between them is no queue and no log: only the newest state, which every stream begins with. So
//! a client that comes late, or twice, or after the end, sees what there is to see.
//!
//! - A stream has at most one `progress` event in 100 ms, the first at once, each with the newest
//!   state. The end waits for nothing, nor does a last one before a failure.
//! - Telling is cheap: [`inc`](ProgressReporter::inc) is an atomic addition, without a lock, an
//!   allocation or a look at the clock; it wakes each client that waits at most once in 100 ms.
//!   It may stand in the innermost loop, as may the verbs that set the position and the length.
//!   All others take the lock of the job.
//! - A job always ends: one whose last reporter is dropped without
//!   [`finish`](ProgressReporter::finish), such as in a panic, has failed.
//! - A job may have [sub-tasks](ProgressReporter::task), and they have theirs.
//!
//! [`Jobs`] keeps jobs by key, the finished ones for a while.
//!
//! # Examples
//!
//! ```
//! use futures_util::StreamExt as _;
//! use sse_tower::{Progress, progress};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (reporter, stream) = progress::<String>(3);
//! std::thread::spawn(move || {
//!     for file in ["a", "b", "c"] {
//!         reporter.set_message(file);
//!         // … do it …
//!         reporter.inc(1);
//!     }
//!     reporter.finish("3 files".to_owned());
//! });
//! let events: Vec<_> = stream.collect().await;
//! let Some(Progress::Done { result, .. }) = events.last() else {
//!     panic!("it is done")
//! };
//! assert_eq!(result, "3 files");
//! # }
//! ```
//!
//! A handler [returns the stream](ProgressStream#examples).

mod board;
mod entry;
mod estimate;
mod event;
mod handle;
mod jobs;
mod reporter;
mod stream;
mod wrap;

use std::sync::Arc;
use std::time::Duration;

pub use self::event::{Progress, TaskState};
pub use self::jobs::{Jobs, NoJob, NotStarted};
pub use self::reporter::{ProgressReporter, ProgressTask};
pub use self::stream::ProgressStream;
pub use self::wrap::Counted;

use self::stream::Job;

/// A browser paints more often, but nobody reads more often.
const PACE: Duration = Duration::from_millis(100);

/// A job of `total` steps, such as bytes or files, whose result will be a `T`.
///
/// `None` is a job of unknown length; it can be [set](ProgressReporter::set_length) later.
///
/// # Examples
///
/// ```
/// use sse_tower::progress;
///
/// let (reporter, stream) = progress::<()>(120);
/// reporter.inc(30);
/// assert_eq!((reporter.position(), reporter.length()), (30, Some(120)));
///
/// let (unknown, _) = progress::<()>(None);
/// assert_eq!(unknown.length(), None);
/// # drop(stream);
/// ```
pub fn progress<T>(total: impl Into<Option<u64>>) -> (ProgressReporter<T>, ProgressStream<T>) {
    let job = Arc::new(Job::new(total.into()));
    let stream = ProgressStream::new(Arc::clone(&job));
    (ProgressReporter::new(job), stream)
}
