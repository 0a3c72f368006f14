//! How long a stream waits before it comes back, and when it gives a connection up.

use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse as _;
use futures_util::{StreamExt as _, stream};
use http::{HeaderName, StatusCode};
use sse_tower::client::{Backoff, ConnectionError};
use tokio::time::sleep;

use crate::support::{DONE, Feed, Script, follow, number, numbers};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The pauses between the requests to `script`, in milliseconds.
async fn pauses(script: &Script, backoff: Backoff) -> Vec<u128> {
    let (_, error) = numbers(&mut follow(script).backoff(backoff).start()).await;
    assert!(error.is_none());
    script.pauses().iter().map(Duration::as_millis).collect()
}

/// Timers are a millisecond coarse.
#[track_caller]
fn about(pauses: &[u128], expected: &[u128]) {
    let near = |(is, should): (&u128, &u128)| (*should..=should + 1).contains(is);
    let near = pauses.len() == expected.len() && pauses.iter().zip(expected).all(near);
    assert!(near, "{pauses:?} instead of {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn it_waits_as_long_as_the_stream_asked_for() {
    let exact = || Backoff::new().jitter(0.0);
    let retry = |value: &str| format!("retry: {value}\n{}", number(1));
    // Nothing, a value, none, the same as before, one that was not finished, one in a comment.
    let script = Script::new()
        .events(number(1))
        .events(retry("700"))
        .events(retry("x1"))
        .events(number(1))
        .events(number(1) + "retry: 1200\ndata: unfinished")
        .events(number(1) + ": retry: 9\n");
    about(
        &pauses(&script, exact()).await,
        &[3000, 700, 700, 700, 1200, 1200],
    );

    // 0 would be a storm; more than 31 bits mean nothing.
    let script = Script::new()
        .events(retry("0"))
        .events(retry("2147483648"))
        .events(retry("99999999999999999999999"));
    about(
        &pauses(&script, exact()).await,
        &[100, 2_147_483_647, 2_147_483_647],
    );

    let script = || Script::new().events(retry("50")).events(retry("90000"));
    let range = exact().range(ms(200)..=ms(5_000));
    about(&pauses(&script(), range).await, &[200, 5_000]);
    about(
        &pauses(&script(), exact().range(ms(0)..=ms(60))).await,
        &[50, 60],
    );
    let script = Script::new().events(retry("0"));
    about(&pauses(&script, exact().range(ms(0)..=ms(60))).await, &[0]);
}

#[tokio::test(start_paused = true)]
async fn as_browsers_do_it_waits_for_nothing_but_retry() {
    let retry = |value: &str| format!("retry: {value}\n{}", number(1));
    let script = Script::new()
        .events(number(1))
        .events(retry("700"))
        .events(retry("0"))
        .events(retry("2147483648"));
    let (_, error) = numbers(&mut follow(&script).as_browsers_do().start()).await;
    assert!(error.is_none());
    let pauses: Vec<_> = script.pauses().iter().map(Duration::as_millis).collect();
    about(&pauses, &[3000, 700, 0, 2_147_483_647]);

    // A server that has nothing to say is asked less and less often also after `retry: 0`.
    let failing = (0..5).fold(Script::new().events(retry("0")), |script, _| {
        script.answer(|| crate::support::stream(Body::empty()))
    });
    let (_, error) = numbers(&mut follow(&failing).as_browsers_do().start()).await;
    assert!(error.is_none());
    let pauses: Vec<_> = failing.pauses().iter().map(Duration::as_millis).collect();
    about(&pauses, &[0, 0, 2, 4, 8, 16]);
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_double_the_time() {
    let fail = |script: Script, times| (0..times).fold(script, |script, _| script.status(500));
    let script = fail(Script::new(), 7);
    let expected = [3000, 6000, 12_000, 24_000, 48_000, 60_000, 60_000];
    about(
        &pauses(&script, Backoff::new().jitter(0.0)).await,
        &expected,
    );

    // It begins anew after a stream that was one, with the time that it asked for.
    let script = fail(Script::new(), 3).events("retry: 200\n".to_owned() + &number(1));
    let script = fail(script, 3);
    let backoff = Backoff::new()
        .initial(ms(1000))
        .limit(ms(3_000))
        .jitter(0.0);
    about(
        &pauses(&script, backoff).await,
        &[1000, 2000, 3000, 200, 200, 400, 800],
    );

    // What is shorter than the shortest delay doubles from there.
    let script = fail(Script::new(), 3);
    let backoff = Backoff::new().initial(ms(0)).jitter(0.0);
    about(&pauses(&script, backoff).await, &[100, 200, 400]);

    // The limit is for doubling: who asks for more gets it.
    let script = fail(
        Script::new().events("retry: 90000\n".to_owned() + &number(1)),
        2,
    );
    about(
        &pauses(&script, Backoff::new().jitter(0.0)).await,
        &[90_000, 90_000, 90_000],
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_last_is_a_failure() {
    let broken = |after: Duration| {
        move || {
            let begun = stream::iter([Ok(number(1))]);
            let end = stream::once(async move {
                sleep(after).await;
                Err(std::io::Error::other("reset"))
            });
            crate::support::stream(Body::from_stream(begun.chain(end)))
        }
    };
    let script = Script::new()
        .answer(broken(ms(0)))
        .answer(broken(ms(9_000)))
        .answer(broken(ms(10_000)))
        // Without an event, an end in order is a failure too.
        .events(": nothing\n\n")
        .events(": nothing\n\n")
        .events(number(1));
    let pauses = pauses(&script, Backoff::new().jitter(0.0)).await;
    about(
        &pauses,
        &[3000, 9_000 + 6000, 10_000 + 3000, 3000, 6000, 3000],
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_nobody_listens_for_is_one_nevertheless() {
    let later = "event: later\ndata: x\n\n";
    let script = Script::new().events(later).events(later).events(later);
    let pauses = pauses(&script, Backoff::new().jitter(0.0)).await;
    about(&pauses, &[3000, 3000, 3000]);
}

#[tokio::test(start_paused = true)]
async fn chance_makes_it_longer_and_never_shorter() {
    let events = |count| (0..count).fold(Script::new(), |script, _| script.events(number(1)));
    let script = events(200);
    let pauses = pauses(&script, Backoff::new().initial(ms(1000)).jitter(0.5)).await;
    assert!(
        pauses.iter().all(|pause| (1000..=1501).contains(pause)),
        "{pauses:?}"
    );
    let spread = pauses.iter().max().unwrap() - pauses.iter().min().unwrap();
    assert!(spread > 400, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for() {
    let refuse = |script: Script, value: String| {
        script.answer(move || {
            let header = [(HeaderName::from_static("retry-after"), value)];
            (StatusCode::TOO_MANY_REQUESTS, header).into_response()
        })
    };
    let soon = std::time::SystemTime::now() + Duration::from_secs(1_000_000);
    let mut script = Script::new();
    for value in [
        "20".to_owned(),
        // Shorter than the backoff.
        "1".to_owned(),
        "soon".to_owned(),
        "Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
        httpdate::fmt_http_date(soon),
        "99999999999999999999".to_owned(),
        "18446744073709551615".to_owned(),
    ] {
        script = refuse(script, value);
    }
    let pauses = pauses(&script, Backoff::new().jitter(0.0)).await;
    about(&pauses[..4], &[20_000, 6_000, 12_000, 24_000]);
    // The clock of the wall goes on while virtual time stands.
    assert!(
        (999_000_000..1_000_000_000).contains(&pauses[4]),
        "{pauses:?}"
    );
    about(&pauses[5..], &[60_000, 2_147_483_647]);
}

#[tokio::test(start_paused = true)]
async fn silence_is_the_end_of_a_connection() {
    let silent = || {
        let begun = stream::iter([Ok::<_, std::io::Error>(number(1))]);
        crate::support::stream(Body::from_stream(begun.chain(stream::pending())))
    };
    let script = Script::new().answer(silent).events(number(2) + DONE);
    let mut events = follow(&script).watchdog(Duration::from_secs(45)).start();
    let (seen, _) = numbers(&mut events).await;
    assert_eq!(
        (seen, script.ids()),
        (vec![1, 2], vec!["-".to_owned(), "1".into()])
    );
    // It was open for long enough to be a good one.
    about(&[script.pauses()[0].as_millis()], &[48_000]);
}

#[tokio::test(start_paused = true)]
async fn anything_that_arrives_is_a_sign_of_life() {
    let alive = || {
        let comments = stream::iter([":\n", ": hi\n\n", "da", "ta: \n", "retry: 1\n"]);
        let bytes = comments
            .chain(stream::iter([":\n"; 20]))
            .then(|bytes| async move {
                sleep(Duration::from_secs(44)).await;
                Ok::<_, std::io::Error>(bytes.to_owned())
            });
        let end = stream::iter([Ok("\n".to_owned() + &number(1) + DONE)]);
        crate::support::stream(Body::from_stream(bytes.chain(end)))
    };
    let script = Script::new().answer(alive);
    let mut events = follow(&script).watchdog(Duration::from_secs(45)).start();
    assert_eq!(numbers(&mut events).await.0, [1]);
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_silent_too() {
    let script = Script::new().events(number(1) + DONE);
    let router = script.router();
    let slow = tower::service_fn(move |request: http::Request<Body>| {
        let router = router.clone();
        async move {
            if request.uri().path() == "/slow" {
                sleep(Duration::from_secs(3600)).await;
            }
            tower::ServiceExt::oneshot(router, request).await
        }
    });
    let http = sse_tower::client::Http::from_service(slow);
    let start = sse_tower::client::EventSource::<Feed>::get;
    let events = start(&http, "http://server/slow")
        .watchdog(ms(500))
        .give_up_after(2);
    let (seen, error) = numbers(&mut events.start()).await;
    assert_eq!((seen, script.asked().len()), (vec![], 0));
    let error = error.unwrap();
    assert!(matches!(error, ConnectionError::Silent(limit) if limit == ms(500)));
    assert_eq!(error.to_string(), "the event stream was silent for 500ms");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_one_however_slowly_it_explains_itself() {
    let stalls = || {
        let said = stream::iter([Ok::<_, std::io::Error>("who are you")]);
        let body = Body::from_stream(said.chain(stream::pending()));
        (StatusCode::UNAUTHORIZED, body).into_response()
    };
    let script = Script::new().answer(stalls).answer(stalls);
    let events = follow(&script).watchdog(ms(2000)).give_up_after(2);
    let (_, error) = numbers(&mut events.start()).await;
    assert_eq!(script.asked().len(), 1);
    let Some(ConnectionError::Status { status, body }) = error else {
        panic!("{error:?}");
    };
    assert_eq!((status.as_u16(), &*body), (401, "who are you"));
}

#[tokio::test(start_paused = true)]
async fn each_redirect_is_a_sign_of_life() {
    let steps = tower::service_fn(async |request: http::Request<Body>| {
        sleep(ms(1500)).await;
        let next = match request.uri().path() {
            "/feed" => "/a",
            "/a" => "/b",
            _ => return Ok::<_, std::io::Error>(crate::support::stream(Body::from(DONE))),
        };
        Ok(axum::response::Redirect::temporary(next).into_response())
    });
    let http = sse_tower::client::Http::from_service(steps);
    let start = sse_tower::client::EventSource::<Feed>::get;
    let events = start(&http, "http://server/feed").watchdog(ms(2000));
    let (_, error) = numbers(&mut events.give_up_after(1).start()).await;
    assert!(error.is_none(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_read_is_no_silence() {
    let later = || {
        let chunks = stream::iter([number(1), number(2), number(3) + DONE]);
        let chunks = chunks.map(Ok::<_, std::io::Error>);
        crate::support::stream(Body::from_stream(chunks))
    };
    let script = Script::new().answer(later);
    let mut events = follow(&script).watchdog(Duration::from_secs(1)).start();
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(event.unwrap());
        // Somebody who takes his time.
        sleep(Duration::from_secs(60)).await;
    }
    assert_eq!((seen.len(), script.asked().len()), (4, 1));
}
