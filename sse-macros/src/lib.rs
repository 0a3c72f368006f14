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

/// Turns an `async fn` that returns a stream of events into a handler.
///
/// The function may return `impl Stream<Item = E>` or any named or boxed stream of events or
/// of `Result`s of events, or an `Sse<E>`, each also inside a `Result` or an `Option`, where
/// `None` is the answer 204. Its arguments are extractors, as in any handler.
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
/// # Options
///
/// | Option | Meaning |
/// |---|---|
/// | `keep_alive = "15s"` | a comment after this much silence |
/// | `keep_alive = false` | none, whatever the layer says |
/// | `keep_alive = <expr>` | a `KeepAlive` |
/// | `retry = "3s"` | how long clients wait before they reconnect |
/// | `retry = "2s..8s"` | a delay drawn from a range for each connection |
/// | `retry = <expr>` | a `Retry` |
/// | `crate = ::path` | where `sse_tower` is, should it have another name |
///
/// Durations are whole numbers with a unit: `ms`, `s`, `m` or `min`, `h`.
///
/// # Other attributes
///
/// Put them below this one. `#[instrument]` goes to the function itself, so that it sees its
/// arguments; all others, such as `#[axum::debug_handler]`, go to the handler around it.
#[proc_macro_attribute]
pub fn sse_handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    handler::attribute(arguments.into(), item.into()).into()
}
