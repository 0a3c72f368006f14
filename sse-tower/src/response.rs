//! `Sse`, the response.

use std::fmt;
use std::marker::PhantomData;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use sse_core::{Event, IntoItem, SseEvent};

use crate::body::{BoxSource, EventSource, NativeBody};
use crate::ids::Ids;
use crate::layer::headers;
use crate::native::{Control, Plan};
use crate::settings::{KeepAlive, Retry, Settings};

/// A response that is a stream of events of the type `E`.
///
/// The type says which events there are and nothing else, so a handler can name it, whatever
/// stream and options are inside.
///
/// - Events that are ready together are sent together, until 8 KiB are full; nothing waits.
/// - The stream ends after a terminal event; what would come after it is dropped.
/// - An error of the stream, or an event that cannot be encoded, is logged and aborts the
///   body: the client sees a failure and an `EventSource` reconnects. Neither the error nor a
///   part of the event is sent.
/// - When the client leaves, the stream is dropped.
///
/// Without a layer it has its headers and the [keep-alive](KeepAlive) of 15 s already;
/// [`SseLayer`](crate::SseLayer) adds the rest.
///
/// The body is polled on a tokio runtime with its timer enabled, as under `axum::serve`.
///
/// # Examples
///
/// ```
/// use futures_util::stream;
/// use sse_tower::{Sse, SseEvent};
///
/// #[derive(SseEvent)]
/// enum Progress {
///     Step(u32),
///     #[sse(terminal)]
///     Done,
/// }
///
/// async fn progress() -> Sse<Progress> {
///     Sse::new(stream::iter([Progress::Step(1), Progress::Done]))
/// }
/// # let _ = axum::Router::<()>::new().route("/", axum::routing::get(progress));
/// ```
#[must_use = "a response does nothing unless it is returned"]
pub struct Sse<E = Event> {
    source: BoxSource,
    settings: Settings,
    event: PhantomData<fn() -> E>,
}

impl<E: SseEvent + 'static> Sse<E> {
    /// Sends the items of `stream`: events, or `Result`s of events.
    pub fn new<S>(stream: S) -> Self
    where
        S: Stream<Item: IntoItem<Event = E>> + Send + 'static,
    {
        Self {
            source: Box::pin(EventSource::new(stream)),
            settings: Settings::default(),
            event: PhantomData,
        }
    }

    /// Sets what is sent while the stream is silent.
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.settings.keep_alive = Some(Some(keep_alive));
        self
    }

    /// Sends nothing while the stream is silent.
    pub fn no_keep_alive(mut self) -> Self {
        self.settings.keep_alive = Some(None);
        self
    }

    /// Asks the client to wait this long before it reconnects.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.settings.retry = Some(retry);
        self
    }

    /// Gives events without an id one.
    ///
    /// It is an [`SseLayer`](crate::SseLayer) that tells [`Ids`] where the client continues.
    pub fn ids(mut self, ids: Ids) -> Self {
        self.settings.ids = Some(ids);
        self
    }

    /// Takes what is still open from `outer`.
    pub(crate) fn fill(mut self, outer: &Settings) -> Self {
        self.settings.fill(outer);
        self
    }
}

impl<E: SseEvent + 'static> IntoResponse for Sse<E> {
    fn into_response(self) -> Response {
        let control = Control::new(Plan {
            settings: self.settings,
            source: Some(self.source),
            ..Plan::default()
        });
        let mut response = Response::new(Body::new(NativeBody::new(control.clone())));
        headers::fill(response.headers_mut());
        response.extensions_mut().insert(control);
        response
    }
}

impl<E> fmt::Debug for Sse<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sse")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
