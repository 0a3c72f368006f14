//! What `#[sse_handler]` expands to.
//!
//! Several calls, so that each mistake has a message of its own: [`send`] wants a future that
//! may cross threads, [`start`] something that can be a stream of events, and [`build`] items
//! that are events. With `on_error` there are [`fallible`], which wants errors, and
//! [`build_with_error`]; what a function emits goes to [`build_emitted`].

use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use sse_core::{BoxError, IntoItem, SseEvent};

use crate::emitter::{Emitted, Outcome};
use crate::ids::Ids;
use crate::keep_alive::KeepAlive;
use crate::response::Sse;
use crate::retry::Retry;
use crate::settings::SharedSettings;
use crate::shutdown::Drain;

/// The options of the attribute; those of the handler itself win.
#[derive(Debug, Default)]
pub struct HandlerOptions(SharedSettings);

impl HandlerOptions {
    /// Nothing decided.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `keep_alive = …`
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.0.change().keep_alive = Some(Some(keep_alive));
        self
    }

    /// `keep_alive = false`
    #[must_use]
    pub fn no_keep_alive(mut self) -> Self {
        self.0.change().keep_alive = Some(None);
        self
    }

    /// `retry = …`
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.change().retry = Some(retry);
        self
    }

    /// `ids = …`
    #[must_use]
    pub fn ids(mut self, ids: Ids) -> Self {
        self.0.change().ids = Some(ids);
        self
    }

    /// `drain = …`
    #[must_use]
    pub fn drain(mut self, drain: Drain) -> Self {
        self.0.change().drain = Some(drain);
        self
    }
}

/// The future of the handler, which a server runs on any thread.
pub fn send<F: Future + Send>(future: F) -> F {
    future
}

/// What a handler returned: events, or another answer.
#[derive(Debug)]
pub enum Started<T> {
    /// A stream, or an [`Sse`].
    Events(T),
    /// The `Err` of a `Result`, or 204 for `None`.
    Answer(Response),
}

impl<T> Started<T> {
    #[expect(clippy::result_large_err, reason = "the response goes out as it is")]
    fn into_sse<E>(self, build: impl FnOnce(T) -> Sse<E>) -> Result<Sse<E>, Response> {
        match self {
            Self::Events(events) => Ok(build(events)),
            Self::Answer(response) => Err(response),
        }
    }
}

/// Something that an `#[sse_handler]` function may return.
///
/// `M` tells the forms apart, because a type could have several of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be returned from an `#[sse_handler]` function",
    label = "not a stream of events",
    note = "return `impl Stream<Item = Event>`, `Sse<Event>`, or an `Option` or a `Result` of one whose error implements `IntoResponse`"
)]
pub trait IntoSse<M> {
    /// The stream, or the [`Sse`].
    type Events;

    /// Takes the form apart.
    fn into_sse(self) -> Started<Self::Events>;
}

#[diagnostic::do_not_recommend]
impl<S: Stream> IntoSse<form::Stream> for S {
    type Events = S;

    fn into_sse(self) -> Started<S> {
        Started::Events(self)
    }
}

impl<E> IntoSse<form::Sse> for Sse<E> {
    type Events = Self;

    fn into_sse(self) -> Started<Self> {
        Started::Events(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoSse<M>, R, M> IntoSse<form::Result<M>> for Result<T, R>
where
    // Not `R: IntoResponse`: axum's own `ErrorResponse` is a response only as an `Err`.
    Result<(), R>: IntoResponse,
{
    type Events = T::Events;

    fn into_sse(self) -> Started<T::Events> {
        match self {
            Ok(events) => events.into_sse(),
            Err(error) => Started::Answer(Err::<(), R>(error).into_response()),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoSse<M>, M> IntoSse<form::Option<M>> for Option<T> {
    type Events = T::Events;

    fn into_sse(self) -> Started<T::Events> {
        match self {
            Some(events) => events.into_sse(),
            // "Stop reconnecting" to an `EventSource`; a cache might keep it otherwise.
            None => {
                let no_store = [(CACHE_CONTROL, "no-store")];
                Started::Answer((StatusCode::NO_CONTENT, no_store).into_response())
            }
        }
    }
}

/// The forms of [`IntoSse`].
pub mod form {
    use std::marker::PhantomData;

    /// A stream of events.
    #[derive(Debug)]
    pub struct Stream;
    /// The response itself.
    #[derive(Debug)]
    pub struct Sse;
    /// A `Result` of another form.
    #[derive(Debug)]
    pub struct Result<M>(PhantomData<M>);
    /// An `Option` of another form.
    #[derive(Debug)]
    pub struct Option<M>(PhantomData<M>);
}

/// Takes what the handler returned.
pub fn start<T: IntoSse<M>, M>(returned: T) -> Started<T::Events> {
    returned.into_sse()
}

/// Events that can become the response.
pub trait Build {
    /// The type of the events.
    type Event: SseEvent + 'static;

    /// The response.
    fn build(self) -> Sse<Self::Event>;
}

impl<S> Build for S
where
    S: Stream<Item: IntoItem<Event: 'static>> + Send + 'static,
{
    type Event = <S::Item as IntoItem>::Event;

    fn build(self) -> Sse<Self::Event> {
        Sse::new(self)
    }
}

impl<E: SseEvent + 'static> Build for Sse<E> {
    type Event = E;

    fn build(self) -> Self {
        self
    }
}

/// Turns events into the response.
///
/// # Errors
///
/// Returns the answer of a handler that has no events.
#[expect(clippy::result_large_err, reason = "the response goes out as it is")]
pub fn build<T: Build>(started: Started<T>) -> Result<Sse<T::Event>, Response> {
    started.into_sse(Build::build)
}

/// The error of a function with an `Emitter`, for which there is no `on_error`.
#[diagnostic::on_unimplemented(
    message = "a function with an `Emitter` cannot fail with `{Self}`: it is not an error",
    label = "its error is not an `Error`",
    note = "implement `std::error::Error` for it, or let it become the last event: `#[sse_handler(on_error = |error| Event::Failed)]`"
)]
pub trait Failure: Into<BoxError> {}

#[diagnostic::do_not_recommend]
impl<X: Into<BoxError>> Failure for X {}

/// As [`build`], of what a function emits.
///
/// # Errors
///
/// As [`build`].
#[expect(clippy::result_large_err, reason = "the response goes out as it is")]
pub fn build_emitted<E, F, O>(started: Started<Emitted<E, F, O::Error>>) -> Result<Sse<E>, Response>
where
    E: SseEvent + Send + 'static,
    F: Future<Output = O> + Send + 'static,
    O: Outcome<Error: Failure + Send + 'static>,
{
    started.into_sse(Sse::new)
}

/// Something whose errors `on_error` can map: a stream of `Result`s.
#[diagnostic::on_unimplemented(
    message = "`on_error` has nothing to do: `{Self}` is not a stream of `Result`s",
    label = "there is no error to map",
    note = "return `impl Stream<Item = Result<Event, Error>>`; an `Sse` maps its errors in `Sse::with_error`"
)]
pub trait Fallible {
    /// The same stream.
    type Events;

    /// The same stream.
    fn into_events(self) -> Self::Events;
}

#[diagnostic::do_not_recommend]
impl<S: Stream<Item: ResultItem<S>>> Fallible for S {
    type Events = <S::Item as ResultItem<S>>::Events;

    fn into_events(self) -> Self::Events {
        S::Item::events(self)
    }
}

/// An item of the stream `S` that may be an error.
///
/// It passes the stream on, so that one of other items has no type afterwards, and thus no
/// second mistake.
pub trait ResultItem<S> {
    /// The same stream.
    type Events;

    /// The same stream.
    fn events(stream: S) -> Self::Events;
}

impl<S, E, X> ResultItem<S> for Result<E, X> {
    type Events = S;

    fn events(stream: S) -> S {
        stream
    }
}

/// Makes sure that there is something to do for `on_error`.
pub fn fallible<T: Fallible>(started: Started<T>) -> Started<T::Events> {
    match started {
        Started::Events(events) => Started::Events(events.into_events()),
        Started::Answer(response) => Started::Answer(response),
    }
}

/// As [`build`], with `on_error = …`
///
/// # Errors
///
/// As [`build`].
#[expect(clippy::result_large_err, reason = "the response goes out as it is")]
pub fn build_with_error<S, E, X, F>(started: Started<S>, to_event: F) -> Result<Sse<E>, Response>
where
    S: Stream<Item = Result<E, X>> + Send + 'static,
    E: SseEvent + 'static,
    F: FnMut(X) -> E + Send + 'static,
{
    started.into_sse(|events| Sse::with_error(events, to_event))
}

/// `finish = …`
///
/// # Errors
///
/// Returns the answer of a handler that has no events.
#[expect(clippy::result_large_err, reason = "the response goes out as it is")]
pub fn finish<E: SseEvent + 'static>(
    built: Result<Sse<E>, Response>,
    event: impl SseEvent + Send + 'static,
) -> Result<Sse<E>, Response> {
    built.map(|sse| sse.finish_with(event))
}

/// Adds the options of the attribute.
#[expect(
    clippy::needless_pass_by_value,
    reason = "generated code builds the options in place"
)]
pub fn respond<E: SseEvent + 'static>(
    built: Result<Sse<E>, Response>,
    options: HandlerOptions,
) -> Response {
    match built {
        Ok(sse) => sse.fill(&options.0).into_response(),
        Err(response) => response,
    }
}
