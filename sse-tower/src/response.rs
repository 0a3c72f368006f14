//! `Sse`, the response.

use std::fmt;
use std::marker::PhantomData;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use http::HeaderMap;
use sse_core::{Block, BoxError, EncodeError, Event, IntoItem, SseEvent};
use tokio::time::Instant;

use crate::body::{BoxSource, ErrorAsEvent, EventSource, FailWith, FinishWith, NativeBody, Source};
use crate::emitter::{Emitter, Outcome, emitted};
use crate::ids::Ids;
use crate::keep_alive::KeepAlive;
use crate::layer::headers;
use crate::life::{Closed, OnClose, contained};
use crate::native::{Control, Plan};
use crate::retry::Retry;
use crate::settings::SharedSettings;
use crate::shutdown::Drain;

/// A response that is a stream of events of the type `E`.
///
/// The type depends on the events alone, so a handler can name it, whatever stream and options are
/// inside.
///
/// - Events that are ready together are sent together, until 8 KiB are full; nothing waits.
/// - The stream ends after a terminal event; what would come after it is dropped.
/// - An error of the stream, or an event that cannot be encoded, is logged and aborts the
///   body: the client sees a failure and an `EventSource` reconnects. Neither the error nor a
///   part of the event is sent.
/// - When the client leaves, the stream is dropped.
///
/// Without a layer it has its headers and a [keep-alive](KeepAlive) of 15 s. An
/// [`SseLayer`](crate::SseLayer) adds the rest, above all the end that browsers respect: without
/// a layer, they come back after a terminal event as well.
///
/// The body is polled on a tokio runtime with its timer enabled, as under `axum::serve`.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use futures_util::stream;
/// use sse_tower::{Sse, SseEvent, SseLayer};
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
///
/// let app: Router = Router::new().route("/progress", get(progress)).layer(SseLayer::new());
/// ```
#[must_use = "a response does nothing unless it is returned"]
pub struct Sse<E = Event> {
    source: BoxSource,
    /// Those of an upstream.
    headers: Option<Box<HeaderMap>>,
    settings: SharedSettings,
    expires: Option<Instant>,
    on_close: Option<OnClose>,
    event: PhantomData<fn() -> E>,
}

impl<E: SseEvent + 'static> Sse<E> {
    /// Sends the items of `stream`: events, or `Result`s of events.
    pub fn new<S>(stream: S) -> Self
    where
        S: Stream<Item: IntoItem<Event = E>> + Send + 'static,
    {
        Self::from_source(EventSource::new(stream))
    }

    /// Sends the events of `stream`; the first error becomes the last event.
    ///
    /// `to_event` decides what a client may know of the error. The body then ends as if it were
    /// complete, so make the event a [terminal](SseEvent::is_terminal) one, or browsers come back.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_util::stream;
    /// use sse_tower::{Sse, SseEvent};
    ///
    /// #[derive(SseEvent)]
    /// enum Tail {
    ///     Line(String),
    ///     #[sse(terminal)]
    ///     Failed { reason: &'static str },
    /// }
    ///
    /// let lines = stream::iter([Ok(Tail::Line("a".into())), Err(std::io::ErrorKind::NotFound)]);
    /// let response = Sse::with_error(lines, |error| {
    ///     eprintln!("{error}"); // for us
    ///     Tail::Failed { reason: "the log is gone" } // for the client
    /// });
    /// ```
    pub fn with_error<S, X, F>(stream: S, to_event: F) -> Self
    where
        S: Stream<Item = Result<E, X>> + Send + 'static,
        F: FnMut(X) -> E + Send + 'static,
    {
        Self::from_source(ErrorAsEvent::new(stream, to_event))
    }

    /// Sends what `function` emits while it runs inside the response.
    ///
    /// Its error, if it returns one, is an error of the stream. See [`Emitter`].
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_tower::{Event, Sse};
    ///
    /// let response = Sse::emit(async |events| {
    ///     for n in 0..3 {
    ///         events.emit(Event::named("tick").data(n.to_string())).await?;
    ///     }
    ///     Ok::<_, sse_tower::EmitError>(())
    /// });
    /// ```
    pub fn emit<F, O>(function: impl FnOnce(Emitter<E>) -> F) -> Self
    where
        E: Send,
        F: Future<Output = O> + Send + 'static,
        O: Outcome<Error: Into<BoxError> + Send + 'static>,
    {
        Self::new(emitted(function))
    }

    pub(crate) fn from_source(source: impl Source + 'static) -> Self {
        Self {
            source: Box::pin(source),
            headers: None,
            settings: SharedSettings::default(),
            expires: None,
            on_close: None,
            event: PhantomData,
        }
    }

    /// Sends `event` when the stream ends without a terminal event, such as the `[DONE]` of
    /// language models. It is not sent after an error.
    pub fn finish_with(mut self, event: impl SseEvent + Send + 'static) -> Self {
        self.source = Box::pin(FinishWith::new(self.source, event));
        self
    }

    /// Sends an event in place of a failure: `to_event` makes the last event of the error, as with
    /// [`with_error`](Self::with_error), whatever the response was made of.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures_util::stream;
    /// use sse_tower::{Event, Sse};
    ///
    /// let lines = stream::iter([Ok(Event::new().data("a")), Err(std::io::Error::other("b"))]);
    /// let response = Sse::new(lines).fail_with(|error| {
    ///     eprintln!("{error}"); // for us
    ///     Event::named("failed").data("the log is gone") // for the client
    /// });
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let response = axum::response::IntoResponse::into_response(response);
    /// # let body = axum::body::to_bytes(response.into_body(), 1024).await?;
    /// # assert_eq!(body, "data: a\n\nevent: failed\ndata: the log is gone\n\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail_with<F, X>(mut self, to_event: F) -> Self
    where
        F: FnMut(BoxError) -> X + Send + 'static,
        X: SseEvent + 'static,
    {
        self.source = Box::pin(FailWith::new(self.source, to_event));
        self
    }

    /// Sets what is sent while the stream is silent.
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.settings.change().keep_alive = Some(Some(keep_alive));
        self
    }

    /// Sends nothing while the stream is silent.
    pub fn no_keep_alive(mut self) -> Self {
        self.settings.change().keep_alive = Some(None);
        self
    }

    /// Asks the client to wait this long before it reconnects.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.settings.change().retry = Some(retry);
        self
    }

    /// Gives an id to events without one.
    ///
    /// Only under an [`SseLayer`](crate::SseLayer) do [`Ids`] know where the client goes on; that it
    /// is sent what it missed is up to the handler.
    pub fn ids(mut self, ids: Ids) -> Self {
        self.settings.change().ids = Some(ids);
        self
    }

    /// Ends the stream at this moment, between two events, because the client's permission ends
    /// then, such as that of an access token.
    ///
    /// The client is asked to come back, with the id it has seen, and is then let in or not. The
    /// server does not poll the stream of a client that has **stopped reading**, so that ends only
    /// when the client reads on; see [`Shutdown`](crate::Shutdown#what-a-layer-cannot-do).
    pub fn end_at(mut self, at: std::time::Instant) -> Self {
        let at = at.into();
        self.expires = Some(self.expires.map_or(at, |earlier| earlier.min(at)));
        self
    }

    /// How the stream ends at a [`Shutdown`](crate::Shutdown).
    pub fn drain(mut self, drain: Drain) -> Self {
        self.settings.change().drain = Some(drain);
        self
    }

    /// Sends `event` last when the stream is ended by a [`Shutdown`](crate::Shutdown).
    ///
    /// # Errors
    ///
    /// Returns an error if the event cannot be encoded.
    pub fn goodbye(mut self, event: &E) -> Result<Self, EncodeError> {
        self.settings.change().goodbye = Some(Block::encode(event)?);
        Ok(self)
    }

    /// Calls `f` when the stream is over, whatever the reason, even if it was never sent.
    ///
    /// It is called from within the body, so it must not block; to do more, let it spawn a
    /// task. Functions of several calls all run, in the order of the calls; a panic of one is
    /// logged and goes no further.
    pub fn on_close(mut self, f: impl FnOnce(Closed) + Send + 'static) -> Self {
        self.on_close = Some(match self.on_close {
            None => Box::new(f),
            Some(first) => Box::new(move |closed| {
                contained(|| first(closed.clone()));
                f(closed);
            }),
        });
        self
    }

    /// Begins with these headers.
    pub(crate) fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = Some(Box::new(headers));
        self
    }

    /// Ends the stream at this moment, if there is one.
    pub(crate) fn expires(mut self, at: Option<Instant>) -> Self {
        self.expires = at;
        self
    }

    /// Takes what is still open from `outer`.
    pub(crate) fn fill(mut self, outer: &SharedSettings) -> Self {
        self.settings.fill(outer);
        self
    }
}

impl<E: SseEvent + 'static> IntoResponse for Sse<E> {
    fn into_response(self) -> Response {
        let control = Control::new(Plan {
            settings: self.settings,
            source: Some(self.source),
            expires: self.expires,
            on_close: self.on_close,
            ..Plan::default()
        });
        let body = NativeBody::new(control.clone());
        let mut response = Response::new(Body::new(body));
        if let Some(headers) = self.headers {
            *response.headers_mut() = *headers;
        }
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
