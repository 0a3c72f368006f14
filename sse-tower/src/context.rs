//! What a layer remembers of a request.

use std::borrow::Cow;

use http::header::{ACCEPT, HeaderMap};
use http::{Method, Request};
use sse_core::END_ID;

use crate::extract::{LAST_EVENT_ID, header_text};

/// The parts of a request that decide how its stream is written.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    method: Method,
    /// By name: a client that asks for a stream.
    accepts_event_streams: bool,
    /// By name or wildcard, or because it says nothing.
    tolerates_event_streams: bool,
    /// It takes nothing else.
    wants_a_stream: bool,
    last_event_id: Option<String>,
}

impl RequestContext {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        Self::new(request.method(), request.headers())
    }

    pub(crate) fn new(method: &Method, headers: &HeaderMap) -> Self {
        let accepts_event_streams = accepts_event_streams(headers);
        // A GET with another type is an `EventSource` all the same, or means to be one; a POST
        // leaves it to the handler, as those of MCP do.
        let nothing_else = method == Method::GET || !accepts_others(headers);
        Self {
            method: method.clone(),
            accepts_event_streams,
            wants_a_stream: accepts_event_streams && nothing_else && method != Method::HEAD,
            tolerates_event_streams: tolerates_event_streams(headers),
            last_event_id: headers.get(LAST_EVENT_ID).and_then(header_text),
        }
    }

    /// A GET that asks for event streams by name: a client that may come back by itself.
    pub(crate) fn may_reconnect(&self) -> bool {
        self.method == Method::GET && self.accepts_event_streams
    }

    pub(crate) fn accepts_event_streams(&self) -> bool {
        self.accepts_event_streams
    }

    /// Its answer, if it succeeds, has to be a stream.
    pub(crate) fn wants_a_stream(&self) -> bool {
        self.wants_a_stream
    }

    pub(crate) fn tolerates_event_streams(&self) -> bool {
        self.tolerates_event_streams
    }

    /// The client was sent the end of the stream and asks for more.
    pub(crate) fn is_past_the_end(&self) -> bool {
        self.may_reconnect() && self.last_event_id.as_deref() == Some(END_ID)
    }

    pub(crate) fn is_get(&self) -> bool {
        self.method == Method::GET
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
    ranges(headers).any(|range| is_event_stream(&range) && !is_refused(&range))
}

/// Whether `Accept` allows `text/event-stream`: the most specific range decides, and where
/// there is none, anything goes (RFC 9110 §12.5.1).
fn tolerates_event_streams(headers: &HeaderMap) -> bool {
    let by_specificity = ["text/event-stream", "text/*", "*/*"];
    let decided = by_specificity.iter().find_map(|wanted| {
        let mut matching = ranges(headers)
            .filter(|range| is_media_type(range, wanted))
            .peekable();
        matching.peek()?;
        Some(matching.any(|range| !is_refused(&range)))
    });
    decided.unwrap_or_else(|| ranges(headers).next().is_none())
}

/// Whether `Accept` also names a type that is no event stream; wildcards do not count here either.
fn accepts_others(headers: &HeaderMap) -> bool {
    ranges(headers).any(|range| {
        let named = !range.contains("/*");
        named && !is_event_stream(&range) && !is_refused(&range)
    })
}

/// Their parameters may hold anything.
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = Cow<'_, str>> {
    let values = headers.get_all(ACCEPT).into_iter();
    let ranges = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    ranges
        .map(String::from_utf8_lossy)
        .filter(|range| !range.trim().is_empty())
}

/// Whether a media type is `text/event-stream`, whatever its parameters.
pub(crate) fn is_event_stream(media_type: &str) -> bool {
    is_media_type(media_type, "text/event-stream")
}

fn is_media_type(media_type: &str, wanted: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(wanted)
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

    fn headers(accept: &[&str]) -> HeaderMap {
        let values = accept.iter().map(|value| (ACCEPT, value.parse().unwrap()));
        values.collect()
    }

    #[track_caller]
    fn check(accept: &[&str], expected: bool) {
        assert_eq!(
            accepts_event_streams(&headers(accept)),
            expected,
            "{accept:?}"
        );
    }

    #[track_caller]
    fn tolerates(accept: &[&str], expected: bool) {
        assert_eq!(
            tolerates_event_streams(&headers(accept)),
            expected,
            "{accept:?}"
        );
    }

    #[test]
    fn the_most_specific_range_says_whether_a_stream_is_acceptable() {
        tolerates(&[], true);
        tolerates(&[""], true);
        tolerates(&["*/*"], true);
        tolerates(&["text/*;q=0.1"], true);
        tolerates(&["application/json", "*/*;q=0.1"], true);
        tolerates(&["application/json"], false);
        tolerates(&["text/event-stream;q=0, */*"], false);
        tolerates(&["text/*;q=0, */*"], false);
        tolerates(&["text/*;q=0, text/event-stream"], true);
        tolerates(&["*/*;q=0"], false);
    }

    #[test]
    fn who_takes_something_else_than_a_stream_leaves_it_to_the_handler() {
        let wants = |method: Method, accept: &[&str]| {
            RequestContext::new(&method, &headers(accept)).wants_a_stream()
        };
        let both = "application/json, text/event-stream";
        assert!(wants(Method::GET, &[both]));
        assert!(!wants(Method::POST, &[both]));
        assert!(wants(Method::POST, &["text/event-stream, */*;q=0.1"]));
        assert!(wants(Method::POST, &["text/event-stream", "text/*"]));
        assert!(wants(Method::POST, &["text/event-stream, text/html;q=0"]));
        assert!(!wants(Method::POST, &["*/*"]));
        assert!(!wants(Method::HEAD, &["text/event-stream"]));
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
