//! A store that counts, waits and fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use sse_tower::store::StoreError;
use tokio::time::sleep;

use crate::around::{Around, Habits, Op};

/// A memory store whose operations take a second of the test's clock, and may fail.
pub(crate) type Slow = Around<Arc<Seen>>;

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) appends: AtomicUsize,
    pub(crate) reads: AtomicUsize,
    /// Nothing is done but trimming.
    pub(crate) fails: AtomicBool,
    /// Appends are not done.
    pub(crate) refuses: AtomicBool,
    /// Appends are done, and reported as failed.
    pub(crate) loses_answers: AtomicBool,
    /// Nobody is told where a topic stands.
    pub(crate) fails_to_open: AtomicBool,
    /// How much longer after an append its answer comes.
    pub(crate) answers_after: AtomicU64,
    /// How much later it is for the store, in seconds.
    pub(crate) clock: AtomicU64,
}

impl Seen {
    pub(crate) fn set(flag: &AtomicBool, to: bool) {
        flag.store(to, Ordering::Relaxed);
    }
}

fn fail_if(flag: &AtomicBool, cause: &'static str) -> Result<(), StoreError> {
    match flag.load(Ordering::Relaxed) {
        true => Err(StoreError::failed(cause)),
        false => Ok(()),
    }
}

impl Habits for Arc<Seen> {
    async fn before(&self, op: Op) -> Result<(), StoreError> {
        match op {
            Op::Trim => return Ok(()),
            Op::Append => drop(self.appends.fetch_add(1, Ordering::Relaxed)),
            Op::Read => drop(self.reads.fetch_add(1, Ordering::Relaxed)),
            Op::Open => {}
        }
        sleep(Duration::from_secs(1)).await;
        fail_if(&self.fails, "the disk is gone")?;
        match op {
            Op::Open => fail_if(&self.fails_to_open, "there is no connection"),
            Op::Append => fail_if(&self.refuses, "there is no room"),
            _ => Ok(()),
        }
    }

    async fn after(&self, op: Op) -> Result<(), StoreError> {
        if op != Op::Append {
            return Ok(());
        }
        let pause = self.answers_after.load(Ordering::Relaxed);
        sleep(Duration::from_secs(pause)).await;
        fail_if(&self.loses_answers, "the connection is gone")
    }

    fn time(&self, at: SystemTime) -> SystemTime {
        at + Duration::from_secs(self.clock.load(Ordering::Relaxed))
    }
}
