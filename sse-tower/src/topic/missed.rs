//! `Missed`: why a client cannot go on where it was.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum_core::response::{IntoResponse, Response};
use futures_util::stream;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use sse_core::{Event, Gap};

use crate::response::Sse;
use crate::retry::Retry;

/// Why a topic has nothing to send after what the client has seen.
///
/// As a response, [`Closed`](Self::Closed) is 204, and what is gone is 410: an `EventSource`
/// stops at both, and its page can tell them apart by whether it has seen the last event. To keep
/// the page alive, answer [`Gap`](Self::Gap) and [`Unreadable`](Self::Unreadable) with a snapshot
/// and [`Topic::live`](super::Topic::live), or with [`Topic::from_start`](super::Topic::from_start).
/// [`Stopped`](Self::Stopped) is a stream that ends at once, with a hint to come back in 1 s to
/// 5 s: an `EventSource` comes back after no other answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missed {
    /// Events in between are gone, or the cursor is of another topic or another time.
    Gap(Gap),
    /// What the client sent is not a cursor: an id of an older version, for example.
    Unreadable,
    /// What the client sent was not sealed by us, or not for this topic and this client.
    Forged,
    /// The topic is closed and the client has seen all of it.
    Closed(TopicClosed),
    /// The topic has stopped in this process, because another one writes to it now or because it
    /// was [stopped](super::DurableTopic::stop). The client can read on where the topic goes on.
    Stopped,
}

impl From<sse_core::Missed> for Missed {
    fn from(missed: sse_core::Missed) -> Self {
        match missed {
            sse_core::Missed::Gap(gap) => Self::Gap(gap),
            _ => Self::Closed(TopicClosed),
        }
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap(gap) => gap.fmt(f),
            Self::Unreadable => f.write_str("the id to resume after is no cursor"),
            Self::Forged => f.write_str("the id to resume after was not given to this client"),
            Self::Closed(closed) => closed.fmt(f),
            Self::Stopped => f.write_str("the topic has stopped in this process"),
        }
    }
}

impl Error for Missed {}

impl IntoResponse for Missed {
    fn into_response(self) -> Response {
        match self {
            Self::Gap(_) | Self::Unreadable | Self::Forged => {
                let text = "the events to resume after are gone";
                (StatusCode::GONE, no_store(), text).into_response()
            }
            Self::Closed(closed) => closed.into_response(),
            Self::Stopped => {
                let retry = Retry::between(Duration::from_secs(1), Duration::from_secs(5));
                let nothing = Sse::new(stream::empty::<Event>());
                nothing.retry(retry).into_response()
            }
        }
    }
}

/// The topic is closed, and there is nothing left to send.
///
/// As a response it is 204, at which an `EventSource` stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicClosed;

impl fmt::Display for TopicClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the topic is closed and was read to its end")
    }
}

impl Error for TopicClosed {}

impl IntoResponse for TopicClosed {
    fn into_response(self) -> Response {
        (StatusCode::NO_CONTENT, no_store()).into_response()
    }
}

fn no_store() -> [(http::HeaderName, HeaderValue); 1] {
    [(CACHE_CONTROL, HeaderValue::from_static("no-store"))]
}
