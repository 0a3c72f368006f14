//! The derives and the handler attribute of `sse-tower`. Use them from there, or from
//! `sse-tower-core` where there is no server.

mod errors;
mod event;
mod handler;
mod spans;
mod words;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input, parse_quote};

/// Makes an enum a set of server-sent events: one per variant.
#[proc_macro_derive(SseEvent, attributes(sse, serde))]
pub fn sse_event(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input, parse_quote!(::sse_core)).into()
}

/// `SseEvent` as `sse-tower` exports it: generated code names that crate.
#[doc(hidden)]
#[proc_macro_derive(__SseEventTower, attributes(sse, serde))]
pub fn sse_event_tower(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    event::derive(&input, parse_quote!(::sse_tower)).into()
}

/// Turns an `async fn` that returns a stream of events into a handler.
#[proc_macro_attribute]
pub fn sse_handler(arguments: TokenStream, item: TokenStream) -> TokenStream {
    handler::attribute(arguments.into(), item.into()).into()
}
