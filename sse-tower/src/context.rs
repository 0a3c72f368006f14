//! What a layer remembers of a request.

use http::header::{ACCEPT, HeaderMap};
use http::{Method, Request};
use sse_core::END_ID;

use crate::extract::{LAST_EVENT_ID, header_text};

/// The parts of a request that decide how its stream is written.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    method: Method,
    accepts_event_streams: bool,
    last_event_id: Option<String>,
}

impl RequestContext {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        Self {
            method: request.method().clone(),
            accepts_event_streams: accepts_event_streams(headers),
            last_event_id: headers.get(LAST_EVENT_ID).and_then(header_text),
        }
    }

    /// A GET that asks for event streams by name: a client that may come back by itself.
    pub(crate) fn may_reconnect(&self) -> bool {
        self.method == Method::GET && self.accepts_event_streams
    }

    /// The client was sent the end of the stream and asks for more.
    pub(crate) fn is_past_the_end(&self) -> bool {
        self.may_reconnect() && self.last_event_id.as_deref() == Some(END_ID)
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }

    pub(crate) fn last_event_id(&self) -> Option<String> {
        self.last_event_id.clone()
    }
}

/// Whether `Accept` names `text/event-stream`; wildcards do not count, as every client sends them.
fn accepts_event_streams(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| is_event_stream(range) && !is_refused(range))
}

/// Whether a media type is `text/event-stream`, whatever its parameters.
pub(crate) fn is_event_stream(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/event-stream")
}

/// `q=0` means "not this one" (RFC 9110 §12.4.2).
fn is_refused(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse() == Ok(0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &[&str], expected: bool) {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        assert_eq!(accepts_event_streams(&headers), expected, "{accept:?}");
    }

    #[test]
    fn only_clients_that_name_event_streams_accept_them() {
        check(&["text/event-stream"], true);
        check(&["text/html, TEXT/Event-Stream;q=0.9"], true);
        check(&["application/json", "text/event-stream"], true);
        check(&[], false);
        check(&["*/*"], false);
        check(&["application/json"], false);
        check(&["text/event-stream;q=0"], false);
        check(&["text/event-streams"], false);
    }
}
