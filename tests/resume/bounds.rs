//! What is kept, and who waits for whom.

use http::StatusCode;
use sse_tower::{CloseReason, Closed, Json, Limits, Observe, Retention, SseLayer, Topic};
use tokio::time::sleep;

use super::*;

/// More than the log of [`small`] keeps.
const MANY: usize = 100;
const KEPT: usize = 10;

fn small() -> ResumeLayer {
    layer().keep(Retention::default().bytes(KEPT * 100))
}

/// An event of a hundred bytes, with its id.
const EVENT: &str = "0123456789012345678901234567890123456789012345678901234567890123456789";

#[tokio::test(start_paused = true)]
async fn without_a_connection_the_producer_goes_on_and_the_log_stays_bounded() {
    let upstream = Upstream::ours();
    let app = upstream.app(&small());
    let mut client = Client::get(&app, "").await;
    upstream.send(0, [EVENT]);
    let seen = client.event().await;
    drop(client);
    upstream.send(0, [EVENT; MANY]);
    settle().await;
    upstream.end(0);
    settle().await;

    assert_eq!(get(&app, &seen.id).await.status(), StatusCode::GONE);
    let (epoch, _) = seen.id.split_once('.').unwrap();
    let kept_after = |n: usize| format!("{epoch}.{}", MANY + 1 - n);
    assert_eq!(get(&app, &kept_after(0)).await.status(), 204);
    let mut late = Client::get(&app, &kept_after(KEPT - 1)).await;
    late.expect([EVENT; KEPT - 1]).await;
    late.ends().await;
    assert_eq!(get(&app, &kept_after(KEPT + 3)).await.status(), 410);
}

#[tokio::test(start_paused = true)]
async fn a_lone_connection_loses_nothing_however_much_is_ready() {
    for keep in [
        Retention::events(1),
        Retention::events(7),
        Retention::default().bytes(150),
        Retention::default().bytes(KEPT * 100),
    ] {
        let upstream = Upstream::foreign();
        let app = upstream.app(&layer().keep(keep));
        let mut client = Client::get(&app, "").await;
        upstream.send(0, (0..MANY).flat_map(|_| ["small", EVENT]));
        upstream.end(0);
        // The producer waits for it, as it would without the layer.
        settle().await;
        for _ in 0..MANY {
            client.expect(["small", EVENT]).await;
        }
        client.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_falls_behind_others_is_ended_and_told() {
    let upstream = Upstream::ours();
    let app = upstream.app(&small());
    let mut fast = Client::get(&app, "").await;
    let mut slow = Client::get(&app, "").await;
    upstream.send(0, ["first"]);
    fast.expect(["first"]).await;
    let seen = slow.event().await;
    for _ in 0..MANY {
        upstream.send(0, [EVENT]);
        fast.expect([EVENT]).await;
    }
    slow.breaks().await;
    assert_eq!(get(&app, &seen.id).await.status(), StatusCode::GONE);
    upstream.send(0, ["last"]);
    fast.expect(["last"]).await;
}

#[tokio::test(start_paused = true)]
async fn who_fell_behind_is_observed_as_such() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let observer = move |closed: &Closed| sender.send(closed.reason).unwrap();
    let upstream = Upstream::ours();
    let app = upstream.app(&small());
    let app = app.layer(SseLayer::new().observe(observer));
    let mut fast = Client::get(&app, "").await;
    let mut slow = Client::get(&app, "").await;
    upstream.send(0, ["first"]);
    fast.expect(["first"]).await;
    slow.expect(["first"]).await;
    for _ in 0..MANY {
        upstream.send(0, [EVENT]);
        fast.expect([EVENT]).await;
    }
    slow.breaks().await;
    assert_eq!(told.try_recv().unwrap(), CloseReason::Lagged);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_falls_behind_its_topic_closes_as_such() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let topic = Topic::<Json<usize>>::new(Retention::events(2));
    let feed = topic.clone();
    let handler = move || {
        let sender = sender.clone();
        let sse = Sse::from(feed.live());
        std::future::ready(sse.on_close(move |closed| sender.send(closed.reason).unwrap()))
    };
    let app = Router::new().route("/run", any(handler)).layer(layer());
    let mut client = Client::get(&app, "").await;
    settle().await;
    topic.publish_all((0..MANY).map(Json)).unwrap();
    assert!(client.next().await.is_err());
    assert_eq!(told.recv().await, Some(CloseReason::Lagged));
}

#[tokio::test(start_paused = true)]
async fn an_event_of_another_library_may_be_as_large_as_allowed() {
    const EVENT: &str = "a text of 24 bytes or so";
    for (limits, is_whole) in [
        (Limits::default(), true),
        (Limits::default().with_event(23), false),
    ] {
        let upstream = Upstream::foreign();
        let app = upstream.app(&layer().limits(limits));
        let mut client = Client::get(&app, "").await;
        upstream.send(0, [EVENT]);
        if is_whole {
            client.expect([EVENT]).await;
        } else {
            client.breaks().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_is_always_ready_lets_others_run() {
    let handler = || {
        let events = futures_util::stream::repeat_with(|| Event::new().data("x"));
        std::future::ready(Sse::new(events))
    };
    let app = Router::new().route("/run", any(handler));
    let app = app.layer(layer().linger(secs(10)));
    let mut client = Client::get(&app, "").await;
    client.expect(["x"; 1000]).await;
    drop(client);
    // Without anybody it runs freely, and so do we.
    settle().await;
    let again = get(&app, "").await;
    assert_eq!(again.status(), StatusCode::GONE);
}

#[tokio::test(start_paused = true)]
async fn there_are_only_so_many_runs() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().max_runs(2));
    let open = async |path, accept| {
        let headers = [ADA, ("accept", accept)];
        call(&app, Method::GET, path, &headers).await
    };
    let (sse, json) = ("text/event-stream", "application/json");
    let mut one = Client::of(open("/1", sse).await);
    let _two = open("/2", sse).await;

    let later = open("/3", sse).await;
    assert_eq!(later.status(), 200);
    let later = later.into_body().collect().await.unwrap().to_bytes();
    assert!(later.starts_with(b"retry: ") && later.ends_with(b"\n\n"));
    assert_eq!(upstream.calls(), 2);

    // One that has ended, and that nobody reads, makes room; its ids are still known.
    upstream.send(0, ["x"]);
    let seen = one.event().await;
    upstream.end(0);
    one.ends().await;
    Client::of(open("/3", sse).await);
    assert_eq!(upstream.calls(), 3);
    let headers = [ADA, ("last-event-id", &*seen.id)];
    let back = call(&app, Method::GET, "/1", &headers).await;
    assert_eq!(back.status(), 204);

    // Who has not asked for a stream finds out that it is one.
    let refused = open("/4", json).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(upstream.calls(), 4);
    settle().await;
    assert!(upstream.is_dropped(3), "nobody reads it");
}

/// As a full `SseLayer` does.
#[tokio::test(start_paused = true)]
async fn a_full_layer_lets_the_handler_answer_who_takes_json_too() {
    let full = layer().max_runs(0);
    let app = Router::new()
        .route("/json", any(async || "{}"))
        .layer(full.clone())
        .merge(
            Router::new()
                .route("/run", any(async || said(["x"])))
                .layer(full),
        );
    let text = async |method, path, accept| {
        let response = call(&app, method, path, &[ADA, ("accept", accept)]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let both = "application/json, text/event-stream";
    assert_eq!(text(Method::POST, "/json", both).await, "{}");
    assert_eq!(text(Method::GET, "/json", "*/*").await, "{}");
    for (method, path, accept) in [
        (Method::GET, "/json", both),
        (Method::POST, "/json", "text/event-stream"),
        (Method::POST, "/run", both),
    ] {
        let away = text(method, path, accept).await;
        assert!(
            away.starts_with("retry: ") && !away.contains("data"),
            "{away}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_forgotten_twice_is_remembered_once() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().max_runs(2).forget_after(secs(10)));
    let run = async |path, call_number| {
        let response = call(&app, Method::POST, path, &[ADA]).await;
        let mut client = Client::of(response);
        upstream.send(call_number, ["x"]);
        let seen = client.event().await;
        upstream.end(call_number);
        client.ends().await;
        sleep(secs(11)).await;
        seen.id
    };
    let seen = run("/1", 0).await;
    for n in 1..=3 {
        run("/2", n).await;
    }
    let headers = [ADA, ("last-event-id", &*seen)];
    let back = call(&app, Method::GET, "/1", &headers).await;
    assert_eq!(back.status(), 204);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_gone_although_the_producer_is_quiet() {
    let upstream = Upstream::ours();
    let keep = Retention::events(100).age(secs(60));
    let app = upstream.app(&layer().keep(keep).linger(secs(600)));
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["a", "b"]);
    let seen = client.event().await.id;
    assert_eq!(get(&app, &seen).await.status(), 200);
    pass(secs(61)).await;
    assert_eq!(get(&app, &seen).await.status(), StatusCode::GONE);
}

#[derive(Debug, Default)]
struct Waited(Mutex<Vec<u64>>);

impl Observe for Waited {
    fn closed(&self, _: &sse_tower::Closed) {}

    fn waited(&self, events: u64) {
        self.0.lock().unwrap().push(events);
    }
}

#[tokio::test(start_paused = true)]
async fn how_many_events_waited_for_a_connection_is_told() {
    let upstream = Upstream::ours();
    let waited = Arc::new(Waited::default());
    let observed = SseLayer::new().observe(Arc::clone(&waited));
    let app = upstream.app(&layer()).layer(observed);
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["a", "b", "c"]);
    client.expect(["a", "b", "c"]).await;
    upstream.send(0, ["d"]);
    client.expect(["d"]).await;
    let waited = waited.0.lock().unwrap();
    assert_eq!((waited.iter().sum::<u64>(), waited.last()), (4, Some(&1)));
}
