//! What ends a stream for good, and what does not.

use std::error::Error as _;

use axum::body::Body;
use axum::response::IntoResponse as _;
use futures_util::StreamExt as _;
use futures_util::stream::FusedStream as _;
use http::header::CONTENT_TYPE;
use sse_tower::client::{ConnectionError, EventSource, EventSourceError, Phase};
use sse_tower::{EventBuffer, Limits, Sse, SseEvent, SseLayer};

use crate::support::{DONE, Feed, Script, all, follow, number, numbers};

#[tokio::test(start_paused = true)]
async fn a_terminal_event_is_the_end() {
    let script = Script::new().events(number(1) + DONE + &number(2));
    let mut events = follow(&script).start();
    assert_eq!(events.state().phase, Phase::Connecting);
    assert_eq!(numbers(&mut events).await.0, [1]);
    assert_eq!(events.state().phase, Phase::Closed);
    assert!(events.state().last_error.is_none() && events.is_terminated());
    assert!(events.next().await.is_none() && events.next().await.is_none());
    assert_eq!(script.ids(), ["-"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_that_a_layer_writes_is_the_end() {
    #[derive(SseEvent)]
    enum Last {
        #[sse(terminal)]
        Over,
    }
    let response = || Sse::new(futures_util::stream::iter([Last::Over]));
    let router = axum::Router::new()
        .route("/feed", axum::routing::get(async move || response()))
        .layer(SseLayer::new());
    let http = sse_tower::client::Http::from_service(router);
    // `Feed` does not know the event, so the end is told by the reserved one alone.
    let mut events = EventSource::<Feed>::get(&http, "http://server/feed").start();
    assert!(all(&mut events).await.is_empty());
    assert!(events.state().last_error.is_none());
}

#[tokio::test(start_paused = true)]
async fn it_is_over_with_204() {
    let script = Script::new();
    let mut events = follow(&script).start();
    assert!(matches!(numbers(&mut events).await, (seen, None) if seen.is_empty()));
    assert!(events.state().last_error.is_none());
    assert_eq!(script.ids().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn statuses_that_will_not_change_are_the_end() {
    for status in [
        201, 205, 206, 300, 304, 400, 401, 403, 404, 405, 409, 410, 422, 431,
    ] {
        let script = Script::new().status(status).events(number(1));
        let mut events = follow(&script).start();
        let (seen, error) = numbers(&mut events).await;
        assert_eq!((seen, script.ids().len()), (vec![], 1), "{status}");
        let error = error.expect("an error");
        assert!(error.is_permanent());
        let is = |error: &ConnectionError| matches!(error, ConnectionError::Status { status: is, .. } if is.as_u16() == status);
        assert!(
            is(&error) && is(events.state().last_error.unwrap()),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_that_may_change_are_tried_again() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let script = Script::new()
            .status(status)
            .status(status)
            .events(number(1) + DONE);
        let (seen, error) = numbers(&mut follow(&script).start()).await;
        assert_eq!((seen, script.ids().len()), (vec![1], 3), "{status}");
        assert!(error.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn which_statuses_may_change_can_be_chosen() {
    // A job that is not there yet.
    let script = || Script::new().status(404).events(number(1) + DONE);
    let (seen, error) = numbers(&mut follow(&script()).start()).await;
    assert!(seen.is_empty() && error.is_some());
    let patient = follow(&script()).retry_if(|status| status == 404);
    assert!(matches!(numbers(&mut patient.start()).await, (seen, None) if seen == [1]));

    let script = Script::new().status(500).events(number(1) + DONE);
    let impatient = follow(&script).retry_if(|status| status == 404);
    let (_, error) = numbers(&mut impatient.start()).await;
    assert_eq!(
        error.unwrap().to_string(),
        "the server answered 500 Internal Server Error"
    );
    assert_eq!(script.ids().len(), 1);

    // Over is over.
    let script = Script::new().status(204).events(number(1));
    let (seen, _) = numbers(&mut follow(&script).retry_if(|_| true).start()).await;
    assert!(seen.is_empty());

    // A POST that the server may have acted on is not sent again, whatever is chosen.
    for (status, asked) in [(404, 1), (500, 1), (503, 2)] {
        let script = Script::new().status(status).events(DONE);
        let post = EventSource::<Feed>::post(&script.in_memory(), "http://server/feed");
        numbers(&mut post.retry_if(|_| true).start()).await;
        assert_eq!(script.ids().len(), asked, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_why() {
    let answer = || (http::StatusCode::UNAUTHORIZED, "no key");
    let script = Script::new().answer(answer);
    let (_, error) = numbers(&mut follow(&script).start()).await;
    let error = error.unwrap();
    assert_eq!(error.to_string(), "the server answered 401 Unauthorized");
    assert!(matches!(error, ConnectionError::Status { body, .. } if body == "no key"));

    // Not all of what never ends, and not for ever.
    let endless = || {
        let body =
            futures_util::stream::repeat(Ok::<_, std::convert::Infallible>("x".repeat(1000)));
        (http::StatusCode::FORBIDDEN, Body::from_stream(body))
    };
    let silent = || {
        let begun = futures_util::stream::iter([Ok::<_, std::io::Error>("because")]);
        let body = begun.chain(futures_util::stream::pending());
        (http::StatusCode::FORBIDDEN, Body::from_stream(body))
    };
    let script = Script::new().answer(endless);
    let (_, error) = numbers(&mut follow(&script).start()).await;
    assert!(matches!(error, Some(ConnectionError::Status { body, .. }) if body.len() == 8192));
    let script = Script::new().answer(silent);
    let (_, error) = numbers(&mut follow(&script).start()).await;
    assert!(matches!(error, Some(ConnectionError::Status { body, .. }) if body == "because"));
}

#[tokio::test(start_paused = true)]
async fn the_media_type_decides_and_not_its_parameters() {
    for (value, is_a_stream) in [
        ("text/event-stream", true),
        ("text/event-stream; charset=utf-8", true),
        ("Text/Event-Stream", true),
        ("text/event-stream;", true),
        ("text/event-stream;charset=windows-1252", true),
        ("text/plain", false),
        ("application/json", false),
        ("text/event-stream2", false),
        ("", false),
    ] {
        let answer = move || {
            let mut response = Body::from(number(1) + DONE).into_response();
            if !value.is_empty() {
                let value = http::HeaderValue::from_static(value);
                response.headers_mut().insert(CONTENT_TYPE, value);
            }
            response
        };
        let script = Script::new().answer(answer);
        let (seen, error) = numbers(&mut follow(&script).start()).await;
        assert_eq!(
            (seen.len() == 1, error.is_none()),
            (is_a_stream, is_a_stream),
            "{value:?}"
        );
        if let Some(error) = error {
            let expected = (!value.is_empty()).then_some(value);
            assert!(
                matches!(&error, ConnectionError::ContentType { found } if found.as_deref() == expected),
                "{error}"
            );
            assert!(error.is_permanent());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn too_large_a_line_or_event_is_the_end() {
    let limits = Limits::default().with_line(40).with_event(60);
    let long = format!("data: {}\n\n", "x".repeat(50));
    let many = "data: some more of it\n".repeat(9) + "\n";
    for (large, why) in [
        (long, "a line is longer than 40 bytes"),
        (many, "the data of an event exceeds 60 bytes"),
    ] {
        let script = Script::new()
            .events(number(1) + &large + &number(2))
            .events(number(3));
        let mut events = follow(&script).limits(limits).start();
        let (seen, error) = numbers(&mut events).await;
        assert_eq!((seen, script.ids().len()), (vec![1], 1));
        assert_eq!(error.unwrap().to_string(), why);
    }
    let script = Script::new().events(format!(":{}\n", "x".repeat(2 << 20)));
    let (_, error) = numbers(&mut follow(&script).start()).await;
    assert!(
        matches!(error, Some(ConnectionError::Limit(_))),
        "limited by default"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_made_is_an_error() {
    let http = Script::new().in_memory();
    let start = |url: &str| EventSource::<Feed>::get(&http, url);
    let bad = [
        start("no address").start(),
        start("ftp://server/feed").start(),
        start("http://server/feed").header("no name", "x").start(),
        start("http://server/feed")
            .header("x", "line\nbreak")
            .header("y", "z")
            .start(),
        start("http://server/feed").json(&f32_key()).start(),
    ];
    for mut events in bad {
        let mut items = all(&mut events).await;
        let error = items.pop().unwrap().unwrap_err();
        assert!(items.is_empty() && events.is_terminated());
        assert!(
            matches!(
                &error,
                EventSourceError::Connection(ConnectionError::Request(_))
            ),
            "{error:?}"
        );
        assert_eq!(
            error.to_string(),
            "the request for the event stream is invalid"
        );
        assert!(error.source().is_some());
    }
}

/// A map that JSON has no place for.
fn f32_key() -> std::collections::BTreeMap<Vec<u8>, u8> {
    [(vec![1], 1)].into()
}

#[tokio::test(start_paused = true)]
async fn an_event_with_the_reserved_name_is_the_end() {
    let mut buffer = EventBuffer::new();
    buffer.end_stream();
    let end = String::from_utf8(buffer.take().to_vec()).unwrap();
    let script = Script::new()
        .events(number(1) + &end + &number(2))
        .events(number(3));
    assert_eq!(numbers(&mut follow(&script).start()).await.0, [1]);
    assert_eq!(script.ids(), ["-"]);
}
