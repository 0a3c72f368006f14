//! With which id a stream comes back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use futures_util::{StreamExt as _, stream};
use sse_tower::client::{ConnectionError, EventSource, Phase};

use crate::support::{DONE, Feed, Script, all, follow, number, numbers};

/// The ids that are sent after each of `texts`.
async fn ids<const N: usize>(texts: [&'static str; N]) -> Vec<String> {
    let script = texts.into_iter().fold(Script::new(), Script::events);
    let (_, error) = numbers(&mut follow(&script).start()).await;
    assert!(error.is_none());
    script.ids().split_off(1)
}

#[tokio::test(start_paused = true)]
async fn it_comes_back_with_the_newest_id() {
    let one = "event: number\nid: 1\ndata: 1\n\n";
    assert_eq!(ids([one, "event: number\ndata: 2\n\n"]).await, ["1", "1"]);
    // A block without data counts, a block without its empty line does not.
    assert_eq!(
        ids([one, "id: 42\n\n", "id: 43\n", "id: 44\ndata: 1"]).await,
        ["1", "42", "42", "42"]
    );
    // An event that nobody listens for counts.
    assert_eq!(ids(["event: later\nid: 7\ndata:\n\n"]).await, ["7"]);
    // The empty id forgets the others; one with NUL is none.
    assert_eq!(ids([one, "id\n\n"]).await, ["1", "-"]);
    assert_eq!(ids([one, "id: \0\n\n"]).await, ["1", "1"]);
    // It is sent as the bytes that it came as.
    assert_eq!(ids(["id: ü …😀\"\\\n\n"]).await, ["ü …😀\"\\"]);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_no_header_does_not_keep_it_from_coming_back() {
    assert_eq!(
        ids(["id: a\u{1}b\n\n", "id: a\u{7f}b\n\n"]).await,
        ["-", "-"]
    );
    // Not the one before it either, which would bring what was seen already.
    assert_eq!(
        ids(["id: 1\n\n", "id: \u{1}\n\n", "id: 3\n\n"]).await,
        ["1", "-", "3"]
    );

    let long = |len: usize| format!("id: {}\n\n", "k".repeat(len));
    let script = Script::new().events(long(9_000)).events(long(17_000));
    let (_, error) = numbers(&mut follow(&script).start()).await;
    assert!(error.is_none());
    let lengths: Vec<_> = script.ids().iter().map(String::len).collect();
    assert_eq!(lengths, [1, 9_000, 1]);
}

#[tokio::test(start_paused = true)]
async fn it_begins_after_a_given_id() {
    let script = Script::new().events(DONE);
    all(&mut follow(&script).last_event_id(7).start()).await;
    assert_eq!(script.ids(), ["7"]);

    let script = Script::new().events(DONE);
    let mut events = follow(&script).header("Last-Event-ID", "8").start();
    assert_eq!(events.last_event_id(), "8");
    all(&mut events).await;
    assert_eq!(script.ids(), ["8"]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_no_item() {
    let broken = |text: String| {
        let chunks = [Ok(text), Err(std::io::Error::other("reset"))];
        crate::support::stream(Body::from_stream(stream::iter(chunks)))
    };
    let script = Script::new()
        .answer(move || broken(number(1) + "event: number\nid: 2\ndata: 2\n"))
        .answer(move || broken(number(2)))
        .events(number(3) + DONE);
    let (seen, error) = numbers(&mut follow(&script).start()).await;
    assert_eq!((seen, error.is_none()), (vec![1, 2, 3], true));
    assert_eq!(script.ids(), ["-", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn a_newest_id_is_never_ahead_of_what_was_taken() {
    let script = Script::new().events(number(1) + "id: 9\n\n" + &number(2) + DONE);
    let mut events = follow(&script).start();
    assert_eq!(events.next().await.unwrap().unwrap(), Feed::Number(1));
    assert_eq!(events.last_event_id(), "1");
    assert_eq!(events.state().last_event_id, "1");
}

#[tokio::test(start_paused = true)]
async fn every_request_is_the_same_but_for_its_id() {
    let script = Script::new()
        .events(number(1))
        .status(503)
        .events(number(2) + DONE);
    let builder = follow(&script)
        .header("Authorization", "Bearer 1")
        .header("X-Api-Key", "2");
    all(&mut builder.header("accept", "text/event-stream, */*").start()).await;
    let asked = script.asked();
    assert_eq!(asked.len(), 3);
    for asked in asked {
        assert_eq!((asked.method.as_str(), &*asked.body), ("GET", ""));
        assert_eq!(asked.uri, "http://server/feed");
        let headers = ["authorization", "x-api-key", "accept", "cache-control"];
        let values = headers.map(|name| asked.header(name));
        assert_eq!(
            values,
            ["Bearer 1", "2", "text/event-stream, */*", "no-cache"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn its_state_tells_what_it_is_doing_and_why() {
    let script = Script::new()
        .status(503)
        .events("retry: 500\n".to_owned() + &number(1));
    let script = script.answer(|| {
        let text = Ok::<_, std::io::Error>(number(2) + DONE);
        let body = stream::once(async { text });
        crate::support::stream(Body::from_stream(body))
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let observed = seen.clone();
    let mut events = follow(&script)
        .on_change(move |state| {
            let error = state.last_error.map(ToString::to_string);
            let entry = (state.phase, state.last_event_id.to_owned(), error);
            observed.lock().unwrap().push(entry);
        })
        .start();
    assert_eq!(events.next().await.unwrap().unwrap(), Feed::Number(1));
    assert_eq!(events.state().phase, Phase::Open);
    assert_eq!(all(&mut events).await.len(), 2);

    let waiting = |ms| Phase::Waiting {
        delay: Duration::from_millis(ms),
    };
    let refused = Some("the server answered 503 Service Unavailable".to_owned());
    let ended = Some("the server ended the event stream".to_owned());
    let expected = [
        (Phase::Connecting, "", None),
        (waiting(3000), "", refused.clone()),
        (Phase::Connecting, "", refused.clone()),
        (Phase::Open, "", refused),
        (waiting(500), "1", ended.clone()),
        (Phase::Connecting, "1", ended.clone()),
        (Phase::Open, "1", ended),
        (Phase::Closed, "2", None),
    ];
    let expected = expected.map(|(phase, id, error)| (phase, id.to_owned(), error));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_only_if_it_is_told_to() {
    let failing = (0..100).fold(Script::new(), |script, _| script.status(503));
    let (_, error) = numbers(&mut follow(&failing).start()).await;
    assert!(error.is_none());
    assert_eq!(failing.asked().len(), 101);

    // Only failures in a row count.
    let script = Script::new().status(503).status(503).events(number(1));
    let script = (0..9).fold(script, |script, _| script.status(500));
    let (seen, error) = numbers(&mut follow(&script).give_up_after(3).start()).await;
    assert_eq!((seen, script.asked().len()), (vec![1], 6));
    let error = error.unwrap();
    assert!(matches!(error, ConnectionError::Status { status, .. } if status == 500));
    assert!(!error.is_permanent());
}

#[tokio::test(start_paused = true)]
async fn it_can_be_sent_to_another_task() {
    let script = Script::new().events(number(1) + DONE);
    let events: EventSource<Feed> = follow(&script).start();
    let seen = tokio::spawn(events.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(seen.len(), 2);
}
