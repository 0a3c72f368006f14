//! One run: a log, and who reads it.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};

use axum_core::response::{IntoResponse as _, Response};
use futures_core::Stream;
use sse_core::log::{Log, Read, Reader};
use sse_core::{Block, BoxError, Cursor, Missed, Retention};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::body::{Filled, MaybeBatch, Source};
use crate::life::CloseReason;
use crate::response::Sse;
use crate::settings::SharedSettings;
use crate::topic::Lagged;

/// What a handler produces, for as many connections as there are.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) log: Log,
    epoch: u64,
    /// What the handler decided, for every connection.
    settings: SharedSettings,
    pace: watch::Sender<Pace>,
    end: OnceLock<End>,
}

/// What the producer waits for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    pub(super) connections: usize,
    /// The newest number that any of them was given.
    pub(super) read: u64,
    /// Any of them was given the end.
    end_was_read: bool,
    /// Another run has taken its place.
    pub(super) replaced: bool,
}

#[derive(Clone, Copy, Debug)]
struct End {
    at: Instant,
    clean: bool,
}

impl Run {
    pub(super) fn new(keep: Retention, settings: SharedSettings) -> Self {
        // Random, so that a cursor of another run is known as such, whichever process made it:
        // a cursor of the same epoch is trusted.
        let epoch = fastrand::u64(..1 << 48);
        Self {
            log: Log::new(epoch, keep),
            epoch,
            settings,
            pace: watch::Sender::default(),
            end: OnceLock::new(),
        }
    }

    /// One that has ended and of which nothing is left.
    pub(super) fn gone() -> Self {
        let run = Self::new(Retention::default(), SharedSettings::default());
        run.finish();
        run.log.close();
        run
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// A connection that has seen everything up to `after`, or nothing.
    pub(super) fn attach(self: &Arc<Self>, after: Option<Cursor>) -> Result<RunEvents, Missed> {
        // Not whatever is left: without the beginning, what is left is not the stream.
        let after = after.unwrap_or(Cursor::new(self.epoch, 0));
        self.log.evict(Instant::now().into_std());
        Ok(self.connect(self.log.reader_after(after)?))
    }

    /// A connection that gets what is left.
    pub(super) fn attach_to_rest(self: &Arc<Self>) -> RunEvents {
        self.connect(self.log.reader_from_start())
    }

    fn connect(self: &Arc<Self>, reader: Reader) -> RunEvents {
        self.pace.send_modify(|pace| pace.connections += 1);
        RunEvents {
            reader,
            run: Arc::clone(self),
            over: false,
        }
    }

    pub(super) fn pace(&self) -> watch::Receiver<Pace> {
        self.pace.subscribe()
    }

    pub(super) fn has_connections(&self) -> bool {
        self.pace.borrow().connections > 0
    }

    /// The producer is at its end, and the log is closed.
    pub(super) fn finish(&self) {
        self.end(true);
    }

    /// The producer failed: readers get what there is, then an error.
    pub(super) fn fail(&self) {
        self.end(false);
        self.log.detach();
    }

    /// Another has taken its place: unless it has ended, it fails, and its producer is to stop.
    pub(super) fn replaced(&self) {
        if self.end(false) {
            self.log.detach();
            self.pace.send_modify(|pace| pace.replaced = true);
        }
    }

    /// Returns whether this was the end: it ends once.
    fn end(&self, clean: bool) -> bool {
        let at = Instant::now();
        self.end.set(End { at, clean }).is_ok()
    }

    /// When it ended, unless it is still running.
    pub(super) fn ended(&self) -> Option<Instant> {
        self.end.get().map(|end| end.at)
    }

    /// Whether a connection was given all of it, the end included.
    ///
    /// Without events there is nothing to read: who comes back has no id, and is to find the end.
    pub(super) fn was_read(&self) -> bool {
        self.is_complete() && self.pace.borrow().end_was_read && self.log.head().seq() > 0
    }

    /// Whether `after` is a place in it behind which there are events.
    pub(super) fn goes_on(&self, after: Cursor) -> bool {
        let head = self.log.head();
        after.epoch() == head.epoch() && after.seq() < head.seq()
    }

    /// Whether it came to its own end, so that nothing is left to wait for.
    pub(super) fn is_complete(&self) -> bool {
        self.end.get().is_some_and(|end| end.clean)
    }
}

/// The events of a run, as one connection reads them: those that are kept, then those that come.
///
/// It is an error of the stream if the handler's stream failed, and a [`Lagged`] if this reader
/// fell so far behind that events it had not read are gone.
#[derive(Debug)]
pub struct RunEvents {
    reader: Reader,
    run: Arc<Run>,
    over: bool,
}

impl RunEvents {
    /// The response to one connection, as the handler wanted it; `expires` ends it earlier.
    pub(super) fn respond(self, expires: Option<Instant>) -> Response {
        let run = Arc::clone(&self.run);
        let response = Sse::<Block>::from_source(self)
            .fill(&run.settings)
            .expires(expires);
        response.into_response()
    }
}

impl Stream for RunEvents {
    type Item = Result<Block, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        let item = match ready!(this.reader.poll_next(cx)) {
            Read::Block(block) => {
                let read = this.reader.cursor().seq();
                this.run.pace.send_if_modified(|pace| {
                    let further = read > pace.read;
                    pace.read = pace.read.max(read);
                    // Who gets a terminal event does not ask for more.
                    pace.end_was_read |= block.is_terminal();
                    further
                });
                return Poll::Ready(Some(Ok(block)));
            }
            Read::Closed => {
                this.run.pace.send_modify(|pace| pace.end_was_read = true);
                None
            }
            Read::Gap(gap) => Some(Err(Lagged(gap).into())),
            // A log is detached when its run has failed.
            _ => Some(Err(RunFailed.into())),
        };
        this.over = true;
        Poll::Ready(item)
    }
}

impl Source for RunEvents {
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let next = ready!(self.as_mut().poll_next(cx));
        Poll::Ready(match next {
            Some(Ok(block)) => Filled::Block(block, self.reader.take_waited()),
            Some(Err(error)) => Filled::Failed(error),
            None => Filled::Over(CloseReason::Ended),
        })
    }
}

impl Drop for RunEvents {
    fn drop(&mut self) {
        self.run.pace.send_modify(|pace| pace.connections -= 1);
    }
}

/// The stream behind a run failed; what happened was logged there.
#[derive(Debug)]
struct RunFailed;

impl fmt::Display for RunFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream of this run failed")
    }
}

impl Error for RunFailed {}
