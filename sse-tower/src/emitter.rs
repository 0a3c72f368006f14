//! `Emitter`: events that are pushed instead of pulled.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;
use tokio::sync::mpsc;

/// Sends events into a stream, one at a time.
///
/// [`#[sse_handler]`](crate::sse_handler) gives one to a function with such an argument, and
/// [`Sse::emit`](crate::Sse::emit) to a function of your own. The function runs inside the
/// response: it goes on only while the client reads, and is dropped when the client leaves. The
/// stream ends when the function has returned and every clone is gone.
///
/// A terminal event ends the stream too, and no client is kept waiting for what comes behind it:
/// the function is dropped where it waits next. What has to be done in any case, such as noting
/// that the job is done, comes before that event, or goes into a task of its own.
///
/// # Examples
///
/// ```
/// use axum::extract::Path;
/// use axum::{Router, routing::get};
/// use sse_tower::{EmitError, Emitter, SseEvent, sse_handler};
///
/// #[derive(SseEvent)]
/// enum Step {
///     Running { name: &'static str },
///     #[sse(terminal)]
///     Done,
/// }
///
/// #[sse_handler]
/// async fn steps(tx: Emitter<Step>, Path(job): Path<u32>) -> Result<(), EmitError> {
///     for name in ["fetch", "build"] {
///         tx.emit(Step::Running { name }).await?;
///         // … do it …
///     }
///     tx.emit(Step::Done).await
/// }
///
/// let app: Router = Router::new().route("/jobs/{job}", get(steps));
/// ```
pub struct Emitter<E>(mpsc::Sender<E>);

impl<E> Emitter<E> {
    /// Hands over `event`; waits while the one before it has not been taken.
    ///
    /// # Errors
    ///
    /// Returns an error if the stream is over: the client left, or a terminal event was sent.
    /// A function inside the response rarely sees it, because it is dropped then.
    pub async fn emit(&self, event: E) -> Result<(), EmitError> {
        self.0.send(event).await.map_err(|_| EmitError(()))
    }

    /// Waits until the stream is over. For tasks of their own, which are not dropped with it.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

impl<E> Clone for Emitter<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E> fmt::Debug for Emitter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").finish_non_exhaustive()
    }
}

/// The stream of an [`Emitter`] is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmitError(());

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event stream is over")
    }
}

impl Error for EmitError {}

/// What a function with an [`Emitter`] returns: nothing, or a `Result` of nothing.
#[diagnostic::on_unimplemented(
    message = "a function with an `Emitter` cannot return `{Self}`",
    label = "not `()` and not a `Result<(), _>`",
    note = "its events go through the emitter, so it returns nothing, or an error"
)]
pub trait Outcome {
    /// Why it failed.
    type Error;

    /// The outcome as a `Result`.
    ///
    /// # Errors
    ///
    /// Returns the error of the function.
    fn into_result(self) -> Result<(), Self::Error>;
}

impl Outcome for () {
    type Error = Infallible;

    fn into_result(self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl<X> Outcome for Result<(), X> {
    type Error = X;

    fn into_result(self) -> Self {
        self
    }
}

pin_project! {
    /// The events that a function emits while it runs.
    pub struct Emitted<E, F, X> {
        events: mpsc::Receiver<E>,
        #[pin]
        function: Option<F>,
        error: Option<X>,
    }
}

/// The stream of what `function` emits.
pub fn emitted<E, F, O>(function: impl FnOnce(Emitter<E>) -> F) -> Emitted<E, F, O::Error>
where
    F: Future<Output = O>,
    O: Outcome,
{
    // One, so that the function runs no further ahead than the client reads.
    let (sender, events) = mpsc::channel(1);
    Emitted {
        events,
        function: Some(function(Emitter(sender))),
        error: None,
    }
}

impl<E, F, O> Stream for Emitted<E, F, O::Error>
where
    F: Future<Output = O>,
    O: Outcome,
{
    type Item = Result<E, O::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if let Some(function) = this.function.as_mut().as_pin_mut()
            && let Poll::Ready(outcome) = function.poll(cx)
        {
            this.function.set(None);
            if let Err(error) = outcome.into_result() {
                *this.error = Some(error);
                // Clones may live on elsewhere; what was emitted before still goes out.
                this.events.close();
            }
        }
        match ready!(this.events.poll_recv(cx)) {
            Some(event) => Poll::Ready(Some(Ok(event))),
            // Every clone is gone; what it does now may still fail.
            None if this.function.is_some() => Poll::Pending,
            None => Poll::Ready(this.error.take().map(Err)),
        }
    }
}

impl<E, F, X> fmt::Debug for Emitted<E, F, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitted").finish_non_exhaustive()
    }
}
