//! The open streams of a layer, and how each of them ended.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;

/// Every stream that a layer has seen and whose body still lives.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    streams: Mutex<Streams>,
}

#[derive(Debug, Default)]
struct Streams {
    next: u64,
    open: HashMap<u64, Arc<EndRequest>>,
}

impl Registry {
    /// Enters a stream; it leaves when what this returns is dropped.
    pub(crate) fn open(self: &Arc<Self>) -> LiveStream {
        let end = Arc::new(EndRequest::default());
        let mut streams = self.lock();
        let key = streams.next;
        streams.next += 1;
        streams.open.insert(key, Arc::clone(&end));
        LiveStream {
            key,
            end,
            registry: Arc::clone(self),
            reason: EndReason::ClientGone,
            events: 0,
            bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// Asks every open stream to end, and wakes those that wait.
    pub(crate) fn end_all(&self) {
        // Wakers run foreign code, so not under the lock.
        let open: Vec<_> = self.lock().open.values().cloned().collect();
        for end in open {
            end.asked.store(true, Ordering::Release);
            end.waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the layer reaches into a stream that it does not own.
#[derive(Default)]
struct EndRequest {
    asked: AtomicBool,
    waker: AtomicWaker,
}

impl fmt::Debug for EndRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EndRequest").field(&self.asked).finish()
    }
}

/// One open stream, held by its body: dropping it is the one truth about the end.
#[derive(Debug)]
pub(crate) struct LiveStream {
    key: u64,
    end: Arc<EndRequest>,
    registry: Arc<Registry>,
    reason: EndReason,
    events: u64,
    bytes: u64,
}

impl Drop for LiveStream {
    fn drop(&mut self) {
        self.registry.lock().open.remove(&self.key);
        tracing::debug!(
            reason = self.reason.as_str(),
            events = self.events,
            bytes = self.bytes,
            "event stream closed"
        );
    }
}

/// The entries of one stream: one for each layer around it.
pub(crate) fn count(streams: &mut [LiveStream], events: u64, bytes: usize) {
    for stream in streams {
        stream.events += events;
        stream.bytes += bytes as u64;
    }
}

pub(crate) fn ended(streams: &mut [LiveStream], reason: EndReason) {
    for stream in streams {
        stream.reason = reason;
    }
}

/// Whether a layer has asked the stream to end.
pub(crate) fn asked_to_end(streams: &[LiveStream]) -> bool {
    let mut streams = streams.iter();
    streams.any(|stream| stream.end.asked.load(Ordering::Acquire))
}

/// Wakes `cx` when a layer asks; ask once more after this, lest the question was missed.
pub(crate) fn watch(streams: &[LiveStream], cx: &Context<'_>) {
    for stream in streams {
        stream.end.waker.register(cx.waker());
    }
}

/// Why a stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// A terminal event was sent.
    Done,
    /// The stream had no more events.
    Ended,
    /// The body was dropped before its end: the client left.
    ClientGone,
    /// The layer ended it.
    Shutdown,
    /// The stream failed or an event could not be encoded.
    Error,
}

impl EndReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ended => "ended",
            Self::ClientGone => "client gone",
            Self::Shutdown => "shutdown",
            Self::Error => "error",
        }
    }
}
