//! `SseLayer`: what a stream needs around its events, for any service and any body.

pub(crate) mod answer;
mod caps;
mod future;
pub(crate) mod headers;
mod service;

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use sse_core::{Block, EncodeError, SseEvent};
use tower_layer::Layer;

use self::answer::Answer;
use self::caps::{Cap, PerKey, Place};
pub(crate) use self::future::is_encoded;
pub use self::future::{ResponseFuture, SseBody};
pub use self::service::SseService;
use crate::body::away;
use crate::context::RequestContext;
use crate::ids::Ids;
use crate::keep_alive::KeepAlive;
use crate::observe::Observe;
use crate::registry::{Membership, Registry};
use crate::retry::{Load, Retry};
use crate::settings::{Settings, SharedSettings};
use crate::shutdown::{Drain, Shutdown};
use crate::signal::Signal;

/// Looks after every event stream that passes through: keep-alives, headers, limits, its end.
///
/// An event stream is an answer with status 200 and the content type `text/event-stream`; our own
/// is recognized by an extension of the response. Everything else passes untouched, and so does
/// the body of another library's stream that is compressed already: it gains headers, and counts
/// as open. What the layer does by default:
///
/// - a [keep-alive](KeepAlive) comment after 15 s of silence,
/// - the headers `Cache-Control: no-cache, no-store, no-transform`, `X-Accel-Buffering: no`
///   and `X-Content-Type-Options: nosniff`; a `Content-Length` is removed,
/// - a first line at once, because headers and proxies wait for one,
/// - the end that browsers respect: after a terminal event of [`Sse`](crate::Sse), a client
///   that sent a GET with `Accept: text/event-stream` gets a last event named
///   [`sse-tower:end`](crate::END_ID), and when it comes back with that id, the answer is 204.
///   An `EventSource` then stops, without any code in the page, one reconnection delay after
///   the event. Streams of other libraries have no such end.
///
/// # What it answers itself
///
/// - 204, to a request past the end, whatever its route;
/// - a hint to come back later, or 503, when it is [full](Self::max_streams) or a
///   [`Shutdown`] has begun: before the handler runs, to a GET that asks for an event stream and
///   to any request that accepts nothing else; to others in place of the stream;
/// - 406, in place of a stream, if it is [strict](Self::accept).
///
/// # Among other layers
///
/// ```text
///  request                                                           response
///     │  TraceLayer                logs what the layer answers too       ▲
///     │  ResponseBodyTimeoutLayer  allows for more silence than the      │
///     │                            keep-alive leaves                     │
///     │  CorsLayer                 without its headers, scripts cannot   │
///     │                            read what the layer answers           │
///     │  CompressionLayer          leaves event streams alone            │
///     │  TimeoutLayer              limits the time to the head           │
///     │  ┌──────────────┐                                                │
///     │  │   SseLayer   │                                                │
///     │  └──────────────┘                                                │
///     ▼  handler                                                         │
/// ```
///
/// In a [`Router`](https://docs.rs/axum/0.8/axum/struct.Router.html), the layer that is added
/// last is the outermost; in a `ServiceBuilder`, the first. A `ResponseBodyTimeoutLayer` inside
/// `SseLayer` does not see the keep-alive and cuts silent streams that are not ours. Pages of
/// other origins that set the header themselves need `.allow_headers([LAST_EVENT_ID])` at the
/// `CorsLayer`.
///
/// Bodies are polled on a tokio runtime with its timer enabled, as under `axum::serve`.
///
/// Layers may be nested: what an inner one decides about the bytes stays, and the outer one decides
/// what is left open. Limits, and whatever else is about the request, apply in both.
///
/// A middleware that builds a new response from the body loses the extension by which a layer
/// recognizes our own stream, and one that waits for the first event has made the stream begin.
/// Such a stream is then treated like that of another library: it has its keep-alive, which is not
/// doubled, and no end marker.
///
/// # Examples
///
/// A handler that uses axum's own response stays as it is, and gains all of this but the end
/// marker:
///
/// ```
/// use std::convert::Infallible;
/// use std::time::Duration;
/// use axum::{Router, response::sse, routing::get};
/// use futures_util::{Stream, stream};
/// use sse_tower::{Retry, SseLayer};
///
/// async fn ticks() -> sse::Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
///     sse::Sse::new(stream::iter([Ok(sse::Event::default().data("tick"))]))
/// }
///
/// let layer = SseLayer::new()
///     .retry(Retry::between(Duration::from_secs(2), Duration::from_secs(8)));
/// let app: Router = Router::new().route("/ticks", get(ticks)).layer(layer);
/// ```
#[derive(Clone)]
pub struct SseLayer {
    shared: Arc<Shared>,
}

/// What the clones of a layer share: routers call [`Layer::layer`] once for each route.
#[derive(Clone)]
pub(crate) struct Shared {
    settings: SharedSettings,
    pub(crate) registry: Arc<Registry>,
    pub(crate) max_streams: Option<usize>,
    caps: Vec<Arc<dyn Cap>>,
    query: Vec<String>,
    accept: Accept,
    pub(crate) observers: Vec<Arc<dyn Observe>>,
    shutdowns: Vec<Shutdown>,
}

impl Shared {
    /// Whether no further stream may open.
    fn is_full(&self) -> bool {
        self.shutdowns.iter().for_each(Shutdown::watch);
        self.registry.is_draining()
            || self
                .max_streams
                .is_some_and(|max| self.registry.len() >= max)
    }

    /// The place of a stream among those that are open, if there is room.
    fn enter(
        self: &Arc<Self>,
        places: Vec<Box<dyn Place>>,
        signal: &Arc<Signal>,
    ) -> Option<Membership> {
        if self.is_full() {
            return None;
        }
        let permits: Option<_> = places.into_iter().map(|place| place.enter()).collect();
        Membership::new(self, signal, permits?)
    }

    /// How many streams are open, of how many.
    pub(crate) fn load(&self) -> Load {
        Load {
            open: self.registry.len(),
            max: self.max_streams,
        }
    }

    /// The answer to who has to come back later.
    fn later(&self, context: &RequestContext) -> Answer {
        Answer::Later {
            retry: away(self.settings.reconnect.as_ref(), &self.load()),
            accepts_event_streams: context.accepts_event_streams(),
        }
    }
}

/// Which clients are sent event streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accept {
    /// All: clients of language models ask for `application/json` and expect a stream.
    #[default]
    Any,
    /// Those whose `Accept` allows `text/event-stream`, by name or wildcard, or that send none.
    /// Others are answered 406 in place of a stream.
    Strict,
}

impl SseLayer {
    /// A layer with the defaults above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                settings: SharedSettings::default(),
                registry: Arc::default(),
                max_streams: None,
                caps: Vec::new(),
                query: Vec::new(),
                accept: Accept::Any,
                observers: Vec::new(),
                shutdowns: Vec::new(),
            }),
        }
    }

    /// Sets what is sent while a stream is silent.
    #[must_use]
    pub fn keep_alive(self, keep_alive: KeepAlive) -> Self {
        self.set(|settings| settings.keep_alive = Some(Some(keep_alive)))
    }

    /// Sends nothing while a stream is silent.
    #[must_use]
    pub fn no_keep_alive(self) -> Self {
        self.set(|settings| settings.keep_alive = Some(None))
    }

    /// Asks clients to wait this long before they reconnect. Default: they decide.
    #[must_use]
    pub fn retry(self, retry: Retry) -> Self {
        self.set(|settings| settings.retry = Some(retry))
    }

    /// Gives an id to events without one. Default: none.
    ///
    /// An id makes clients say where they left off, and nothing more: a handler that does not go
    /// on after it begins anew at each reconnection. See [`Ids`].
    #[must_use]
    pub fn ids(self, ids: Ids) -> Self {
        self.set(|settings| settings.ids = Some(ids))
    }

    /// Whether clients are told not to come back after a terminal event. Default: yes.
    ///
    /// If not, the layer does not answer the id of the marker either.
    #[must_use]
    pub fn end_marker(self, on: bool) -> Self {
        self.set(|settings| settings.end_marker = Some(on))
    }

    /// Ends streams at about this age, between two events: each within ±20 % of it, so that
    /// streams opened together do not come back together. Default: never.
    ///
    /// The client is asked to [come back](Self::reconnect), perhaps to another server. Clamped
    /// to ten years. The server does not poll the stream of a client that has **stopped reading**,
    /// so that is not ended; see [`Shutdown`](Shutdown#what-a-layer-cannot-do).
    #[must_use]
    pub fn max_age(self, age: Duration) -> Self {
        const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
        self.set(|settings| settings.max_age = Some(age.min(TEN_YEARS)))
    }

    /// Ends the streams of this layer when `shutdown` begins, each as its
    /// [drain](Self::drain) says; from then on clients that ask for a stream are sent away.
    #[must_use]
    pub fn shutdown(self, shutdown: &Shutdown) -> Self {
        shutdown.add(&self.shared.registry);
        self.with(|shared| shared.shutdowns.push(shutdown.clone()))
    }

    /// How streams end when a [`Shutdown`] begins. Default: [`Drain::ByMethod`].
    #[must_use]
    pub fn drain(self, drain: Drain) -> Self {
        self.set(|settings| settings.drain = Some(drain))
    }

    /// Sends `event` last on the streams that a [`Shutdown`] ends. Default: nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be encoded, which is done once, here.
    pub fn goodbye(self, event: &impl SseEvent) -> Result<Self, EncodeError> {
        let goodbye = Block::encode(event)?;
        Ok(self.set(|settings| settings.goodbye = Some(goodbye)))
    }

    /// When clients that the layer sends away are asked to come back: at a shutdown, at the
    /// maximum age, and when it is full. Default: after 1 s to 5 s, drawn for each, so that
    /// they do not come back together. Let the range grow with the number of clients.
    #[must_use]
    pub fn reconnect(self, after: Retry) -> Self {
        self.set(|settings| settings.reconnect = Some(after))
    }

    /// Allows this many open streams. Default: any number.
    ///
    /// When there are as many, a request whose `Accept` names `text/event-stream` is answered
    /// with status 200, a [retry hint](Self::reconnect) and the end: an `EventSource` comes back
    /// after that and after no other status. Any other request that turns out to ask for a
    /// stream gets 503 with `Retry-After`. The handler of a GET that asks for a stream does not
    /// run, nor that of another method if `Accept` names no other type; if it does, as with MCP,
    /// the answer may be something else, which is passed on. Open streams are never ended to
    /// make room. HEAD is not limited.
    ///
    /// A stream counts until its connection is closed. That of a client that vanished without
    /// closing it, or stopped reading, counts until the transport gives up, by default for about a
    /// quarter of an hour or for ever: set
    /// [an option of the socket](crate::guide::proxies#the-sockets).
    #[must_use]
    pub fn max_streams(self, max: usize) -> Self {
        self.with(|shared| shared.max_streams = Some(max))
    }

    /// Allows this many open streams for each key, such as a user; requests without a key are not
    /// limited. Otherwise as [`max_streams`](Self::max_streams), also in what counts.
    ///
    /// Be careful with addresses: behind a proxy the address of the connection is that of the
    /// proxy, one key for everybody; a header such as `X-Forwarded-For` can be trusted only if your
    /// own proxy sets it; and one address may stand for a whole office.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::request::Parts;
    /// use sse_tower::SseLayer;
    ///
    /// /// What a middleware further out has put into the extensions of the request.
    /// #[derive(Clone)]
    /// struct User {
    ///     id: u64,
    /// }
    ///
    /// let layer = SseLayer::new()
    ///     .max_streams_per(|parts: &Parts| Some(parts.extensions.get::<User>()?.id), 6)
    ///     .max_streams(10_000); // with those who are not logged in
    /// ```
    #[must_use]
    pub fn max_streams_per<K, F>(self, key: F, max: usize) -> Self
    where
        K: Eq + Hash + Clone + Send + Sync + 'static,
        F: Fn(&Parts) -> Option<K> + Send + Sync + 'static,
    {
        self.with(|shared| shared.caps.push(Arc::new(PerKey::new(key, max))))
    }

    /// Reads the id to resume after from these parameters of the query when there is no
    /// `Last-Event-ID` header, and writes the header from it. Default: none.
    ///
    /// For clients that cannot set headers, such as a page that opens an `EventSource` to go on
    /// where an earlier one stopped. Common names are `lastEventId` and `last_event_id`.
    #[must_use]
    pub fn last_event_id_query<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        self.with(|shared| shared.query = names)
    }

    /// Which clients are sent event streams. Default: all.
    #[must_use]
    pub fn accept(self, accept: Accept) -> Self {
        self.with(|shared| shared.accept = accept)
    }

    /// Tells `observer` of each stream, except those that were compressed further in. There may
    /// be several observers.
    #[must_use]
    pub fn observe(self, observer: impl Observe) -> Self {
        self.with(|shared| shared.observers.push(Arc::new(observer)))
    }

    /// How many streams are open under this layer and its clones.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.shared.registry.len()
    }

    /// Ends every stream that is open under this layer and its clones at once, as a
    /// [`Shutdown`] with [`Drain::EndNow`] would.
    ///
    /// Streams that open later are not affected. The server does not poll a stream whose client
    /// has stopped reading, so such a stream ends when the client reads on or leaves. A stream
    /// of another library whose event is under way has one second to complete it, then it ends
    /// with the event unfinished, which clients drop.
    pub fn end_streams(&self) {
        self.shared.registry.end_all();
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.with(|shared| change(shared.settings.change()))
    }

    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        change(Arc::make_mut(&mut self.shared));
        self
    }
}

impl fmt::Debug for SseLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseLayer")
            .field("settings", &self.shared.settings)
            .field("open_streams", &self.open_streams())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Default for SseLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for SseLayer {
    type Service = SseService<S>;

    fn layer(&self, inner: S) -> SseService<S> {
        SseService::new(inner, Arc::clone(&self.shared))
    }
}
