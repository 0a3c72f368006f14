//! How runs end, and what late clients are told.

use futures_util::{StreamExt as _, stream};
use http::{Method, StatusCode};
use sse_tower::{Block, CloseReason, Closed, Retention, SseEvent};

use super::*;

#[tokio::test(start_paused = true)]
async fn the_producer_outlives_its_connection_for_the_linger_time() {
    for upstream in [Upstream::ours(), Upstream::foreign()] {
        let app = upstream.app(&layer().linger(secs(10)));
        let first = Client::get(&app, "").await;
        drop(first);
        pass(secs(9)).await;
        assert!(!upstream.is_dropped(0));

        // Whoever comes starts the time anew.
        drop(Client::get(&app, "").await);
        pass(secs(9)).await;
        assert!(!upstream.is_dropped(0));
        let client = Client::get(&app, "").await;
        pass(secs(60)).await;
        assert!(!upstream.is_dropped(0), "somebody is there");

        drop(client);
        pass(secs(11)).await;
        assert!(upstream.is_dropped(0));
        drop(Client::get(&app, "").await);
        assert_eq!(upstream.calls(), 2, "the run is gone");
    }
}

#[tokio::test(start_paused = true)]
async fn late_clients_get_the_rest_then_the_end_then_204() {
    let upstream = Upstream::foreign();
    let app = upstream.app(&layer());
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["1", "2"]);
    upstream.end(0);
    let first = client.event().await;
    let last = client.event().await;
    client.ends().await;

    let mut late = Client::get(&app, &first.id).await;
    late.expect(["2"]).await;
    late.ends().await;
    assert_eq!(get(&app, &last.id).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_read_can_be_forgotten_at_once() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().forget_when_read());
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["1"]);
    client.expect(["1"]).await;
    drop(client);
    upstream.send(0, ["2"]);
    upstream.end(0);
    settle().await;

    // Nobody has read all of it.
    let mut client = Client::get(&app, "").await;
    client.expect(["1"]).await;
    let last = client.event().await;
    client.ends().await;
    assert_eq!(upstream.calls(), 1);
    // Now somebody has.
    let late = get(&app, &last.id).await;
    assert_eq!(late.status(), StatusCode::NO_CONTENT);
    drop(get(&app, "").await);
    assert_eq!(upstream.calls(), 2);
}

/// A run of three events: one client has read it to its end, one has lost its connection before.
async fn read_by_one_of_two(app: &Router, upstream: &Upstream) -> [Dispatched; 3] {
    let mut whole = Client::get(app, "").await;
    let mut cut = Client::get(app, "").await;
    upstream.send(0, ["1", "2", "3"]);
    upstream.end(0);
    cut.expect(["1"]).await;
    drop(cut);
    let read = [
        whole.event().await,
        whole.event().await,
        whole.event().await,
    ];
    whole.ends().await;
    read
}

#[tokio::test(start_paused = true)]
async fn a_run_that_one_client_has_read_is_there_for_another_that_has_not() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().forget_when_read());
    let [first, _, last] = read_by_one_of_two(&app, &upstream).await;

    for _ in 0..2 {
        let mut back = Client::get(&app, &first.id).await;
        back.expect(["2", "3"]).await;
        back.ends().await;
    }
    assert_eq!(get(&app, &last.id).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_because_one_has_read_it_is_a_gap_for_another() {
    for snapshots in [false, true] {
        let mut layer = layer().forget_when_read();
        if snapshots {
            layer = layer.on_gap(|_, gap| {
                let known = *gap.gap().expect("it is an id of the layer");
                let lost = known.lost().unwrap().to_string();
                let snapshot = Event::new().data(lost).id(known.resume());
                let snapshot = Block::encode(&snapshot).map_err(Into::into);
                Sse::new(stream::iter([snapshot]).chain(gap.into_events()))
            });
        }
        let upstream = Upstream::ours();
        let app = once(&upstream, &layer);
        let [first, _, last] = read_by_one_of_two(&app, &upstream).await;
        // Who comes without an id does not find the run, and this handler has no other.
        assert_eq!(get(&app, "").await.status(), StatusCode::NOT_FOUND);

        if snapshots {
            let mut back = Client::get(&app, &first.id).await;
            let snapshot = back.event().await;
            assert_eq!((snapshot.data, &snapshot.id), ("2".into(), &last.id));
            back.ends().await;
        } else {
            assert_eq!(get(&app, &first.id).await.status(), StatusCode::GONE);
        }
        assert_eq!(get(&app, &last.id).await.status(), StatusCode::NO_CONTENT);
        assert_eq!(upstream.calls(), 1);
    }
}

/// A handler with one stream to give.
fn once(upstream: &Upstream, layer: &ResumeLayer) -> Router {
    let this = upstream.clone();
    let handler = move || {
        let first = this.calls() == 0;
        let response = first.then(|| this.respond());
        std::future::ready(response.ok_or(StatusCode::NOT_FOUND))
    };
    Router::new()
        .route("/run", any(handler))
        .layer(layer.clone())
}

#[tokio::test(start_paused = true)]
async fn a_run_without_events_is_over_for_who_comes_back() {
    for layer in [layer(), layer().forget_when_read()] {
        let upstream = Upstream::ours();
        let app = upstream.app(&layer);
        let client = Client::get(&app, "").await;
        upstream.end(0);
        client.ends().await;
        // An `EventSource` has no id, and would come back for ever.
        assert_eq!(get(&app, "").await.status(), StatusCode::NO_CONTENT);
        assert_eq!(upstream.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_end_nobody_was_given_was_not_read() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().forget_when_read());
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["1"]);
    client.expect(["1"]).await;
    drop(client);
    upstream.end(0);
    settle().await;

    let mut back = Client::get(&app, "").await;
    assert_eq!(upstream.calls(), 1);
    back.expect(["1"]).await;
    back.ends().await;
    drop(get(&app, "").await);
    assert_eq!(upstream.calls(), 2, "now it was");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ended_is_forgotten_but_for_its_ids() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().forget_after(secs(30)));
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["1", "2"]);
    let seen = client.event().await;
    upstream.end(0);
    client.expect(["2"]).await;
    client.ends().await;

    pass(secs(29)).await;
    Client::get(&app, &seen.id).await.expect(["2"]).await;
    pass(secs(2)).await;
    assert_eq!(get(&app, &seen.id).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(upstream.calls(), 1);
    // The id is hers alone.
    let headers = [BOB, ("last-event-id", &*seen.id)];
    Client::of(call(&app, Method::GET, "/run", &headers).await);
    assert_eq!(upstream.calls(), 2);
    drop(Client::get(&app, "").await);
    assert_eq!(upstream.calls(), 3);
}

/// A stream that fails in the given way behind its first event.
fn failing(panics: bool) -> Sse<Event> {
    let failure = stream::once(async move {
        assert!(!panics, "the handler's stream panics, as this test wants");
        Err("failed")
    });
    Sse::new(stream::iter([Ok(Event::new().data("1"))]).chain(failure))
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_never_a_clean_end() {
    for panics in [false, true] {
        let handler = move || std::future::ready(failing(panics));
        let layer = layer().forget_after(secs(30));
        let app = Router::new().route("/run", any(handler)).layer(layer);
        let mut client = Client::get(&app, "").await;
        let seen = client.event().await;
        client.breaks().await;

        let mut late = Client::get(&app, "").await;
        late.expect(["1"]).await;
        late.breaks().await;
        Client::get(&app, &seen.id).await.breaks().await;

        // What failed may be tried again.
        pass(secs(31)).await;
        Client::get(&app, &seen.id).await.expect(["1"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_run_is_told_not_that_of_a_connection() {
    let (sender, mut told) = mpsc::unbounded_channel::<Closed>();
    let upstream = Upstream::ours();
    let this = upstream.clone();
    let handler = move || {
        this.respond();
        let sender = sender.clone();
        let (events, receiver) = mpsc::unbounded_channel();
        *this.streams.lock().unwrap().last_mut().unwrap() = events;
        let events = UnboundedReceiverStream::new(receiver)
            .map(|data: Fed| data.map(|data| Event::new().data(data)));
        let sse = Sse::new(events).on_close(move |closed| sender.send(closed).unwrap());
        std::future::ready(sse)
    };
    let layer = layer().linger(secs(10));
    let app = Router::new().route("/run", any(handler)).layer(layer);

    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["1"]);
    client.expect(["1"]).await;
    drop(client);
    settle().await;
    assert!(told.try_recv().is_err(), "the run goes on");
    let client = Client::get(&app, "").await;
    upstream.end(0);
    settle().await;
    let closed = told.try_recv().unwrap();
    assert_eq!((closed.reason, closed.events), (CloseReason::Ended, 1));
    drop(client);
    settle().await;
    assert!(told.try_recv().is_err(), "told once");

    drop(post(&app).await);
    pass(secs(11)).await;
    assert_eq!(told.try_recv().unwrap().reason, CloseReason::ClientGone);
}

#[tokio::test(start_paused = true)]
async fn who_comes_too_late_is_told() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().keep(Retention::events(2)));
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["1", "2", "3", "4"]);
    let seen = client.event().await;
    client.expect(["2", "3", "4"]).await;

    // Removed, not given out yet, of another epoch, of something else, and the beginning.
    let (epoch, _) = seen.id.split_once('.').unwrap();
    let long = "1".repeat(9_000);
    for id in [&seen.id, &format!("{epoch}.5"), "1.2", "ours", &long, ""] {
        assert_eq!(get(&app, id).await.status(), StatusCode::GONE, "{id}");
    }
    assert_eq!(upstream.calls(), 1);
}

#[derive(SseEvent)]
enum Snapshot {
    Snapshot(u64),
}

#[tokio::test(start_paused = true)]
async fn a_gap_may_be_answered_by_a_snapshot_and_what_is_left() {
    let layer = layer().keep(Retention::events(2)).on_gap(|parts, gap| {
        assert_eq!(parts.uri.path(), "/run");
        let lost = gap.gap().and_then(|gap| gap.lost()).unwrap_or(0);
        let snapshot = Block::encode(&Snapshot::Snapshot(lost)).map_err(Into::into);
        Sse::new(stream::iter([snapshot]).chain(gap.into_events()))
    });
    let upstream = Upstream::ours();
    let app = upstream.app(&layer);
    let mut client = Client::get(&app, "").await;
    upstream.send(0, ["1", "2", "3", "4"]);
    let seen = client.event().await;
    client.expect(["2", "3", "4"]).await;

    let long = "1".repeat(9_000);
    for (id, lost) in [(&*seen.id, "1"), ("", "2"), ("ours", "0"), (&*long, "0")] {
        let mut late = Client::get(&app, id).await;
        late.expect([lost, "3", "4"]).await;
    }
    let mut late = Client::get(&app, &seen.id).await;
    late.expect(["1", "3", "4"]).await;
    upstream.send(0, ["5"]);
    late.expect(["5"]).await;
}
