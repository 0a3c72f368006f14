//! What the layer answers in place of a stream.

use std::time::Duration;

use axum_core::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderName, StatusCode};
use sse_core::Event;

use crate::response::Sse;
use crate::retry::Retry;

const NO_STORE: [(HeaderName, &str); 1] = [(CACHE_CONTROL, "no-store")];

/// An `EventSource` stops for good.
pub(super) fn complete() -> Response {
    (StatusCode::NO_CONTENT, NO_STORE).into_response()
}

pub(super) fn running() -> Response {
    let text = "this is being done already";
    (StatusCode::CONFLICT, NO_STORE, text).into_response()
}

pub(super) fn gap() -> Response {
    let text = "events after the one with this id are gone";
    (StatusCode::GONE, NO_STORE, text).into_response()
}

/// An `EventSource` comes back after status 200 and no other.
pub(super) fn full(accepts_event_streams: bool) -> Response {
    if accepts_event_streams {
        let retry = Retry::between(Duration::from_secs(1), Duration::from_secs(5));
        return Sse::<Event>::new(stream::empty::<Event>())
            .retry(retry)
            .into_response();
    }
    let later = [(RETRY_AFTER, "5")];
    (StatusCode::SERVICE_UNAVAILABLE, NO_STORE, later).into_response()
}
