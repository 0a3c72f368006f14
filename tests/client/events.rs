//! What comes out of a stream.

use std::error::Error as _;

use futures_util::StreamExt as _;
use sse_tower::client::{Backoff, EventSource, EventSourceError};
use sse_tower::{FromSseEvent, RawEvent};

use crate::support::{DONE, Feed, Script, all, follow, number};

#[tokio::test(start_paused = true)]
async fn an_event_that_does_not_parse_is_one_error_and_the_next_one_follows() {
    let bad = "event: number\nid: 2\ndata: many\n\n";
    let script = Script::new().events(number(1) + bad + &number(3) + DONE);
    let mut events = follow(&script).start();
    assert_eq!(events.next().await.unwrap().unwrap(), Feed::Number(1));
    let EventSourceError::Event(error) = events.next().await.unwrap().unwrap_err() else {
        panic!("not an error of one event");
    };
    assert_eq!((error.event(), error.id()), ("number", Some("2")));
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .starts_with("expected value")
    );
    assert_eq!(events.last_event_id(), "2", "it was seen");
    assert_eq!(events.next().await.unwrap().unwrap(), Feed::Number(3));
    assert_eq!(events.next().await.unwrap().unwrap(), Feed::Done);
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn events_that_nobody_listens_for_are_left_out_unless_told_otherwise() {
    let text =
        number(1) + "event: later\nid: 2\ndata: x\n\nevent: sse-tower:alive\ndata: x\n\n" + DONE;
    let script = || Script::new().events(text.clone());

    let mut events = follow(&script()).start();
    let seen: Vec<_> = all(&mut events)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(seen, [Feed::Number(1), Feed::Done]);
    assert_eq!(events.last_event_id(), "2", "its id counts nevertheless");

    let seen = all(&mut follow(&script()).strict().start()).await;
    assert_eq!(seen.len(), 3);
    let error = seen[1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the event \"later\" with the id \"2\" is not known"
    );
    assert!(matches!(error, EventSourceError::Event(error) if error.is_unknown()));

    #[derive(FromSseEvent, Debug)]
    enum Any {
        Number(u32),
        #[sse(other)]
        Other(RawEvent<'static>),
    }
    let http = script().in_memory();
    let mut events = EventSource::<Any>::get(&http, "http://server/")
        .strict()
        .start();
    assert!(matches!(events.next().await, Some(Ok(Any::Number(1)))));
    let other = events.next().await.unwrap().unwrap();
    assert!(matches!(other, Any::Other(raw) if raw.event() == "later" && raw.data() == "x"));
}

#[tokio::test(start_paused = true)]
async fn events_are_out_before_the_error_behind_them() {
    let chunks = [Ok(number(1)), Err(std::io::Error::other("reset"))];
    let body = || axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    let script = Script::new().answer(move || crate::support::stream(body()));
    let mut events = follow(&script).start();
    assert_eq!(events.next().await.unwrap().unwrap(), Feed::Number(1));
    assert!(events.state().last_error.is_none());
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn any_event_can_be_read_raw() {
    let script = Script::new().events("id: 1\ndata: a\ndata: b\n\nevent: x\nretry: 5\ndata:\n\n");
    let http = script.in_memory();
    let backoff = Backoff::new().jitter(0.0);
    let mut events = EventSource::<RawEvent>::get(&http, "http://server/")
        .backoff(backoff)
        .start();
    let seen: Vec<_> = all(&mut events)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        (seen[0].event(), seen[0].data(), seen[0].id()),
        ("message", "a\nb", Some("1"))
    );
    assert_eq!(
        (seen[1].event(), seen[1].data(), seen[1].last_event_id()),
        ("x", "", "1")
    );
}

#[tokio::test(start_paused = true)]
async fn others_get_their_turn_beside_a_stream_of_comments() {
    use futures_util::FutureExt as _;
    let comments = futures_util::stream::repeat(Ok::<_, std::convert::Infallible>(":\n"));
    let script =
        Script::new().answer(|| crate::support::stream(axum::body::Body::from_stream(comments)));
    let mut events = follow(&script).start();
    // Would not return otherwise.
    assert!(events.next().now_or_never().is_none());
}
