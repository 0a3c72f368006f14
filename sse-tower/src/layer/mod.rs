//! `SseLayer`: what a stream needs around its events, for any service and any body.

mod future;
pub(crate) mod headers;
mod service;

use std::sync::Arc;

use tower_layer::Layer;

pub use self::future::{ResponseFuture, SseBody};
pub use self::service::SseService;
use crate::ids::Ids;
use crate::registry::Registry;
use crate::settings::{KeepAlive, Retry, Settings};

/// Gives every event stream that passes through what it needs to survive outside.
///
/// It knows a stream of ours by an extension of the response, and any other by its status 200
/// and the content type `text/event-stream`. Everything else passes untouched, and so does
/// the body of a stream that is compressed already. What it does by default:
///
/// - a [keep-alive](KeepAlive) comment after 15 s of silence,
/// - the headers `Cache-Control: no-cache, no-store, no-transform`, `X-Accel-Buffering: no`
///   and `X-Content-Type-Options: nosniff`; a `Content-Length` is removed,
/// - a first line at once, because headers and proxies wait for one,
/// - the end that browsers respect: after a terminal event of [`Sse`](crate::Sse), a client
///   that said `Accept: text/event-stream` on a GET is sent a last event named
///   [`sse-tower:end`](crate::END_ID), and when it comes back with that id, the answer is 204.
///   An `EventSource` then stops, without any code in the page, one reconnection delay after
///   the event.
///
/// Put `CorsLayer` and `TraceLayer` outside of it, because it answers some requests itself:
/// those past the end, whatever their route.
///
/// Bodies are polled on a tokio runtime with its timer enabled, as under `axum::serve`.
///
/// Layers may be nested: what an inner one decides stays, what it leaves open the outer one
/// decides.
///
/// # Examples
///
/// A handler that uses axum's own response gains all of this unchanged:
///
/// ```
/// use std::convert::Infallible;
/// use std::time::Duration;
/// use axum::{Router, response::sse, routing::get};
/// use futures_util::{Stream, stream};
/// use sse_tower::{Ids, Retry, SseLayer};
///
/// async fn ticks() -> sse::Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
///     sse::Sse::new(stream::iter([Ok(sse::Event::default().data("tick"))]))
/// }
///
/// let layer = SseLayer::new()
///     .retry(Retry::between(Duration::from_secs(2), Duration::from_secs(8)))
///     .ids(Ids::sequence());
/// let app: Router = Router::new().route("/ticks", get(ticks)).layer(layer);
/// ```
#[derive(Clone, Debug)]
pub struct SseLayer {
    shared: Arc<Shared>,
}

/// What the clones of a layer share: routers call [`Layer::layer`] once for each route.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) registry: Arc<Registry>,
}

impl SseLayer {
    /// A layer with the defaults above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                settings: Settings::default(),
                registry: Arc::default(),
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

    /// Gives events without an id one. Default: none.
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

    /// How many streams are open under this layer and its clones.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.shared.registry.len()
    }

    /// Ends every stream that is open under this layer and its clones, each after the event
    /// that it is sending.
    ///
    /// Clients that reconnect by themselves come back. To any other the body ended as if it
    /// were complete, so such a client must wait for a terminal event to know that it was.
    /// Streams that open later are not affected. The server does not poll a stream whose client
    /// has stopped reading, so such a stream ends when the client reads on or leaves.
    pub fn end_streams(&self) {
        self.shared.registry.end_all();
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut Arc::make_mut(&mut self.shared).settings);
        self
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
