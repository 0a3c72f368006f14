//! A live feed with resume: this machine's load and memory, each second.

use std::collections::VecDeque;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_stream::stream;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::Stream;
use sse_tower::{Resume, SseEvent, sse_handler};
use sysinfo::System;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::App;

/// How many samples a client can have missed and still be sent.
const KEPT: usize = 300;

#[derive(SseEvent)]
pub(crate) enum Feed {
    Sample {
        #[sse(id)]
        id: SampleId,
        /// Taken before this connection began.
        replayed: bool,
        #[serde(flatten)]
        sample: Sample,
    },
    /// So many samples are gone for good: the client was away for longer than the history.
    Lost { samples: u64 },
}

#[derive(Clone, serde::Serialize)]
pub(crate) struct Sample {
    /// How busy the processors are, in percent.
    load: f32,
    memory_used: u64,
    memory_total: u64,
}

/// Sends the samples after the last one that the client has seen, then each new one.
#[sse_handler(retry = "3s")]
pub(crate) async fn feed(
    State(app): State<App>,
    resume: Resume<SampleId>,
) -> impl Stream<Item = Feed> {
    let history = app.history;
    let mut newest = history.newest.subscribe();
    let start = *newest.borrow();
    // An id of another run of the server counts for nothing: such a client has seen nothing.
    let known = |id: &SampleId| id.epoch == history.epoch && id.number <= start;
    let mut seen = resume.after().filter(known).map(|id| id.number);

    stream! {
        loop {
            newest.mark_unchanged();
            let (lost, samples) = history.after(seen);
            if lost > 0 {
                yield Feed::Lost { samples: lost };
            }
            for (number, sample) in samples {
                let id = SampleId { epoch: history.epoch, number };
                yield Feed::Sample { id, replayed: number <= start, sample };
                seen = Some(number);
            }
            if newest.changed().await.is_err() {
                break;
            }
        }
    }
}

/// Ends every stream of the feed. Browsers come back after the `retry` above.
pub(crate) async fn drop_connections(State(app): State<App>) -> StatusCode {
    app.feed_streams.end_streams();
    StatusCode::NO_CONTENT
}

/// Which sample of which run of the server: `{epoch}.{number}`, numbers from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleId {
    epoch: u64,
    number: u64,
}

impl fmt::Display for SampleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.number)
    }
}

impl FromStr for SampleId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (epoch, number) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self {
            epoch: epoch.parse()?,
            number: number.parse()?,
        })
    }
}

/// The last samples.
pub(crate) struct History {
    /// Tells this run of the server from any other.
    epoch: u64,
    samples: Mutex<VecDeque<(u64, Sample)>>,
    /// The number of the newest sample; 0 before the first.
    newest: watch::Sender<u64>,
}

impl History {
    /// Takes a sample each second from now on.
    pub(crate) fn start() -> Arc<Self> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let history = Arc::new(Self {
            epoch: now.map_or(0, |since| since.as_secs()),
            samples: Mutex::default(),
            newest: watch::Sender::new(0),
        });
        tokio::spawn(Arc::clone(&history).sample());
        history
    }

    async fn sample(self: Arc<Self>) {
        let mut system = System::new();
        // The load is that of the time between two readings.
        system.refresh_cpu_usage();
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        second.tick().await;
        loop {
            second.tick().await;
            system.refresh_cpu_usage();
            system.refresh_memory();
            self.push(Sample {
                load: system.global_cpu_usage(),
                memory_used: system.used_memory(),
                memory_total: system.total_memory(),
            });
        }
    }

    fn push(&self, sample: Sample) {
        let number = *self.newest.borrow() + 1;
        let mut samples = self.lock();
        if samples.len() == KEPT {
            samples.pop_front();
        }
        samples.push_back((number, sample));
        drop(samples);
        self.newest.send_replace(number);
    }

    /// What came after the sample `seen`, and how many of those are gone; everything if `None`.
    fn after(&self, seen: Option<u64>) -> (u64, Vec<(u64, Sample)>) {
        let samples = self.lock();
        let oldest = samples.front().map_or(1, |(number, _)| *number);
        let lost = seen.map_or(0, |seen| oldest.saturating_sub(seen + 1));
        let seen = seen.unwrap_or(0);
        let new = samples.iter().filter(|(number, _)| *number > seen);
        (lost, new.cloned().collect())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, Sample)>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
