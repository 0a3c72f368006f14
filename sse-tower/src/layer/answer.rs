//! What the layer answers itself.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body::Body;
use sse_core::{EventBuffer, RetryDelay};

use super::{SseBody, headers};

/// An answer in place of a stream.
#[derive(Debug)]
pub(super) enum Answer {
    /// The client has seen the end: an `EventSource` stops for good after a 204.
    NoContent,
    /// There is no room, or the server is about to stop: come back later.
    Later {
        retry: RetryDelay,
        accepts_event_streams: bool,
    },
    /// The client does not take event streams.
    NotAcceptable,
}

/// Marks a response that a layer made itself, so that those further out leave it alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered;

impl Answer {
    pub(super) fn into_response<B: Body>(self) -> Response<SseBody<B>> {
        let mut response = match self {
            Self::NoContent => status(StatusCode::NO_CONTENT),
            // An `EventSource` never comes back after any other status.
            Self::Later {
                retry,
                accepts_event_streams: true,
            } => {
                let mut body = EventBuffer::new();
                body.open_stream(Some(retry));
                body.empty_line();
                let mut response = Response::new(SseBody::answer(body.take()));
                headers::fill(response.headers_mut());
                response
            }
            Self::Later { retry, .. } => {
                let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
                let seconds = retry.as_millis().div_ceil(1000);
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
                response
            }
            Self::NotAcceptable => {
                let text = "this resource is an event stream, which `Accept` does not allow";
                let mut response =
                    Response::new(SseBody::answer(Bytes::from_static(text.as_bytes())));
                *response.status_mut() = StatusCode::NOT_ACCEPTABLE;
                let plain = HeaderValue::from_static("text/plain; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, plain);
                response
            }
        };
        response.extensions_mut().insert(Answered);
        response
    }
}

fn status<B: Body>(status: StatusCode) -> Response<SseBody<B>> {
    let mut response = Response::new(SseBody::answer(Bytes::new()));
    *response.status_mut() = status;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
