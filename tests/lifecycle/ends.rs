//! Who ends a stream, and what the client sees.

use futures_util::stream;
use sse_tower::{CloseReason, Closed, END_ID, EventId, SseEvent};
use tokio::sync::oneshot;
use tokio::time::{self, Instant};

use super::*;

#[derive(SseEvent)]
enum Job {
    Step(u32),
    #[sse(terminal)]
    Done,
    #[sse(terminal)]
    Failed {
        reason: String,
    },
    Trouble,
}

fn marker() -> String {
    format!("event: {END_ID}\nid: {END_ID}\ndata: {{}}\n\n")
}

async fn rest(response: impl Fn() -> Sse<Job> + Clone + Send + Sync + 'static) -> String {
    Reader::of(get(&app(&layer(), response)).await).rest().await
}

#[tokio::test]
async fn a_stream_without_a_terminal_event_is_finished_with_one() {
    let unfinished = || Sse::new(stream::iter([Job::Step(1)])).finish_with(Job::Done);
    assert_eq!(
        rest(unfinished).await,
        format!(
            "event: step\ndata: 1\n\nevent: done\ndata: {{}}\n\n{}",
            marker()
        )
    );
    let finished = || Sse::new(stream::iter([Job::Done])).finish_with(Job::Done);
    assert_eq!(
        rest(finished).await,
        format!("event: done\ndata: {{}}\n\n{}", marker())
    );
    // Any event will do, also one of another type that is not terminal.
    let literal =
        || Sse::new(stream::iter([Job::Step(1)])).finish_with(Event::new().data("[DONE]"));
    assert_eq!(
        rest(literal).await,
        "event: step\ndata: 1\n\ndata: [DONE]\n\n"
    );
}

#[tokio::test]
async fn a_stream_that_failed_is_not_finished() {
    let items = stream::iter([Ok(Job::Step(1)), Err("secret")]);
    let mut reader = Reader::of(Sse::new(items).finish_with(Job::Done));
    assert_eq!(reader.frame().await, "event: step\ndata: 1\n\n");
    assert!(reader.next().await.unwrap().is_err());
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn the_first_error_is_the_last_event() {
    let told = |error: &str| Job::Failed {
        reason: error.to_uppercase(),
    };
    let failing = move || {
        let items = stream::iter([
            Ok(Job::Step(1)),
            Err("gone"),
            Ok(Job::Step(2)),
            Err("again"),
        ]);
        Sse::with_error(items, told).finish_with(Job::Done)
    };
    let failed = "event: step\ndata: 1\n\nevent: failed\ndata: {\"reason\":\"GONE\"}\n\n";
    assert_eq!(rest(failing).await, format!("{failed}{}", marker()));
    let going_on = || Sse::with_error(stream::iter([Err(())]), |()| Job::Trouble);
    assert_eq!(rest(going_on).await, "event: trouble\ndata: {}\n\n");
}

/// Streams of both kinds under `layer`: when each ends, and with what.
async fn silent_until(layer: impl Fn() -> SseLayer) -> Vec<(Duration, String)> {
    let mut ends = Vec::new();
    for ours in OURS_AND_FOREIGN {
        for _ in 0..20 {
            let fed = Fed::new(&layer().no_keep_alive(), ours);
            let opened = Instant::now();
            let rest = fed.open_silent(Method::GET).await.await.unwrap();
            ends.push((opened.elapsed(), rest));
        }
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn streams_end_at_about_their_maximum_age() {
    let ends = silent_until(|| layer().max_age(secs(1000))).await;
    assert!(ends.iter().all(|(_, rest)| rest == AWAY));
    let ages: Vec<_> = ends.iter().map(|(age, _)| age.as_secs()).collect();
    assert!(
        ages.iter().all(|age| (800..=1200).contains(age)),
        "{ages:?}"
    );
    assert!(
        ages.iter().max().unwrap() - ages.iter().min().unwrap() > 200,
        "{ages:?}"
    );
    // A time that no clock can hold is no time.
    let forever = Fed::new(&layer().max_age(Duration::MAX), true);
    let mut rest = forever.open_silent(Method::GET).await;
    assert!(time::timeout(secs(100_000), &mut rest).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_authority_of_its_client_does() {
    let (closed, told) = oneshot::channel();
    let at = (Instant::now() + secs(60)).into_std();
    let mut response = Some(
        Sse::new(stream::pending::<Job>())
            .end_at(at + secs(5))
            .end_at(at)
            .on_close(move |how| closed.send(how).unwrap()),
    );
    let service = tower::service_fn(move |_: Request<Body>| {
        let response = response.take().unwrap().into_response();
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let service = tower::Layer::layer(&layer().max_age(secs(3600)), service);
    let response = service.oneshot(Request::new(Body::empty())).await.unwrap();
    let opened = Instant::now();
    let text = Reader::of(response.map(Body::new)).rest().await;
    assert!(text.ends_with(AWAY), "{text}");
    assert_eq!(opened.elapsed(), secs(60));
    assert_eq!(told.await.unwrap().reason, CloseReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn authority_ends_for_busy_streams_and_posts_and_without_a_layer_too() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let busy = move || {
        let sender = sender.clone();
        let events = stream::iter(1_u64..).map(|n| Event::new().id(n).data("x"));
        Sse::new(events)
            .end_at((Instant::now() + secs(3)).into_std())
            .on_close(move |closed: Closed| sender.send(closed).unwrap())
    };
    let layered = app(&layer(), busy.clone());
    for method in [None, Some(Method::GET), Some(Method::POST)] {
        let response = match method {
            None => busy().into_response(),
            Some(method) => call(&layered, method, &[EVENTS]).await,
        };
        let opened = Instant::now();
        let mut reader = Reader::of(response);
        let mut text = String::new();
        while let Some(frame) = reader.next().await {
            text.push_str(str::from_utf8(&frame.unwrap()).unwrap());
            time::advance(Duration::from_millis(100)).await;
        }
        drop(reader);
        assert!((secs(3)..secs(4)).contains(&opened.elapsed()));
        let closed = told.try_recv().unwrap();
        assert_eq!(closed.reason, CloseReason::Expired);
        // A client comes back with the last id it has seen.
        let last = closed.last_id.unwrap();
        let (_, end) = text.rsplit_once("id: ").unwrap();
        let (id, hint) = end.split_once("\ndata: x\n\n").unwrap();
        assert_eq!(id, last.as_str());
        let millis = hint.strip_prefix("retry: ").unwrap().trim_end();
        assert!((1000..=5000).contains(&millis.parse().unwrap()), "{hint}");
        assert!(hint.ends_with("\n\n"));
    }
}

/// How a stream closed that was read to its end.
async fn closed<E: SseEvent + 'static>(sse: Sse<E>) -> Closed {
    let (sender, told) = oneshot::channel();
    let mut reader = Reader::of(sse.on_close(move |closed| sender.send(closed).unwrap()));
    while let Some(Ok(_)) = reader.next().await {}
    drop(reader);
    told.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_handler_is_told_how_its_stream_closed() {
    let ids = (1..=3_u64).map(|id| Event::new().id(id).data("x"));
    let how = closed(Sse::new(stream::iter(ids))).await;
    assert_eq!(
        (how.reason, how.events, how.bytes),
        (CloseReason::Ended, 3, 3 * 15)
    );
    assert_eq!(how.last_id, Some(EventId::from(3)));

    let how = closed(Sse::new(stream::iter([Job::Step(1), Job::Done]))).await;
    assert_eq!(
        (how.reason, how.events, how.last_id),
        (CloseReason::Done, 2, None)
    );

    let failing = stream::iter([Err::<Job, _>("boom")]);
    assert_eq!(closed(Sse::new(failing)).await.reason, CloseReason::Error);
    let reported = Sse::with_error(stream::iter([Err(())]), |()| Job::Trouble);
    assert_eq!(closed(reported).await.reason, CloseReason::Error);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_told_of_too() {
    let (sender, told) = oneshot::channel();
    let silent = Sse::new(stream::pending::<Job>());
    let mut reader = Reader::of(silent.on_close(move |closed| sender.send(closed).unwrap()));
    reader.frame().await;
    time::sleep(secs(7)).await;
    drop(reader);
    let how = told.await.unwrap();
    assert_eq!(
        (how.reason, how.age, how.bytes),
        (CloseReason::ClientGone, secs(7), 2)
    );

    // One that was never sent has no age.
    let (sender, told) = oneshot::channel();
    let silent = Sse::new(stream::pending::<Job>());
    drop(Reader::of(
        silent.on_close(move |closed| sender.send(closed).unwrap()),
    ));
    let how = told.await.unwrap();
    assert_eq!(
        (how.reason, how.age),
        (CloseReason::ClientGone, Duration::ZERO)
    );
}

#[tokio::test]
async fn a_stream_that_panics_closed_with_an_error() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let second = sender.clone();
    let panics = stream::iter([1]).map(|_| -> Event { panic!("a bug") });
    let sse = Sse::new(panics)
        .on_close(move |closed| sender.send((1, closed.reason)).unwrap())
        .on_close(move |closed| second.send((2, closed.reason)).unwrap());
    assert!(tokio::spawn(Reader::of(sse).rest()).await.is_err());
    assert_eq!(told.recv().await, Some((1, CloseReason::Error)));
    assert_eq!(told.recv().await, Some((2, CloseReason::Error)));
}
