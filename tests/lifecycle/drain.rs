//! What happens to streams when the server is about to stop.

use futures_util::stream;
use http::StatusCode;
use sse_tower::{Drain, END_ID, Event, Shutdown, SseEvent};
use tokio::time::{self, Instant};

use super::*;

#[derive(SseEvent)]
enum Notice {
    Restarting {
        reason: &'static str,
    },
    #[sse(terminal)]
    Gone,
}

const RESTARTING: Notice = Notice::Restarting { reason: "deploy" };

#[tokio::test(start_paused = true)]
async fn a_get_ends_at_once() {
    for ours in OURS_AND_FOREIGN {
        let stop = Shutdown::new();
        let fed = Fed::new(&layer().shutdown(&stop), ours);
        let rest = fed.open_silent(Method::GET).await;
        let begun = Instant::now();
        stop.begin();
        assert_eq!(rest.await.unwrap(), AWAY);
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn other_methods_may_finish_within_25_seconds() {
    for ours in OURS_AND_FOREIGN {
        let stop = Shutdown::new();
        let layer = layer().no_keep_alive().shutdown(&stop);
        let fed = Fed::new(&layer, ours);
        let rest = fed.open_silent(Method::POST).await;
        let late = Fed::new(&layer, ours);
        let too_late = late.open_silent(Method::POST).await;
        let begun = Instant::now();
        stop.begin();
        time::sleep(secs(24)).await;
        fed.send("the answer");
        drop(fed);
        assert_eq!(rest.await.unwrap(), "data: the answer\n\n");
        assert_eq!(too_late.await.unwrap(), AWAY);
        assert_eq!(begun.elapsed(), secs(25));
    }
}

#[tokio::test(start_paused = true)]
async fn every_policy_does_what_it_says() {
    /// When a silent stream ends after the shutdown began.
    async fn ends_after(drain: Drain, ours: bool) -> Option<Duration> {
        let stop = Shutdown::new();
        let fed = Fed::new(&layer().no_keep_alive().drain(drain).shutdown(&stop), ours);
        let rest = fed.open_silent(Method::GET).await;
        let begun = Instant::now();
        stop.begin();
        time::timeout(secs(3600), rest).await.ok()?.unwrap();
        Some(begun.elapsed())
    }
    for ours in OURS_AND_FOREIGN {
        assert_eq!(ends_after(Drain::EndNow, ours).await, Some(Duration::ZERO));
        let within = Drain::FinishWithin(secs(30));
        assert_eq!(ends_after(within, ours).await, Some(secs(30)));
        assert_eq!(ends_after(Drain::Finish, ours).await, None);
        let mut spread = Vec::new();
        for _ in 0..20 {
            spread.push(ends_after(Drain::EndWithin(secs(10)), ours).await.unwrap());
        }
        assert!(spread.iter().all(|after| *after <= secs(10)));
        let width = *spread.iter().max().unwrap() - *spread.iter().min().unwrap();
        assert!(width > secs(3), "{spread:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_that_no_clock_can_hold_is_never_and_none_at_all_is_now() {
    for (limit, ends) in [(Duration::MAX, false), (Duration::ZERO, true)] {
        for drain in [Drain::EndWithin(limit), Drain::FinishWithin(limit)] {
            let stop = Shutdown::new();
            let fed = Fed::new(&layer().shutdown(&stop).drain(drain), true);
            let rest = fed.open_silent(Method::GET).await;
            stop.begin();
            let ended = time::timeout(secs(100_000), rest).await.map(Result::unwrap);
            assert_eq!(ended.is_ok(), ends, "{drain:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_policy_of_the_handler_wins() {
    let stop = Shutdown::new();
    let finishing = || Sse::new(stream::pending::<Event>()).drain(Drain::FinishWithin(secs(5)));
    let app = app(&layer().drain(Drain::EndNow).shutdown(&stop), finishing);
    let rest = tokio::spawn(Reader::of(get(&app).await).rest());
    time::sleep(secs(1)).await;
    let begun = Instant::now();
    stop.begin();
    rest.await.unwrap();
    assert_eq!(begun.elapsed(), secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_typed_goodbye_is_the_last_event() {
    for ours in OURS_AND_FOREIGN {
        let stop = Shutdown::new();
        let layer = layer().shutdown(&stop).goodbye(&RESTARTING).unwrap();
        let fed = Fed::new(&layer, ours);
        let rest = fed.open_silent(Method::GET).await;
        stop.begin();
        assert_eq!(
            rest.await.unwrap(),
            "retry: 2000\nevent: restarting\ndata: {\"reason\":\"deploy\"}\n\n"
        );
    }
    // The handler knows better, and says that nobody need come back.
    let stop = Shutdown::new();
    let layer = layer().shutdown(&stop).goodbye(&RESTARTING).unwrap();
    let silent = || {
        let silent = Sse::new(stream::pending::<Notice>());
        silent.goodbye(&Notice::Gone).unwrap()
    };
    let mut reader = Reader::of(get(&app(&layer, silent)).await);
    assert_eq!(reader.frame().await, ":\n");
    stop.begin();
    assert_eq!(
        reader.rest().await,
        format!(
            "retry: 2000\nevent: gone\ndata: {{}}\n\n\
             event: {END_ID}\nid: {END_ID}\ndata: {{}}\n\n"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_is_no_event_leaves_no_block_open() {
    for (goodbye, rest) in [
        (Event::new().comment("bye"), "retry: 2000\n: bye\n\n"),
        (Event::new(), "retry: 2000\n\n"),
    ] {
        for ours in OURS_AND_FOREIGN {
            let stop = Shutdown::new();
            let layer = layer().shutdown(&stop).goodbye(&goodbye).unwrap();
            let ends = Fed::new(&layer, ours).open_silent(Method::GET).await;
            stop.begin();
            assert_eq!(ends.await.unwrap(), rest);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_in_the_middle_of_an_event_completes_it() {
    let stop = Shutdown::new();
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut body = Some(UnboundedReceiverStream::new(receiver).map(Ok::<&str, Infallible>));
    let service = tower::service_fn(move |_: Request<Body>| {
        let body = Body::from_stream(body.take().unwrap());
        let response = ([("content-type", "text/event-stream")], body).into_response();
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let service = tower::Layer::layer(&layer().shutdown(&stop), service);
    let response = service.oneshot(Request::new(Body::empty())).await.unwrap();
    let mut reader = Reader::of(response.map(Body::new));
    sender.send("data: ha").unwrap();
    assert_eq!(reader.frame().await, "data: ha");
    stop.begin();
    assert!(
        time::timeout(Duration::from_millis(900), reader.frame())
            .await
            .is_err()
    );
    sender.send("lf\n\ndata: ne").unwrap();
    assert_eq!(reader.rest().await, format!("lf\n\n{AWAY}"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_always_ready_ends_too() {
    let stop = Shutdown::new();
    let layer = layer().shutdown(&stop).drain(Drain::FinishWithin(secs(3)));
    let busy = || Sse::new(stream::repeat_with(|| Event::new().data("x")));
    let mut reader = Reader::of(get(&app(&layer, busy)).await);
    reader.frame().await;
    stop.begin();
    let begun = Instant::now();
    while let Some(frame) = reader.next().await {
        let frame = frame.unwrap();
        if frame.ends_with(AWAY.as_bytes()) {
            assert!(begun.elapsed() >= secs(3));
        }
        time::advance(Duration::from_millis(100)).await;
    }
    assert!(begun.elapsed() < secs(4));
}

#[tokio::test(start_paused = true)]
async fn who_comes_during_the_drain_is_sent_away() {
    let stop = Shutdown::new();
    let layer = layer().shutdown(&stop);
    let silent = app(&layer, || Sse::new(stream::pending::<Event>()));
    stop.begin();
    let response = get(&silent).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(Reader::of(response).rest().await, AWAY);
    let response = call(&silent, Method::POST, &[]).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "2");
    // What is no stream is served to the last.
    let page = Router::new()
        .route("/", any(async || "page"))
        .layer(layer.clone());
    let page = call(&page, Method::GET, &[("accept", "text/html")]).await;
    assert_eq!(Reader::of(page).rest().await, "page");
    assert_eq!(layer.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_shutdown_serves_many_layers_and_late_ones() {
    let stop = Shutdown::new();
    let early = Fed::new(&layer().shutdown(&stop), true);
    let rest = early.open_silent(Method::GET).await;
    assert!(!stop.has_begun());
    stop.begin();
    stop.begin();
    stop.begun().await;
    assert_eq!(rest.await.unwrap(), AWAY);
    let late = Fed::new(&layer().shutdown(&stop), true);
    assert_eq!(late.open(Method::GET).await.rest().await, AWAY);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_token_begins_it() {
    let token = tokio_util::sync::CancellationToken::new();
    let stop = Shutdown::from(token.clone());
    let fed = Fed::new(&layer().shutdown(&stop), true);
    let rest = fed.open_silent(Method::GET).await;
    token.cancel();
    assert_eq!(rest.await.unwrap(), AWAY);
    stop.begun().await;

    let cancelled = Shutdown::from(token);
    cancelled.begun().await;
    let late = Fed::new(&layer().shutdown(&cancelled), true);
    assert_eq!(late.open(Method::GET).await.rest().await, AWAY);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_cancelled_has_begun_it_before_anybody_comes() {
    let token = tokio_util::sync::CancellationToken::new();
    let stop = Shutdown::from(token.clone());
    let silent = app(&layer().shutdown(&stop), || -> Sse {
        panic!("the handler does not run")
    });
    token.cancel();
    assert_eq!(Reader::of(get(&silent).await).rest().await, AWAY);
    let stop = Shutdown::from(token);
    assert!(stop.has_begun());
}

/// 2,000 browsers, the restart of their server, and when each of them is back.
#[tokio::test(start_paused = true)]
async fn clients_do_not_come_back_together() {
    let spread = secs(20);
    let stop = Shutdown::new();
    let layer = SseLayer::new()
        .shutdown(&stop)
        .reconnect(Retry::between(secs(1), secs(1) + spread));
    let app = app(&layer, || Sse::new(stream::pending::<Event>()));
    let mut readers = Vec::new();
    for _ in 0..2000 {
        let mut reader = Reader::of(get(&app).await);
        reader.frame().await;
        readers.push(reader);
    }
    stop.begin();
    let mut per_second = [0_u32; 32];
    for reader in readers {
        let hint = reader.rest().await;
        let millis: usize = hint
            .trim()
            .strip_prefix("retry: ")
            .unwrap()
            .parse()
            .unwrap();
        per_second[millis / 1000] += 1;
    }
    let busiest = *per_second.iter().max().unwrap();
    let mean = 2000 / u32::try_from(spread.as_secs()).unwrap();
    assert!(busiest <= 3 * mean, "{per_second:?}");
    assert_eq!(layer.open_streams(), 0);
}
