//! `Progress`: what a client is told of a job.

use serde::{Deserialize, Serialize};
use sse_core::EventId;
use sse_macros::{FromSseEvent, SseEvent};

/// What a client is told of a job whose result is a `T`.
///
/// A [`ProgressStream`](super::ProgressStream) writes them; [`decode`](crate::decode()) and the
/// client read them. As a part of a larger enum it is `#[sse(flatten)]`.
///
/// | Event | Data |
/// |---|---|
/// | `progress` | `{"position":30,"length":120,"percent":25.0,"rate":10.0,"etaMs":9000,"message":"linking"}` |
/// | `task` | `{"task":2,"parent":1,"name":"a.rs","state":"running","position":1,"length":4,"percent":25.0}` |
/// | `task_cleared` | `{"task":2}` |
/// | `done` | `{"result":…}` |
/// | `failed` | `{"message":"the disk is full"}` |
///
/// What is not known is left out. Numbers are exact up to 2⁶⁴; JavaScript rounds those above 2⁵³
/// to the nearest that it has, and `percent` is computed before that.
///
/// # Examples
///
/// ```
/// use sse_tower::{Block, Progress, SseEvent};
///
/// #[derive(SseEvent)]
/// enum Page {
///     #[sse(flatten)]
///     Build(Progress<u32>),
///     Visitors(u32),
/// }
///
/// let done = Page::Build(Progress::Done { id: None, result: 7 });
/// assert_eq!(&Block::encode(&done)?.bytes()[..], b"event: done\ndata: {\"result\":7}\n\n");
/// assert!(done.is_terminal());
/// # Ok::<(), sse_tower::EncodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, SseEvent, FromSseEvent)]
#[sse(rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Progress<T> {
    /// How far the job is.
    #[sse(rename = "progress", replay = "latest")]
    Update {
        /// `{epoch}.{n}`: the job, and which of its states this is.
        #[sse(id)]
        id: Option<EventId>,
        /// How much is done.
        position: u64,
        /// How much there is to do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        length: Option<u64>,
        /// How much of it is done, from 0 to 100, rounded down to a tenth: 100 only if all is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<f64>,
        /// How much is done in a second, at the pace of the last ten seconds or so.
        ///
        /// It is of the moment of this event. A job that stands still is not told of anew, so its
        /// last rate stays; and what it did while nobody looked counts as evenly done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<f64>,
        /// The milliseconds that the rest takes at that pace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        eta_ms: Option<u64>,
        /// What the job is at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The sub-tasks that are told of next are all there are: a client that comes back
        /// forgets the others, also those of another job. So it is with the first update of
        /// each stream of a job that has had any, or of [who comes
        /// back](super::ProgressStream::after).
        #[serde(default, skip_serializing_if = "is_false")]
        reset: bool,
    },
    /// How far a sub-task is.
    #[sse(replay = "latest")]
    Task {
        /// As in [`Update`](Self::Update).
        #[sse(id)]
        id: Option<EventId>,
        /// Its number in the job, from 1; a later task has a higher one.
        #[sse(key)]
        task: u64,
        /// The task that it is a sub-task of, which was told of before; `None` is the job.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<u64>,
        /// What it was called.
        name: String,
        /// Whether it goes on.
        state: TaskState,
        /// As in [`Update`](Self::Update), as are the others.
        position: u64,
        /// How much there is to do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        length: Option<u64>,
        /// How much of it is done, from 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<f64>,
        /// How much is done in a second.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<f64>,
        /// The milliseconds that the rest takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        eta_ms: Option<u64>,
        /// What it is at, or why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// A sub-task is no longer shown.
    TaskCleared {
        /// As in [`Update`](Self::Update).
        #[sse(id)]
        id: Option<EventId>,
        /// Its number.
        task: u64,
    },
    /// The job is done, and this is what came of it. The stream ends.
    #[sse(terminal)]
    Done {
        /// As in [`Update`](Self::Update).
        #[sse(id)]
        id: Option<EventId>,
        /// What came of it.
        result: T,
    },
    /// The job failed. The stream ends.
    #[sse(terminal)]
    Failed {
        /// As in [`Update`](Self::Update).
        #[sse(id)]
        id: Option<EventId>,
        /// Why, as the reporter said it.
        message: String,
    },
}

impl<T> Progress<T> {
    /// The event without its id, for a [`Topic`](crate::Topic), which gives it one of its own.
    #[must_use]
    pub fn without_id(mut self) -> Self {
        match &mut self {
            Self::Update { id, .. }
            | Self::Task { id, .. }
            | Self::TaskCleared { id, .. }
            | Self::Done { id, .. }
            | Self::Failed { id, .. } => *id = None,
        }
        self
    }
}

/// Whether a sub-task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskState {
    /// It goes on.
    Running,
    /// It is done.
    Done,
    /// It failed, or ended without a word.
    Failed,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}
