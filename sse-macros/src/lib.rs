//! The derives and the handler attribute of `sse-tower`. Use them from there, or from
//! `sse-tower-core` where there is no server.

mod duration;
mod errors;
mod event;
mod handler;
#[cfg(test)]
mod snapshot;
mod spans;
mod words;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input, parse_quote};

use event::Side;

#[doc = include_str!("derive.md")]
#[proc_macro_derive(SseEvent, attributes(sse, serde))]
pub fn sse_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input, Side::Write, parse_quote!(::sse_core)).into()
}

// Hidden here, but `sse-tower` shows it as its `SseEvent`.
#[doc(hidden)]
#[doc = include_str!("derive.md")]
#[proc_macro_derive(__SseEventTower, attributes(sse, serde))]
pub fn sse_event_tower(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input, Side::Write, parse_quote!(::sse_tower)).into()
}

/// Reads server-sent events as the variants of an enum.
///
/// The other direction of [`SseEvent`](derive@SseEvent), on whose page the attributes and the
/// rules of reading are; neither needs the other.
///
/// ```
/// use sse_core::{Decoder, FromSseEvent};
///
/// #[derive(FromSseEvent, Debug, PartialEq)]
/// #[sse(tag = "type")]
/// enum Upstream {
///     Delta { index: u32, text: String },
///     #[sse(other)]
///     Other,
/// }
///
/// let mut decoder = Decoder::new();
/// decoder.push(b"event: delta\ndata: {\"type\":\"delta\",\"index\":0,\"text\":\"Hi\"}\n\n");
/// let event = decoder.next_event()?.expect("a whole event");
/// assert_eq!(Upstream::from_event(&event)?, Upstream::Delta { index: 0, text: "Hi".into() });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[proc_macro_derive(FromSseEvent, attributes(sse, serde))]
pub fn from_sse_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input, Side::Read, parse_quote!(::sse_core)).into()
}

// Hidden here, but `sse-tower` shows it as its `FromSseEvent`.
#[doc(hidden)]
/// As `FromSseEvent`, for those who depend on `sse-tower`; [`SseEvent`](derive@__SseEventTower)
/// has the attributes and the rules of reading.
#[proc_macro_derive(__FromSseEventTower, attributes(sse, serde))]
pub fn from_sse_event_tower(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input, Side::Read, parse_quote!(::sse_tower)).into()
}

/// Turns an `async fn` that returns or emits events into a handler.
///
/// The function may return `impl Stream<Item = E>` or any named or boxed stream of events or
/// of `Result`s of events, or an `Sse<E>`, each also inside a `Result` or an `Option`, where
/// `None` is the answer 204, "stop reconnecting". Its arguments are extractors, as in any
/// handler.
///
/// ```
/// # use axum::{Router, extract::Path, routing::get};
/// # use futures_util::{Stream, stream};
/// # use sse_tower::SseEvent;
/// # use sse_macros::sse_handler;
/// # #[derive(SseEvent)]
/// # enum Count { Number(u32) }
/// #[sse_handler(keep_alive = "15s", retry = "2s..8s")]
/// async fn count(Path(to): Path<u32>) -> impl Stream<Item = Count> {
///     stream::iter((0..to).map(Count::Number))
/// }
///
/// let app: Router = Router::new().route("/count/{to}", get(count));
/// ```
///
/// A function with an argument of the type `Emitter<E>` pushes its events instead. It runs
/// inside the response, goes on only while the client reads, and is dropped when the client
/// leaves. It returns nothing, or a `Result<(), X>` whose error aborts the body, since the
/// status has been sent by then. A terminal event drops it where it waits next: what has to be
/// done in any case comes before that event, or goes into a task of its own.
///
/// ```
/// # use axum::{Router, Json, routing::post};
/// # use sse_tower::{EmitError, Emitter, SseEvent};
/// # use sse_macros::sse_handler;
/// # #[derive(SseEvent)]
/// # enum Step { Running { name: String } }
/// #[sse_handler]
/// async fn steps(tx: Emitter<Step>, Json(plan): Json<Vec<String>>) -> Result<(), EmitError> {
///     for name in plan {
///         tx.emit(Step::Running { name }).await?;
///         // … do it …
///     }
///     Ok(())
/// }
///
/// let app: Router = Router::new().route("/steps", post(steps));
/// ```
///
/// # Options
///
/// | Option | Meaning | Default |
/// |---|---|---|
/// | `keep_alive = "15s"` | a comment after this much silence | that of the layer, else 15 s |
/// | `keep_alive = false` | none, whatever the layer says | |
/// | `keep_alive = <expr>` | a `KeepAlive` | |
/// | `retry = "3s"` | how long clients wait before they reconnect | that of the layer, else no hint |
/// | `retry = "2s..8s"` | a delay drawn from a range for each connection | |
/// | `retry = <expr>` | a `Retry` | |
/// | `ids = <expr>` | `Ids` for events that have none; to go on after them is up to the function | those of the layer, else none |
/// | `finish = <expr>` | the last event of a stream that ends without a terminal one | none |
/// | `on_error = <closure>` | turns the error of the stream or the function into the last event | the body is aborted |
/// | `drain = "30s"` | how long the stream may go on once a `Shutdown` has begun | that of the layer, else `Drain::ByMethod` |
/// | `drain = <expr>` | a `Drain` | |
/// | `crate = ::path` | path of `sse_tower`, if it is renamed | `::sse_tower` |
///
/// Durations are whole numbers with a unit: `ms`, `s`, `m` or `min`, `h`. What an `Sse` that
/// the function returns has set itself wins over these options. Expressions are evaluated for
/// each request, and do not see the arguments of the function.
///
/// ```
/// # use futures_util::{Stream, StreamExt, stream};
/// # use sse_tower::{Drain, Emitter, Ids, KeepAlive, Resume, SseEvent};
/// # use sse_macros::sse_handler;
/// use std::{io, time::Duration};
///
/// #[derive(SseEvent)]
/// enum Tail {
///     Line(String),
///     #[sse(terminal)]
///     End,
///     #[sse(terminal)]
///     Failed { reason: String },
/// }
///
/// impl Tail {
///     fn failed(error: io::Error) -> Self {
///         // What a client may know of it.
///         Self::Failed { reason: error.kind().to_string() }
///     }
/// }
///
/// #[sse_handler(
///     keep_alive = KeepAlive::every(Duration::from_secs(20)).comment("still here"),
///     retry = "3s",
///     ids = Ids::sequence(),
///     finish = Tail::End,
///     on_error = Tail::failed,
///     drain = "30s",
/// )]
/// async fn tail(resume: Resume<usize>) -> impl Stream<Item = io::Result<Tail>> {
///     let lines = [Ok(Tail::Line("a".into())), Err(io::ErrorKind::TimedOut.into())];
///     // The ids count the events, so a client that comes back has seen as many.
///     stream::iter(lines).skip(resume.after().unwrap_or(0))
/// }
///
/// #[sse_handler(
///     keep_alive = false,
///     retry = "2s..8s",
///     on_error = |error: io::Error| Tail::failed(error),
///     drain = Drain::Finish,
/// )]
/// async fn emitted(tx: Emitter<Tail>) -> Result<(), io::Error> {
///     let _ = tx.emit(Tail::Line("b".into())).await;
///     Err(io::ErrorKind::TimedOut.into())
/// }
/// # use axum::response::IntoResponse;
/// # use http_body_util::BodyExt;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
///
/// let body = tail(Resume::Fresh).await.into_response().into_body().collect().await?.to_bytes();
/// assert_eq!(
///     body,
///     "retry: 3000\nevent: line\nid: 1\ndata: \"a\"\n\n\
///      event: failed\nid: 2\ndata: {\"reason\":\"timed out\"}\n\n",
/// );
/// # let body = emitted().await.into_response().into_body().collect().await?.to_bytes();
/// # assert!(body.ends_with(b"event: failed\ndata: {\"reason\":\"timed out\"}\n\n"));
/// # Ok::<_, axum::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Other attributes
///
/// Put them below this one. `#[instrument]` goes to the function itself, so that it sees its
/// arguments; all others, such as `#[axum::debug_handler]`, go to the handler around it. A
/// handler that axum does not take, because an argument is no extractor, is explained by
/// `#[axum::debug_handler]`.
///
/// An `Emitter` is recognised by this name, so an alias of it is not.
#[proc_macro_attribute]
pub fn sse_handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    handler::attribute(arguments.into(), item.into()).into()
}
