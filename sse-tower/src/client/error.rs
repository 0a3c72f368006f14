//! Why an item is no event, and why a connection is over.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use sse_core::{BoxError, DecodeError, LimitError};

/// An item of an [`EventSource`](super::EventSource) that is no event.
#[derive(Debug)]
#[non_exhaustive]
pub enum EventSourceError {
    /// An event does not parse; the stream goes on.
    Event(DecodeError),
    /// The stream is over, and will not come back.
    Connection(ConnectionError),
}

impl fmt::Display for EventSourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl Error for EventSourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Event(error) => error.source(),
            Self::Connection(error) => error.source(),
        }
    }
}

/// Why a connection ended, or never came about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The server ended the stream, in order.
    Ended,
    /// Nothing arrived for so long.
    Silent(Duration),
    /// There was no connection, or it broke.
    Transport(Arc<dyn Error + Send + Sync>),
    /// The server refused.
    Status {
        /// Neither 200 nor 204.
        status: StatusCode,
        /// The first 8 KiB of what it said, as far as they came within 5 s.
        body: String,
    },
    /// The answer is no event stream.
    ContentType {
        /// What it is instead, if it says so.
        found: Option<String>,
    },
    /// A redirect leads to nowhere, or to [another origin](super::Http::across_origins).
    Redirect {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A line or an event is too large.
    Limit(LimitError),
    /// The request cannot be made: its address or a header of it is wrong.
    Request(Arc<dyn Error + Send + Sync>),
}

impl ConnectionError {
    pub(super) fn transport(error: BoxError) -> Self {
        if lacks_tls(&*error) {
            return Self::request("reqwest was built without TLS: turn on a feature of it");
        }
        if never_built(&*error) {
            return Self::request(error);
        }
        Self::Transport(error.into())
    }

    pub(super) fn request(error: impl Into<BoxError>) -> Self {
        Self::Request(error.into().into())
    }

    /// Whether it would be the same the next time, as far as one can tell: a stream may be
    /// [told](super::EventSourceBuilder::retry_if) more about statuses.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Ended | Self::Silent(_) | Self::Transport(_) => false,
            Self::Status { status, .. } => !may_change(*status),
            Self::ContentType { .. }
            | Self::Redirect { .. }
            | Self::Limit(_)
            | Self::Request(_) => true,
        }
    }

    /// Whether the server cannot have acted on the request.
    pub(super) fn is_untouched(&self) -> bool {
        match self {
            Self::Transport(error) => never_connected(&**error),
            Self::Status { status, .. } => is_untouched(*status),
            _ => false,
        }
    }
}

/// Whether a server that answers so may answer otherwise the next time.
pub(super) fn may_change(status: StatusCode) -> bool {
    status.is_server_error() || is_untouched(status)
}

/// With these statuses a server says that it did not begin.
fn is_untouched(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
    )
}

/// Nothing but its text tells this error, which every attempt would end with, from others.
fn lacks_tls(error: &(dyn Error + 'static)) -> bool {
    error.to_string() == "invalid URL, scheme is not http" || error.source().is_some_and(lacks_tls)
}

/// Whether reqwest refused the request itself, such as one without TLS where it must have it.
fn never_built(error: &(dyn Error + 'static)) -> bool {
    let reqwest = error.downcast_ref::<reqwest::Error>();
    reqwest.is_some_and(reqwest::Error::is_builder) || error.source().is_some_and(never_built)
}

/// What reqwest says, or the system of any other client.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let reqwest = error.downcast_ref::<reqwest::Error>();
    let refused = error.downcast_ref::<io::Error>();
    reqwest.is_some_and(reqwest::Error::is_connect)
        || refused.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        || error.source().is_some_and(never_connected)
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => f.write_str("the server ended the event stream"),
            Self::Silent(limit) => write!(f, "the event stream was silent for {limit:?}"),
            Self::Transport(_) => f.write_str("the connection of the event stream failed"),
            Self::Status { status, .. } => write!(f, "the server answered {status}"),
            Self::ContentType { found: Some(found) } => {
                write!(f, "the answer is no event stream but {found:?}")
            }
            Self::ContentType { found: None } => f.write_str("the answer has no content type"),
            Self::Redirect { reason } => write!(f, "the redirect {reason}"),
            Self::Limit(error) => error.fmt(f),
            Self::Request(_) => f.write_str("the request for the event stream is invalid"),
        }
    }
}

impl Error for ConnectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Transport(error) | Self::Request(error) => Some(&**error),
            Self::Limit(error) => error.source(),
            _ => None,
        }
    }
}
