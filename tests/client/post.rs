//! When a POST is sent again: only where the server cannot have acted on it.

use axum::body::Body;
use futures_util::stream;
use http::header::LOCATION;
use http::{Method, StatusCode};
use sse_tower::client::{Backoff, ConnectionError, EventSource, EventSourceBuilder, Http, Phase};

use crate::support::{DONE, Feed, Script, follow, number, numbers};

fn post(script: &Script) -> EventSourceBuilder<Feed> {
    EventSource::post(&script.in_memory(), "http://server/feed").json(&[1, 2])
}

fn broken() -> axum::response::Response {
    let chunks = [Ok(number(1)), Err(std::io::Error::other("reset"))];
    crate::support::stream(Body::from_stream(stream::iter(chunks)))
}

#[tokio::test(start_paused = true)]
async fn it_sends_its_body() {
    let script = Script::new().events(DONE);
    numbers(&mut post(&script).start()).await;
    let asked = &script.asked()[0];
    assert_eq!((asked.method.as_str(), &*asked.body), ("POST", "[1,2]"));
    assert_eq!(asked.header("content-type"), "application/json");

    let script = Script::new().events(DONE);
    let builder = EventSource::<Feed>::post(&script.in_memory(), "http://server/feed");
    numbers(&mut builder.body("a=1").header("content-type", "text/x").start()).await;
    let asked = &script.asked()[0];
    assert_eq!(
        (&*asked.body, &*asked.header("content-type")),
        ("a=1", "text/x")
    );
}

#[tokio::test(start_paused = true)]
async fn it_is_sent_again_where_the_server_did_not_begin() {
    for status in [408, 425, 429, 503] {
        let script = Script::new().status(status).events(number(1) + DONE);
        let (seen, error) = numbers(&mut post(&script).start()).await;
        assert_eq!((seen, error.is_none()), (vec![1], true), "{status}");
        let bodies: Vec<_> = script.asked().into_iter().map(|asked| asked.body).collect();
        assert_eq!(bodies, ["[1,2]", "[1,2]"]);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_not_sent_again_where_the_server_may_have_begun() {
    for status in [500, 502, 504] {
        let script = Script::new().status(status).events(number(1));
        let (seen, error) = numbers(&mut post(&script).start()).await;
        assert_eq!((seen, script.asked().len()), (vec![], 1), "{status}");
        assert!(matches!(error, Some(ConnectionError::Status { .. })));
    }
    let script = Script::new().answer(broken).events(number(2));
    let (seen, error) = numbers(&mut post(&script).start()).await;
    assert_eq!((seen, script.asked().len()), (vec![1], 1));
    assert!(matches!(error, Some(ConnectionError::Transport(_))));
}

#[tokio::test(start_paused = true)]
async fn its_answer_ends_when_the_server_ends_it() {
    let script = Script::new().events(number(1)).events(number(2));
    let mut events = post(&script).start();
    let (seen, error) = numbers(&mut events).await;
    assert_eq!((seen, script.asked().len()), (vec![1], 1));
    assert!(error.is_none());
    // Whoever wants to know whether the stream said that it is over can see it.
    assert_eq!(events.state().phase, Phase::Closed);
    assert!(matches!(
        events.state().last_error,
        Some(ConnectionError::Ended)
    ));
}

#[tokio::test(start_paused = true)]
async fn one_that_may_be_repeated_comes_back_like_a_get() {
    let script = Script::new()
        .status(500)
        .answer(broken)
        .events(number(2))
        .events(number(3) + DONE);
    let backoff = Backoff::new().jitter(0.0);
    let mut events = post(&script).idempotent().backoff(backoff).start();
    let (seen, error) = numbers(&mut events).await;
    assert_eq!((seen, error.is_none()), (vec![1, 2, 3], true));
    assert_eq!(script.ids(), ["-", "-", "1", "2"]);
    assert!(
        script
            .asked()
            .iter()
            .all(|asked| asked.method == "POST" && asked.body == "[1,2]")
    );
}

#[tokio::test(start_paused = true)]
async fn a_get_with_a_body_is_a_get() {
    let script = Script::new().events(number(1)).events(DONE);
    let (seen, error) = numbers(&mut follow(&script).body("q").start()).await;
    assert_eq!((seen, error.is_none()), (vec![1], true));
    assert!(script.asked().iter().all(|asked| asked.body == "q"));
}

#[tokio::test]
async fn through_a_service_too_it_is_sent_again_where_nobody_was_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let http = Http::from_service(crate::net::client(http::Version::HTTP_11));
    let builder = EventSource::<Feed>::post(&http, format!("http://{address}/"));
    let quick = std::time::Duration::from_millis(1);
    let (waits, mut has_waited) = tokio::sync::mpsc::unbounded_channel();
    let mut events = builder
        .backoff(Backoff::new().initial(quick))
        .give_up_after(3)
        .on_change(move |state| {
            if let Phase::Waiting { .. } = state.phase {
                waits.send(()).ok();
            }
        })
        .start();
    let (_, error) = crate::net::soon(numbers(&mut events)).await;
    assert!(matches!(error, Some(ConnectionError::Transport(_))));
    drop(events);
    let mut times = 0;
    while has_waited.recv().await.is_some() {
        times += 1;
    }
    assert_eq!(times, 2);
}

#[tokio::test(start_paused = true)]
async fn it_is_not_sent_again_once_it_has_led_somewhere() {
    let to_the_job = || (StatusCode::SEE_OTHER, [(LOCATION, "/jobs/7/events")]);
    let script = Script::new().answer(to_the_job).status(503).events(DONE);
    let (seen, error) = numbers(&mut post(&script).start()).await;
    let methods: Vec<_> = script.asked().into_iter().map(|it| it.method).collect();
    assert_eq!((seen, methods), (vec![], vec![Method::POST, Method::GET]));
    assert!(matches!(error, Some(ConnectionError::Status { .. })));
}

#[tokio::test(start_paused = true)]
async fn it_is_not_sent_again_once_its_answer_has_begun() {
    let its_database_is_down = || {
        let refused = std::io::ErrorKind::ConnectionRefused.into();
        let chunks = [Ok(number(1)), Err::<String, std::io::Error>(refused)];
        crate::support::stream(Body::from_stream(stream::iter(chunks)))
    };
    let script = Script::new().answer(its_database_is_down).events(DONE);
    let (seen, error) = numbers(&mut post(&script).start()).await;
    assert_eq!((seen, script.asked().len()), (vec![1], 1));
    assert!(matches!(error, Some(ConnectionError::Transport(_))));
}
