//! `Observe`: what a layer tells of its streams.

use crate::life::Closed;

/// Is told of each stream of a layer: that it opened, what is sent, and how it ended.
///
/// Any `Fn(&Closed)` is one. The methods are called from within the bodies, so they must be
/// quick and must not block. A panic of [`opened`](Self::opened) or [`closed`](Self::closed) is
/// logged and goes no further; one of
/// [`sent`](Self::sent) or [`waited`](Self::waited) is a panic of the stream.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use sse_tower::{Closed, Observe, SseLayer};
///
/// #[derive(Default)]
/// struct OpenStreams(AtomicI64);
///
/// impl Observe for OpenStreams {
///     fn opened(&self) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
///
///     fn closed(&self, _: &Closed) {
///         self.0.fetch_sub(1, Ordering::Relaxed);
///     }
/// }
///
/// let open = Arc::new(OpenStreams::default());
/// let layer = SseLayer::new()
///     .observe(Arc::clone(&open))
///     .observe(|closed: &Closed| println!("{} after {:?}", closed.reason.as_str(), closed.age));
/// ```
pub trait Observe: Send + Sync + 'static {
    /// The server began to send a stream.
    fn opened(&self) {}

    /// A frame was handed to the server.
    fn sent(&self, events: u64, bytes: u64) {
        let _ = (events, bytes);
    }

    /// A frame of a [topic](crate::Topic) or a [run](crate::ResumeLayer) was taken for a client for
    /// which this many events were waiting, those of the frame included: 1 for a client that keeps
    /// up.
    fn waited(&self, events: u64) {
        let _ = events;
    }

    /// A stream that was opened is over. Called once for each, whatever the reason.
    fn closed(&self, closed: &Closed);
}

impl<F: Fn(&Closed) + Send + Sync + 'static> Observe for F {
    fn closed(&self, closed: &Closed) {
        self(closed);
    }
}

impl<O: Observe + ?Sized> Observe for std::sync::Arc<O> {
    fn opened(&self) {
        (**self).opened();
    }

    fn sent(&self, events: u64, bytes: u64) {
        (**self).sent(events, bytes);
    }

    fn waited(&self, events: u64) {
        (**self).waited(events);
    }

    fn closed(&self, closed: &Closed) {
        (**self).closed(closed);
    }
}
