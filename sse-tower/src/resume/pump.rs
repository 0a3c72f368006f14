//! The task that carries events from a handler into the log of its run.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{Either, select};
use sse_core::log::Batch;
use sse_core::{Block, BoxError, Cursor, Retention};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use super::events::Events;
use super::key::ScopedRunKey;
use super::run::{Pace, Run};
use super::runs::Runs;

/// Carries `events` until they end, or nobody has wanted them for long enough; then keeps the
/// run for those who come late.
pub(super) async fn pump(runs: Arc<Runs>, key: ScopedRunKey, run: Arc<Run>, events: Events) {
    {
        let feeding = pin!(feed(&run, runs.options.keep, events));
        let abandoned = pin!(abandoned(&runs, &key, &run));
        // What is dropped at the end of this block is the producer.
        match select(feeding, abandoned).await {
            Either::Left((Ok(()), _)) => {}
            // What it had ready has no place in the log any more.
            Either::Left((Err(_), _)) if run.ended().is_some() => return,
            Either::Left((Err(error), _)) => {
                tracing::error!(%error, "the stream of a resumable run failed");
                run.fail();
            }
            Either::Right(((), _)) => {
                tracing::debug!("nobody came back to a resumable run, or another replaced it");
                return;
            }
        }
    }
    let epoch = run.epoch();
    drop(run);
    sleep(runs.options.forget_after).await;
    runs.forget(&key, epoch);
}

/// Returns when the run was without a connection for the whole time, and is given up, or when
/// another has taken its place.
async fn abandoned(runs: &Runs, key: &ScopedRunKey, run: &Run) {
    let mut pace = run.pace();
    let unwanted = |pace: &Pace| pace.replaced || pace.connections == 0;
    while let Ok(replaced) = pace.wait_for(unwanted).await.map(|pace| pace.replaced) {
        if replaced {
            return;
        }
        let quiet = timeout(runs.options.linger, pace.changed()).await.is_err();
        if quiet && runs.give_up(key, run) {
            return;
        }
    }
}

/// Carries everything there is and closes the log.
async fn feed(run: &Run, keep: Retention, events: Events) -> Result<(), BoxError> {
    let mut pace = run.pace();
    let mut portion = Portion::new(keep, events);
    loop {
        let filled = poll_fn(|cx| portion.poll_fill(cx)).await;
        let (batch, now) = (&portion.batch, Instant::now().into_std());
        match filled {
            Filled::More => run.log.append_batch(batch, now)?,
            Filled::Over => {
                // First, so that who sees the end may start the next run.
                run.finish();
                run.log.close_with(batch, now)?;
                return Ok(());
            }
            Filled::Failed(error) => {
                run.log.append_batch(batch, now)?;
                return Err(error);
            }
        };
        // As fast as the fastest connection reads: none is told of a gap because a producer
        // had everything ready. Without a connection, at full speed.
        let head = run.log.head().seq();
        let caught_up = pace.wait_for(|pace| pace.connections == 0 || pace.read >= head);
        drop(caught_up.await);
        yield_now().await;
    }
}

/// Events that are appended together.
struct Portion {
    events: Events,
    batch: Batch,
    bytes: usize,
    /// It came, but did not fit in.
    next: Option<Block>,
    most_events: usize,
    most_bytes: usize,
}

enum Filled {
    More,
    Over,
    Failed(BoxError),
}

impl Portion {
    /// No larger than what the log keeps, or it would lose its own beginning.
    fn new(keep: Retention, events: Events) -> Self {
        Self {
            events,
            batch: Batch::new(),
            bytes: 0,
            next: None,
            most_events: keep.max_events().min(64),
            most_bytes: keep.max_bytes().min(8 * 1024),
        }
    }

    /// Takes what is ready, anew.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Filled> {
        self.batch.clear();
        self.bytes = 0;
        for _ in 0..self.most_events {
            let block = match self.next.take() {
                Some(block) => block,
                None => match self.poll_event(cx) {
                    Poll::Ready(Ok(Some(block))) => block,
                    Poll::Ready(Ok(None)) => return Poll::Ready(Filled::Over),
                    Poll::Ready(Err(error)) => return Poll::Ready(Filled::Failed(error)),
                    Poll::Pending if self.batch.is_empty() => return Poll::Pending,
                    Poll::Pending => break,
                },
            };
            let bytes = block.bytes().len() + "id: \n".len() + Cursor::MAX_LEN;
            if self.bytes + bytes > self.most_bytes && !self.batch.is_empty() {
                self.next = Some(block);
                break;
            }
            self.bytes += bytes;
            self.batch.push_block(&block);
            if block.is_terminal() {
                return Poll::Ready(Filled::Over);
            }
        }
        Poll::Ready(Filled::More)
    }

    /// The next event; a panic of the producer is a failure of this run alone.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Block>, BoxError>> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.events.as_mut().poll_next(cx)));
        match polled {
            Ok(polled) => polled.map(Option::transpose),
            Err(_) => Poll::Ready(Err("it panicked".into())),
        }
    }
}
