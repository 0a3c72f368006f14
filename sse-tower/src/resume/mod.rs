//! `ResumeLayer`: the producer of a stream outlives the connection that it was made for.
//!
//! `key.rs` says which requests belong together, `runs.rs` what a request finds, and
//! `service.rs` answers it. A run (`run.rs`) is a log; `pump.rs` fills it with what `events.rs`
//! takes out of the response, and every connection reads it.

mod answer;
mod events;
mod gap;
mod key;
mod pump;
mod run;
mod runs;
mod service;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use sse_core::{Limits, Retention};
use tower_layer::Layer;

pub use self::gap::RunGap;
pub use self::key::{RunKey, ScopedRunKey};
pub use self::run::RunEvents;
use self::runs::{Options, Runs, WhileRunning};
pub use self::service::ResumeService;

/// Makes the stream of any handler or upstream one that clients can come back to.
///
/// The first request with a key calls the handler. A task takes the events out of the response
/// and appends them to a log: this is a *run*. Every connection reads that log, the first one
/// too, and may be lost and come back with its `Last-Event-ID`; it gets each event once, and
/// the handler is not called again. Others with the same key, such as a second tab, get the
/// same events from the beginning.
///
/// # What a request is answered
///
/// | | while the run is going on | when it has ended | when there is none |
/// |---|---|---|---|
/// | GET, or any request with a `Last-Event-ID` | attached | the rest, then the end; 204 if there is no rest | the handler is called |
/// | other methods | 409, or [attached](Self::attach_running), or [a new run replaces it](Self::replace_running) | a new run replaces it | the handler is called |
///
/// - Requests that come while the handler is at work on the head of its response wait for that.
///   If it is no stream, the next of them is the first. If the client that the handler was
///   called for leaves before, the call is dropped.
/// - An id after which events are missing, or which is none of this run, is answered 410, or as
///   [`on_gap`](Self::on_gap) says. So is a first connection to a run whose beginning is gone.
/// - A run that ended is [forgotten](Self::forget_after) after a while; the answer to one of its
///   ids is then 204.
/// - HEAD and OPTIONS, requests for which `by` returns `None`, and responses that are not 200
///   with `text/event-stream`, or are compressed, pass untouched.
///
/// The first response keeps its headers. The later ones have those of an event stream and no
/// others: cookies are for the one to whom they were sent.
///
/// # Who may attach
///
/// Later connections bypass the handler, and with it every check in there. The key therefore
/// says whose the run is, and layers outside of this one authenticate; `by` sees the extensions
/// that they set. The key must also tell apart everything else that the stream depends on, such
/// as the path, if the layer is around several routes. [`Sse::end_at`](crate::Sse::end_at) ends
/// the connection that it was said for, not the later ones.
///
/// # How a run ends
///
/// - With a terminal event, or the end of the handler's stream: connections end as if they had
///   the handler to themselves, also late ones.
/// - By an error or a panic in the handler's stream, or an event of another library's body that
///   is larger than 1 MiB: connections get what there is, and are then aborted, late ones too.
///   It never looks complete.
/// - When it had no connection for the [linger time](Self::linger), or was
///   [replaced](Self::replace_running): the handler's stream is dropped, and the run is gone.
///
/// [`Sse::on_close`](crate::Sse::on_close) of the handler is told of the end of the run.
///
/// # Bounds
///
/// A log [keeps](Self::keep) 4096 events and 1 MiB by default; older ones go. The producer goes
/// on at the pace of the fastest connection, as it would without the layer, so a lone connection
/// loses nothing. Without any it goes on at full speed, and who comes back after more
/// than is kept has a gap. A connection that falls behind others by more than is kept is
/// aborted; it comes back, and is told of the gap then. There are at most 1024
/// [runs](Self::max_runs).
///
/// The logs are in memory and end with the process. A [`Shutdown`](crate::Shutdown) ends
/// connections, not runs; clients come back to another process, which knows nothing of their
/// ids: without a run it calls the handler, and with one it tells of a gap.
///
/// # Ids
///
/// The ids of the events are the places in the log, and replace those of the handler. Comments
/// and hints between events are left out, so heartbeats are not replayed;
/// every event is kept, whatever [`SseEvent::keep`](crate::SseEvent::keep) says.
///
/// # Among other layers
///
/// It belongs inside of [`SseLayer`](crate::SseLayer), nearer to the handler: that one gives
/// every connection its keep-alive, its retry hint and its end. In a `Router`, add it first.
///
/// Runs are tasks: services are called on a tokio runtime with its timer enabled.
///
/// # Panics
///
/// The service panics if a stream begins outside of a tokio runtime.
///
/// # Examples
///
/// ```
/// use axum::{Router, body::{Body, to_bytes}, routing::get};
/// use futures_util::stream;
/// use http::{Request, StatusCode, request::Parts};
/// use sse_tower::{Event, ResumeLayer, RunKey, Sse, SseLayer};
/// use tower::ServiceExt as _;
///
/// /// What a layer for authentication has put there.
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct User(u32);
///
/// let resume = ResumeLayer::by(|parts: &Parts| {
///     let user = parts.extensions.get::<User>()?.clone();
///     Some(RunKey::new(parts.uri.path().to_owned()).principal(user))
/// });
/// let answer = || async { Sse::new(stream::iter(["to", "be"].map(|word| Event::new().data(word)))) };
/// let app = Router::new().route("/answer", get(answer)).layer(resume).layer(SseLayer::new());
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let request = |id: &str| {
///     let request = Request::get("/answer").extension(User(7)).header("last-event-id", id);
///     request.body(Body::empty()).unwrap()
/// };
/// let first = app.clone().oneshot(request("")).await?;
/// let first = String::from_utf8(to_bytes(first.into_body(), 1024).await?.into())?;
/// assert_eq!(first.matches("data: ").count(), 2);
///
/// // The connection was lost behind the first event.
/// let (_, from_id) = first.split_once("id: ").unwrap();
/// let (id, _) = from_id.split_once('\n').unwrap();
/// let second = app.oneshot(request(id)).await?;
/// let second = String::from_utf8(to_bytes(second.into_body(), 1024).await?.into())?;
/// assert!(second.ends_with("data: be\n\n") && !second.contains("data: to"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ResumeLayer {
    shared: Arc<Shared>,
}

/// What the clones of a layer share: routers call [`Layer::layer`] once for each route.
#[derive(Clone)]
struct Shared {
    key: Arc<KeyOf>,
    on_gap: Option<Arc<OnGap>>,
    runs: Arc<Runs>,
}

type KeyOf = dyn Fn(&Parts) -> Option<ScopedRunKey> + Send + Sync;
type OnGap = dyn Fn(&Parts, RunGap) -> Response + Send + Sync;

impl ResumeLayer {
    /// Resumes the streams of requests for which `key` returns a key; see [`RunKey`].
    #[must_use]
    pub fn by(key: impl Fn(&Parts) -> Option<ScopedRunKey> + Send + Sync + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                key: Arc::new(key),
                on_gap: None,
                runs: Arc::new(Runs::new(Options {
                    linger: Duration::from_secs(60),
                    keep: Retention::default(),
                    forget_after: Duration::from_secs(300),
                    forget_when_read: false,
                    while_running: WhileRunning::Refuse,
                    max_runs: 1024,
                    limits: Limits::default(),
                })),
            }),
        }
    }

    /// How long a run goes on without any connection. Default: 60 s, in which a phone finds
    /// another network.
    #[must_use]
    pub fn linger(self, linger: Duration) -> Self {
        self.set(|options| options.linger = linger)
    }

    /// How much of each run is kept for connections that come. Default: 4096 events and 1 MiB.
    #[must_use]
    pub fn keep(self, retention: Retention) -> Self {
        self.set(|options| options.keep = retention)
    }

    /// How long a run that ended is kept for connections that come. Default: 5 minutes.
    ///
    /// After that, 204 answers the ids of a run that came to its own end, as many runs back as
    /// there [may be](Self::max_runs); an `EventSource` then stops. Anything else calls the
    /// handler. With [`forget_when_read`](Self::forget_when_read), only the id of its last event
    /// is answered so.
    #[must_use]
    pub fn forget_after(self, time: Duration) -> Self {
        self.set(|options| options.forget_after = time)
    }

    /// Hides a run that came to its own end once a connection was given all of it: for clients
    /// that store what they have read, and would have it twice if they got it again. Default: it
    /// is found for as long as any other.
    ///
    /// A request that comes after that does not find the run, and its memory goes then, or
    /// [later](Self::forget_after) if there is none. But a client whose id is that of an earlier
    /// event of the run gets the rest. When the run is gone, 204 answers the id of its last
    /// event; after an earlier one, events are [missing](Self::on_gap).
    ///
    /// Given is not received: what was written to a connection that died without a word counts.
    /// A run without events is not hidden.
    #[must_use]
    pub fn forget_when_read(self) -> Self {
        self.set(|options| options.forget_when_read = true)
    }

    /// Attaches requests of methods other than GET to a run that is going on. Default: 409,
    /// because a form that was sent twice wants to know.
    #[must_use]
    pub fn attach_running(self) -> Self {
        self.set(|options| options.while_running = WhileRunning::Attach)
    }

    /// Lets requests of methods other than GET replace a run that is going on, as a chat does when
    /// its user stops an answer and asks again.
    ///
    /// The handler is called, and if it answers with a stream, that one is the run from then on:
    /// the stream before it is dropped, and the connections of that are aborted, as it never came
    /// to its end. If it answers anything else, the run goes on.
    #[must_use]
    pub fn replace_running(self) -> Self {
        self.set(|options| options.while_running = WhileRunning::Replace)
    }

    /// Allows this many runs, with those that ended and are still kept. Default: 1024, which is
    /// up to 2 GiB if all keep as much as they may.
    ///
    /// To make room, runs that ended and have no connection are forgotten, the oldest first. If
    /// there is none, a request that would start another is sent away, as by
    /// [`SseLayer::max_streams`](crate::SseLayer::max_streams): with a hint to come back if its
    /// `Accept` names event streams, otherwise with 503. The handler is not called for
    /// a GET whose `Accept` names event streams, nor for another method whose `Accept` names those
    /// and no other type. Otherwise it is called, and an answer that is no stream is passed on.
    #[must_use]
    pub fn max_runs(self, max: usize) -> Self {
        self.set(|options| options.max_runs = max)
    }

    /// How large a line and an event may be in the stream of another library, which is read event
    /// by event. Default: 1 MiB each. A larger one fails the run.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        self.set(|options| options.limits = limits)
    }

    /// Answers requests after whose id events are missing. Default: 410.
    ///
    /// If nothing is left, an `EventSource` comes back with the same id after the end, unless the
    /// snapshot has the id [`Gap::resume`](crate::Gap::resume).
    ///
    /// # Examples
    ///
    /// A snapshot, and then what is left:
    ///
    /// ```
    /// use futures_util::{StreamExt as _, stream};
    /// use sse_tower::{Block, Event, ResumeLayer, RunKey, Sse};
    ///
    /// let layer = ResumeLayer::by(|parts| Some(RunKey::new(parts.uri.path().to_owned()).public()))
    ///     .on_gap(|_, gap| {
    ///         let snapshot = Block::encode(&Event::named("snapshot").data("…"));
    ///         let snapshot = stream::iter([snapshot.map_err(Into::into)]);
    ///         Sse::new(snapshot.chain(gap.into_events()))
    ///     });
    /// ```
    #[must_use]
    pub fn on_gap<R: IntoResponse>(
        self,
        answer: impl Fn(&Parts, RunGap) -> R + Send + Sync + 'static,
    ) -> Self {
        self.with(|shared| {
            shared.on_gap = Some(Arc::new(move |parts, gap| {
                answer(parts, gap).into_response()
            }));
        })
    }

    fn set(self, change: impl FnOnce(&mut Options)) -> Self {
        self.with(|shared| {
            let mut options = shared.runs.options.clone();
            change(&mut options);
            shared.runs = Arc::new(Runs::new(options));
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        change(Arc::make_mut(&mut self.shared));
        self
    }
}

impl<S> Layer<S> for ResumeLayer {
    type Service = ResumeService<S>;

    fn layer(&self, inner: S) -> ResumeService<S> {
        ResumeService::new(inner, Arc::clone(&self.shared))
    }
}

impl fmt::Debug for ResumeLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResumeLayer")
            .field("options", &self.shared.runs.options)
            .finish_non_exhaustive()
    }
}
