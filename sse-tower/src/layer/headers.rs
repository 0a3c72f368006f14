//! The headers of an event stream.

use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};

use crate::context::is_event_stream;

/// No cache may keep or change a stream, and `no-transform` also stops proxies that compress.
pub(crate) const CACHE: HeaderValue = HeaderValue::from_static("no-cache, no-store, no-transform");

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whether the response says that it is an event stream.
pub(crate) fn says_event_stream(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    // The parameters may hold anything.
    let essence = value.and_then(|value| value.split(|byte| *byte == b';').next());
    let essence = essence.and_then(|essence| str::from_utf8(essence).ok());
    essence.is_some_and(is_event_stream)
}

/// Whether everything that [`fill`] fills in is there: some layer has seen the stream already.
pub(super) fn are_filled(headers: &HeaderMap) -> bool {
    headers
        .get(CACHE_CONTROL)
        .is_some_and(|value| *value == CACHE)
        && headers.contains_key(X_ACCEL_BUFFERING)
        && headers.contains_key(X_CONTENT_TYPE_OPTIONS)
}

/// Fills in what keeps proxies and caches from holding the stream back.
pub(crate) fn fill(headers: &mut HeaderMap) {
    headers
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("text/event-stream"));
    let cache = cache_control(headers);
    headers.insert(CACHE_CONTROL, cache);
    headers
        .entry(X_ACCEL_BUFFERING)
        .or_insert(HeaderValue::from_static("no"));
    headers
        .entry(X_CONTENT_TYPE_OPTIONS)
        .or_insert(HeaderValue::from_static("nosniff"));
    headers.remove(CONTENT_LENGTH);
}

/// The directives there are, without those that allow storing, and with those that forbid it.
fn cache_control(headers: &HeaderMap) -> HeaderValue {
    if headers
        .get(CACHE_CONTROL)
        .is_none_or(|value| *value == CACHE)
    {
        return CACHE;
    }
    let values = headers.get_all(CACHE_CONTROL).into_iter();
    let mut directives: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|directive| !directive.is_empty() && !allows_storing(directive))
        .collect();
    for ours in ["no-cache", "no-store", "no-transform"] {
        if !directives
            .iter()
            .any(|there| there.eq_ignore_ascii_case(ours))
        {
            directives.push(ours);
        }
    }
    directives.join(", ").parse().unwrap_or(CACHE)
}

fn allows_storing(directive: &str) -> bool {
    let name = directive.split('=').next().unwrap_or_default();
    ["public", "max-age", "s-maxage"]
        .iter()
        .any(|ours| name.trim().eq_ignore_ascii_case(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &[&str], after: &str) {
        let mut headers = HeaderMap::new();
        for value in before {
            headers.append(CACHE_CONTROL, value.parse().unwrap());
        }
        fill(&mut headers);
        assert_eq!(headers[CACHE_CONTROL], after);
        assert_eq!(headers.get_all(CACHE_CONTROL).iter().count(), 1);
    }

    #[test]
    fn cache_control_gains_what_it_lacks_and_loses_what_allows_storing() {
        check(&[], "no-cache, no-store, no-transform");
        check(&["no-cache"], "no-cache, no-store, no-transform");
        check(
            &["public, max-age=60", "S-MaxAge=5, private"],
            "private, no-cache, no-store, no-transform",
        );
        check(&["No-Store"], "No-Store, no-cache, no-transform");
    }
}
