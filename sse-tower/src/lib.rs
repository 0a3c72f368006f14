//! Typed server-sent events for tower and axum.
//!
//! - `#[derive(SseEvent)]` turns an enum into named events.
//! - [`Sse`] is the response: a stream of events of one type.
//! - [`sse_handler`] turns an `async fn` that returns or emits events into a handler.
//! - [`SseLayer`] looks after any `text/event-stream` response, ours or another library's:
//!   keep-alives and headers; retry hints, ids, limits and an orderly shutdown if you set them; and
//!   for ours the end that browsers respect.
//! - [`Resume`] and [`LastEventId`] tell a handler where its client left off.
//! - [`Topic`] is one log that many clients follow; [`DurableTopic`] outlives its process.
//! - [`ResumeLayer`] lets clients come back to the stream of any handler: the stream outlives the
//!   connection.
//! - [`progress()`] shows how far a job is, from its present state to its end.
//! - [`decode`] reads a stream of bytes as events, with `#[derive(FromSseEvent)]`.
//! - [`Sse::proxy`] passes on the event stream of an upstream, such as the answer of a language
//!   model; [`CoalesceExt::coalesce`] joins its deltas.
//!
//! # Examples
//!
//! ```
//! use axum::{Router, routing::get};
//! use futures_util::{Stream, stream};
//! use sse_tower::{Resume, SseEvent, SseLayer, sse_handler};
//!
//! #[derive(SseEvent)]
//! enum Count {
//!     Number { #[sse(id)] n: u64, square: u64 }, // event: number | id: 3 | data: {"square":9}
//!     #[sse(terminal)]
//!     Done, // the stream ends here, and browsers do not come back
//! }
//!
//! #[sse_handler(retry = "1s..3s")]
//! async fn count(resume: Resume<u64>) -> impl Stream<Item = Count> {
//!     let first = resume.after().map_or(0, |n| n.saturating_add(1));
//!     let numbers = (first..10).map(|n| Count::Number { n, square: n * n });
//!     stream::iter(numbers.chain([Count::Done]))
//! }
//!
//! let app: Router = Router::new().route("/count", get(count)).layer(SseLayer::new());
//! ```
//!
//! # How the parts fit
//!
//! A handler returns an [`Sse`]. Until its body is polled for the first time, every [`SseLayer`]
//! around it may fill in what the handler left open. The settings of the handler come first, then
//! those of `#[sse_handler]`, then those of the layers, from the inside out. A body that is not
//! ours is wrapped, and what the layer adds goes between its events.
//!
//! # Guides
//!
//! - [`guide::from_axum`]: for those who come from `axum::response::Sse`.
//! - [`guide::resuming`]: how clients come back without missing anything, across restarts and
//!   several processes.
//! - [`guide::ending`]: who ends a stream, and what the client sees.
//! - [`guide::proxies`]: what proxies and sockets need, and servers on loopback.
//! - [`guide::llm`]: how to stream the answer of a language model.
//! - [`guide::progress`]: how a page shows the progress of a job.
//! - [`guide::dialects`]: the attributes for given protocols, such as those of language models,
//!   MCP and htmx.
//! - `guide::following`: how a program follows a stream (feature `client`).
//!
//! # Logs
//!
//! Logs go through `tracing`. These names are stable:
//!
//! - the span `event_stream`, level debug, in which a stream is polled; once the stream is over, it
//!   has the fields `reason`, `events` and `bytes`,
//! - inside it the events `event stream opened` and `event stream closed`, level debug; the latter
//!   has the same fields and `age_ms`; `events` is missing where another library's stream was not
//!   counted, because neither was enabled when it began,
//! - `event stream failed`, level error, with the field `error` if the stream is ours; the error of
//!   another library's stream goes to the server as it is.
//!
//! Everything else, such as what went wrong with a store, a resumable run or the result of a job,
//! is for people to read, and its text may change.
//!
//! # Features
//!
//! None is on by default; each only adds API.
//!
//! - `client`: `client::EventSource`, which follows a stream and reconnects by itself; brings
//!   `reqwest`.
//! - `metrics`: `Metrics`, which reports the streams of a layer through the `metrics` facade.
//! - `redb`: `store::RedbStore`, which stores topics in a file.
//! - `sealed`: `SealKeys`, for ids that a client cannot make up.
//! - `store-contract`: `store::contract`, tests for stores of your own.
//! - `test-kit`: `testing::SseTest`, which reads the stream of a service in a test.
//! - `tokio-util`: a `Shutdown` from a `CancellationToken`.
//! - `uuid`: `Ids::uuid_v7`.

mod body;
#[cfg(feature = "client")]
pub mod client;
mod clock;
mod coalesce;
mod context;
mod decode;
mod emitter;
mod extract;
#[cfg(any(doc, doctest))]
pub mod guide;
mod handler;
mod ids;
mod keep_alive;
mod layer;
mod life;
#[cfg(feature = "metrics")]
mod metrics;
#[doc(hidden)]
pub mod native;
mod observe;
pub mod progress;
mod proxy;
mod registry;
mod remembered;
mod response;
mod resume;
mod retry;
mod settings;
mod shutdown;
mod signal;
pub mod store;
#[cfg(feature = "test-kit")]
pub mod testing;
pub mod topic;

#[doc(no_inline)]
pub use http::{HeaderName, StatusCode};
pub use sse_core::*;
#[doc(inline)]
pub use sse_macros::{
    __FromSseEventTower as FromSseEvent, __SseEventTower as SseEvent, sse_handler,
};

#[cfg(feature = "client")]
pub use crate::client::EventSource;
pub use crate::coalesce::{Coalesce, CoalesceExt};
pub use crate::decode::{Decode, IntoChunk, ReadError, decode};
pub use crate::emitter::{EmitError, Emitter};
pub use crate::extract::{LAST_EVENT_ID, LastEventId, LastEventIdRejection, Raw, Resume};
pub use crate::ids::{IdContext, Ids};
pub use crate::keep_alive::KeepAlive;
pub use crate::layer::{Accept, ResponseFuture, SseBody, SseLayer, SseService};
pub use crate::life::{CloseReason, Closed};
#[cfg(feature = "metrics")]
pub use crate::metrics::Metrics;
pub use crate::observe::Observe;
#[doc(inline)]
pub use crate::progress::{
    Counted, Jobs, NoJob, NotStarted, Progress, ProgressReporter, ProgressStream, ProgressTask,
    TaskState, progress,
};
pub use crate::proxy::NoEventStream;
pub use crate::response::Sse;
pub use crate::resume::{ResumeLayer, ResumeService, RunEvents, RunGap, RunKey, ScopedRunKey};
pub use crate::retry::{Load, Retry};
pub use crate::shutdown::{Drain, Shutdown};
#[doc(inline)]
pub use crate::topic::{
    CombineError, Combined, Cursors, CursorsError, DurableError, DurableTopic, Hub, Lag, Lagged,
    Missed, Subscription, Topic, TopicClosed,
};
#[cfg(feature = "sealed")]
#[doc(inline)]
pub use crate::topic::{Seal, SealKeys, Sealed, SealedError};
#[doc(inline)]
pub use sse_core::log::AppendError as PublishError;

/// What generated code may name. Exempt from semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use sse_core::__private::*;

    pub use crate::emitter::{Emitted, Outcome, emitted};
    pub use crate::handler::{
        Build, Failure, Fallible, HandlerOptions, IntoSse, ResultItem, Started, build,
        build_emitted, build_with_error, fallible, finish, form, respond, send, start,
    };
    pub use crate::keep_alive::KeepAlive;
    pub use crate::retry::Retry;
    pub use crate::shutdown::Drain;
    pub use axum_core::response::IntoResponse;
}

/// The code of the README, so that it is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
