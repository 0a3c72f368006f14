//! What `#[sse_handler]` expands to.
//!
//! Three calls, so that each mistake has a message of its own: [`send`] wants a future that
//! may cross threads, [`start`] something that can be a stream of events, and [`build`] items
//! that are events.

use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use http::StatusCode;
use sse_core::{IntoItem, SseEvent};

use crate::keep_alive::KeepAlive;
use crate::response::Sse;
use crate::retry::Retry;
use crate::settings::Settings;

/// The options of the attribute; those of the handler itself win.
#[derive(Debug, Default)]
pub struct HandlerOptions(Settings);

impl HandlerOptions {
    /// Nothing decided.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `keep_alive = …`
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: KeepAlive) -> Self {
        self.0.keep_alive = Some(Some(keep_alive));
        self
    }

    /// `keep_alive = false`
    #[must_use]
    pub fn no_keep_alive(mut self) -> Self {
        self.0.keep_alive = Some(None);
        self
    }

    /// `retry = …`
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = Some(retry);
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
            // "Stop reconnecting" to an `EventSource`.
            None => Started::Answer(StatusCode::NO_CONTENT.into_response()),
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
    match started {
        Started::Events(events) => Ok(events.build()),
        Started::Answer(response) => Err(response),
    }
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
