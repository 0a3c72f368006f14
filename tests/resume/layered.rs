//! Inside of an `SseLayer`, and behind what loses the extensions of a response.

use futures_util::stream;
use http::{Method, StatusCode};
use sse_tower::{END_ID, KeepAlive, Retry, Shutdown, SseEvent, SseLayer};

use super::*;

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

#[derive(SseEvent)]
enum Count {
    Number(u8),
    #[sse(terminal)]
    Done,
}

#[tokio::test(start_paused = true)]
async fn every_connection_has_its_keep_alive_and_its_hint() {
    let upstream = Upstream::ours();
    let outer = SseLayer::new()
        .keep_alive(KeepAlive::every(secs(10)))
        .retry(Retry::fixed(secs(3)));
    let app = upstream.app(&layer()).layer(outer);
    let mut first = get(&app, "").await.into_body();
    upstream.send(0, ["1"]);
    settle().await;
    let mut second = get(&app, "").await.into_body();
    for body in [&mut first, &mut second] {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        assert!(text.starts_with("retry: 3000\n"), "{text}");
        while let Ok(frame) = body.frame().await.unwrap().unwrap().into_data() {
            if frame == ":\n" {
                break;
            }
        }
    }
    // None of which is in the log.
    drop((first, second));
    upstream.end(0);
    settle().await;
    let body = get(&app, "").await.into_body().collect().await.unwrap();
    let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains(':')).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_the_handler_decides_holds_for_every_connection() {
    let handler = || std::future::ready(said(["1"]).retry(Retry::fixed(secs(7))));
    let outer = SseLayer::new().retry(Retry::fixed(secs(3)));
    let app = Router::new().route("/run", any(handler));
    let app = app.layer(layer()).layer(outer);
    for _ in 0..2 {
        let body = get(&app, "").await.into_body().collect().await.unwrap();
        assert!(body.to_bytes().starts_with(b"retry: 7000\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_terminal_event_ends_browsers_early_and_late() {
    let handler = || {
        let events = [Count::Number(1), Count::Done, Count::Number(2)];
        std::future::ready(Sse::new(stream::iter(events)))
    };
    let app = Router::new().route("/run", any(handler));
    let app = app.layer(layer()).layer(SseLayer::new());
    for _ in 0..2 {
        let mut client = Client::of(call(&app, Method::GET, "/run", &[ADA, EVENTS]).await);
        client.expect(["1", "{}"]).await;
        let marker = client.event().await;
        assert_eq!(marker.event, END_ID);
        client.ends().await;
        let headers = [ADA, EVENTS, ("last-event-id", &*marker.id)];
        let back = call(&app, Method::GET, "/run", &headers).await;
        assert_eq!(back.status(), StatusCode::NO_CONTENT);
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_connections_and_not_the_run() {
    let stop = Shutdown::new();
    let upstream = Upstream::ours();
    let resume = layer();
    let draining = SseLayer::new().shutdown(&stop);
    let app = upstream.app(&resume);
    let drained = app.clone().layer(draining);
    let mut client = Client::get(&drained, "").await;
    upstream.send(0, ["1"]);
    let seen = client.event().await;
    stop.begin();
    client.ends().await;

    upstream.send(0, ["2"]);
    Client::get(&app, &seen.id).await.expect(["2"]).await;
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn streams_without_their_extension_are_cut_like_anybodys() {
    let inner = SseLayer::new().keep_alive(KeepAlive::every(secs(1)));
    let handler = || {
        let events = stream::iter([Count::Number(1), Count::Done]);
        std::future::ready(Sse::new(events))
    };
    let anew = async |response: Response| {
        let mut fresh = Response::new(response.into_body());
        let content_type = "text/event-stream; charset=utf-8".parse().unwrap();
        fresh.headers_mut().insert("content-type", content_type);
        fresh
    };
    let app = Router::new()
        .route("/run", any(handler))
        .layer(inner)
        .layer(axum::middleware::map_response(anew))
        .layer(layer());
    // The marker of the inner layer is for one client; the run ends there.
    for _ in 0..2 {
        let mut client = Client::of(call(&app, Method::GET, "/run", &[ADA, EVENTS]).await);
        client.expect(["1", "{}"]).await;
        client.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn clients_that_a_layer_inside_sends_away_may_come_back() {
    let upstream = Upstream::ours();
    let stop = Shutdown::new();
    stop.begin();
    let this = upstream.clone();
    let handler = move || std::future::ready(this.respond());
    let app = Router::new()
        .route("/run", any(handler))
        .layer(SseLayer::new().shutdown(&stop))
        .layer(layer());
    for _ in 0..2 {
        let away = call(&app, Method::GET, "/run", &[ADA, EVENTS]).await;
        let body = away.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(b"retry: "), "{body:?}");
    }
}
