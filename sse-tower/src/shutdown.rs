//! `Shutdown` and `Drain`: how streams end when the server does.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::registry::Registry;

/// Ends the streams of the layers it was given to, so that a server can stop.
///
/// The graceful shutdown of a server waits for its responses, and a stream has no end of its
/// own. From [`begin`](Self::begin) on, each open stream ends as its [`Drain`] says, and a
/// client that asks for a stream is sent away as if the server were
/// [full](crate::SseLayer::max_streams).
///
/// # What a layer cannot do
///
/// The server does not poll the body of a client that has **stopped reading**, so nothing
/// inside a body can end it: such a connection lives until the client reads on, leaves, or the
/// transport gives up. The same is true of [`max_age`](crate::SseLayer::max_age) and
/// [`end_at`](crate::Sse::end_at). Put a time limit around the server, as below, if it must stop, and
/// [one on its sockets](crate::guide::proxies#the-sockets).
///
/// If a stream of another library is compressed already, a layer does not see where its events end,
/// and cannot end it.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use axum::Router;
/// use sse_tower::{Shutdown, SseLayer};
///
/// # async fn signal() {}
/// # async fn run(app: Router, listener: tokio::net::TcpListener) -> std::io::Result<()> {
/// let stop = Shutdown::new();
/// let app = app.layer(SseLayer::new().shutdown(&stop));
///
/// let server = axum::serve(listener, app).with_graceful_shutdown(stop.begun());
/// let limit = async {
///     signal().await;
///     stop.begin();
///     // Longer than any stream may take to finish: whoever is left does not read.
///     tokio::time::sleep(Duration::from_secs(30)).await;
/// };
/// tokio::select! {
///     served = server => served,
///     () = limit => Ok(()),
/// }
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Shutdown(Arc<Inner>);

#[derive(Default)]
struct Inner {
    begun: AtomicBool,
    told: Notify,
    #[cfg(feature = "tokio-util")]
    token: Option<token::Watched>,
    layers: Mutex<Vec<Weak<Registry>>>,
}

impl Shutdown {
    /// A shutdown that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the streams of every layer that knows of this shutdown. Later calls do nothing.
    pub fn begin(&self) {
        if self.0.begun.swap(true, Ordering::SeqCst) {
            return;
        }
        let layers = std::mem::take(&mut *self.lock());
        for layer in layers.iter().filter_map(Weak::upgrade) {
            layer.drain();
        }
        self.0.told.notify_waiters();
    }

    /// Whether it has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.watch();
        self.flag()
    }

    /// Waits until it has begun.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        let this = self.clone();
        async move {
            let told = this.0.told.notified();
            if !this.has_begun() {
                told.await;
            }
        }
    }

    fn flag(&self) -> bool {
        self.0.begun.load(Ordering::SeqCst)
    }

    /// Called before it matters whether it has begun.
    pub(crate) fn watch(&self) {
        #[cfg(feature = "tokio-util")]
        token::watch(self);
    }

    pub(crate) fn add(&self, registry: &Arc<Registry>) {
        let mut layers = self.lock();
        if self.flag() {
            drop(layers);
            registry.drain();
        } else {
            layers.push(Arc::downgrade(registry));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Registry>>> {
        self.0.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("begun", &self.flag())
            .finish_non_exhaustive()
    }
}

/// How an open stream ends once a [`Shutdown`] has begun.
///
/// A stream that is made to end does so between two events, with a
/// [retry hint](crate::SseLayer::reconnect) of its own, so that clients do not all come back
/// at the same moment. A stream of another library whose event is under way has one second to
/// complete it, then it ends with the event unfinished, which clients drop, and without a
/// [goodbye](crate::SseLayer::goodbye).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drain {
    /// [`EndNow`](Self::EndNow) for GET, since an `EventSource` comes back by itself, and
    /// [`FinishWithin`](Self::FinishWithin) 25 s for every other method: their clients do not
    /// come back, and orchestrators often grant 30 s.
    #[default]
    ByMethod,
    /// The stream ends at once.
    EndNow,
    /// The stream ends at a random moment within this time.
    EndWithin(Duration),
    /// The stream may go on to its own end for this long, and is ended then.
    FinishWithin(Duration),
    /// The stream goes on to its own end.
    Finish,
}

impl Drain {
    const FINISH: Duration = Duration::from_secs(25);

    /// How much longer a stream may last; `None` if it is not ended.
    pub(crate) fn time_left(self, comes_back: bool) -> Option<Duration> {
        match self {
            Self::ByMethod if comes_back => Some(Duration::ZERO),
            Self::ByMethod => Some(Self::FINISH),
            Self::EndNow => Some(Duration::ZERO),
            Self::EndWithin(spread) => Some(spread.mul_f64(fastrand::f64())),
            Self::FinishWithin(limit) => Some(limit),
            Self::Finish => None,
        }
    }
}

#[cfg(feature = "tokio-util")]
mod token {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::runtime::Handle;
    use tokio_util::sync::CancellationToken;

    use super::{Inner, Shutdown};

    pub(super) struct Watched {
        token: CancellationToken,
        /// A task waits for the token.
        by_task: AtomicBool,
    }

    /// A shutdown that begins when `token` is cancelled. Feature `tokio-util`.
    impl From<CancellationToken> for Shutdown {
        fn from(token: CancellationToken) -> Self {
            let watched = Watched {
                token,
                by_task: AtomicBool::new(false),
            };
            Self(std::sync::Arc::new(Inner {
                token: Some(watched),
                ..Inner::default()
            }))
        }
    }

    /// Waits for the token, from the first stream on.
    pub(super) fn watch(shutdown: &Shutdown) {
        let Some(watched) = &shutdown.0.token else {
            return;
        };
        if watched.token.is_cancelled() {
            shutdown.begin();
        } else if let Ok(runtime) = Handle::try_current()
            && !watched.by_task.swap(true, Ordering::Relaxed)
        {
            let (shutdown, token) = (shutdown.clone(), watched.token.clone());
            runtime.spawn(async move {
                token.cancelled().await;
                shutdown.begin();
            });
        }
    }
}
