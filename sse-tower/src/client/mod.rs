//! Following a stream from Rust: [`EventSource`], which comes back by itself.
//!
//! [`EventSource::get`] and [`EventSource::post`] describe a request,
//! [`start`](EventSourceBuilder::start) makes a `Stream` of typed events of it. Nothing runs in
//! the background: the connection is opened when the stream is first polled, and dropping the
//! stream closes it.
//!
//! # What happens when
//!
//! | What happens | GET, or [idempotent](EventSourceBuilder::idempotent) | POST |
//! |---|---|---|
//! | a [terminal](crate::FromSseEvent::ends_stream) event, or 204 | the end | the end |
//! | the server ends the stream | comes back with the newest id | the end |
//! | the connection breaks, or is [silent](EventSourceBuilder::watchdog) | comes back with the newest id | the error, then the end |
//! | no connection; 408, 425, 429, 503 | comes back | comes back |
//! | any other 5xx | comes back | the error, then the end |
//! | any other status, another content type, a redirect that is not followed, a [limit](EventSourceBuilder::limits) | the error, then the end | the same |
//! | an event that does not parse | the error, then the next event | the same |
//!
//! So a POST, which may have done something, is sent again only where the server cannot have
//! acted on it.
//!
//! An `id` counts from the empty line of its block on, also where the block has no data. It is
//! sent to the origin that it came from and to no other; an id that cannot stand in a header,
//! because of a control character or more than 16 KiB, is left out. How long the stream waits
//! before it comes back is up to [`Backoff`].
//!
//! Browsers give up for good at any status but 200, and wait for as long as `retry` says: Chromium
//! exactly, also if that is 0. [`as_browsers_do`] is the same here; [`retry_if`](EventSourceBuilder::retry_if) chooses other statuses than those of the table.
//!
//! [`as_browsers_do`]: EventSourceBuilder::as_browsers_do
//!
//! # The HTTP client
//!
//! [`Http`] wraps a [`reqwest::ClientBuilder`]: it brings TLS, proxies and HTTP/2, most
//! programs have it already, and a dead peer is noticed by the TCP keep-alive that it turns on.
//! This crate turns none of its features on. For `https` depend on `reqwest` and choose a TLS
//! feature of it. Redirects are followed here, since reqwest keeps `Last-Event-ID` and
//! credentials in headers of their own, such as `X-Api-Key`, when it follows one to another
//! origin. That cannot be changed for a client that is built, so a builder is asked for. To
//! another origin a redirect is followed only if [`Http::across_origins`] says so.
//! [`Http::from_service`] takes any tower service instead.

mod backoff;
mod builder;
mod connect;
mod error;
mod http;
mod source;
mod state;
mod watchdog;

#[doc(no_inline)]
pub use axum_core::body::Body;
#[doc(no_inline)]
pub use reqwest;

pub use self::backoff::Backoff;
pub use self::builder::EventSourceBuilder;
pub use self::error::{ConnectionError, EventSourceError};
pub use self::http::Http;
pub use self::source::EventSource;
pub use self::state::{Phase, State};
