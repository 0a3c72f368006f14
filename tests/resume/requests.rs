//! What starts a run, what attaches, and what passes.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use http::{Method, StatusCode};
use sse_tower::SseEvent;
use tokio::sync::Notify;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_post_starts_a_run_unless_one_is_going_on() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer());
    let mut poster = Client::of(post(&app).await);
    assert_eq!(post(&app).await.status(), StatusCode::CONFLICT);
    assert_eq!(upstream.calls(), 1);

    // A GET attaches, and so does a POST that comes back.
    let mut getter = Client::get(&app, "").await;
    upstream.send(0, ["1", "2"]);
    let seen = poster.event().await;
    getter.expect(["1", "2"]).await;
    let headers = [ADA, ("last-event-id", &*seen.id)];
    let mut back = Client::of(call(&app, Method::POST, "/run", &headers).await);
    back.expect(["2"]).await;
    assert_eq!(upstream.calls(), 1);

    // A run that has ended is replaced, and its ids are not those of the new one.
    upstream.end(0);
    back.ends().await;
    let mut second = Client::of(post(&app).await);
    upstream.send(1, ["new 1", "new 2"]);
    second.expect(["new 1", "new 2"]).await;
    assert_eq!(upstream.calls(), 2);
    assert_eq!(get(&app, &seen.id).await.status(), StatusCode::GONE);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_cannot_be_read_is_no_new_start() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer());
    let _first = Client::get(&app, "").await;
    upstream.send(0, ["1"]);
    let long = "7".repeat(9_000);
    for id in ["mine", "7.x", &long] {
        assert_eq!(get(&app, id).await.status(), StatusCode::GONE);
        let headers = [ADA, ("last-event-id", id)];
        let again = call(&app, Method::POST, "/run", &headers).await;
        assert_eq!(again.status(), StatusCode::GONE);
    }
    assert_eq!(upstream.calls(), 1);
}

#[derive(SseEvent)]
enum Word {
    Word(&'static str),
    #[sse(terminal)]
    Done,
}

/// On real threads: the end of the log and that of the run must not be seen one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_the_end_may_start_the_next_run() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let handler = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Sse::new(futures_util::stream::iter([Word::Word("a"), Word::Done])) }
    };
    let app = Router::new().route("/run", any(handler)).layer(layer());
    for call in 1..=200 {
        let mut client = Client::of(post(&app).await);
        client.expect(["\"a\"", "{}"]).await;
        assert_eq!(calls.load(Ordering::Relaxed), call);
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_may_attach_to_what_is_running() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().attach_running());
    let first = Client::of(post(&app).await);
    let mut second = Client::of(post(&app).await);
    upstream.send(0, ["1"]);
    second.expect(["1"]).await;
    assert_eq!(upstream.calls(), 1);

    upstream.end(0);
    second.ends().await;
    drop((first, post(&app).await));
    assert_eq!(upstream.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_post_may_replace_what_is_running() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer().replace_running());
    let mut first = Client::of(post(&app).await);
    upstream.send(0, ["1"]);
    let seen = first.event().await;
    // Of two runs, the one before has no connection, the other has one.
    for call in 1..=2 {
        let mut next = Client::of(post(&app).await);
        settle().await;
        assert!(
            upstream.is_dropped(call - 1),
            "nobody pays for what nobody reads"
        );
        first.breaks().await;
        // A GET gets the new one, and its predecessor is not missed.
        let mut getter = Client::get(&app, "").await;
        upstream.send(call, ["a"]);
        next.expect(["a"]).await;
        getter.expect(["a"]).await;
        assert_eq!(get(&app, &seen.id).await.status(), StatusCode::GONE);
        // Nor is the new one given up with it.
        drop(next);
        tokio::time::sleep(secs(120)).await;
        assert!(!upstream.is_dropped(call));
        first = getter;
    }

    // One that has ended is still read to its end.
    upstream.send(2, ["b"]);
    upstream.end(2);
    settle().await;
    let _next = post(&app).await;
    first.expect(["b"]).await;
    first.ends().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_stream_replaces_nothing() {
    let upstream = Upstream::ours();
    let refuse = Arc::new(AtomicUsize::new(0));
    let (shared, this) = (Arc::clone(&refuse), upstream.clone());
    let handler = move || {
        let refused = shared.load(Ordering::Relaxed) > 0;
        let this = this.clone();
        async move {
            if refused {
                // Longer than anybody waits for the one before.
                tokio::time::sleep(secs(1)).await;
                return StatusCode::PAYMENT_REQUIRED.into_response();
            }
            this.respond()
        }
    };
    let layer = layer().replace_running().linger(secs(5));
    let app = Router::new().route("/run", any(handler)).layer(layer);
    let mut first = Client::of(post(&app).await);
    refuse.store(1, Ordering::Relaxed);
    assert_eq!(post(&app).await.status(), StatusCode::PAYMENT_REQUIRED);
    upstream.send(0, ["1"]);
    first.expect(["1"]).await;
    assert_eq!(get(&app, "").await.status(), 200);

    // Nor does it keep one that nobody wants.
    drop(first);
    tokio::time::sleep(secs(4)).await;
    let refused = tokio::spawn({
        let app = app.clone();
        async move { post(&app).await.status() }
    });
    tokio::time::sleep(secs(2)).await;
    assert_eq!(refused.await.unwrap(), StatusCode::PAYMENT_REQUIRED);
    assert!(upstream.is_dropped(0));
    assert_eq!(get(&app, "").await.status(), StatusCode::PAYMENT_REQUIRED);
}

/// A handler that waits before it answers: with a stream, or first with `before`.
struct Slow {
    calls: AtomicUsize,
    go: Notify,
}

fn slow(before: Option<StatusCode>) -> (Arc<Slow>, Router) {
    let slow = Arc::new(Slow {
        calls: AtomicUsize::new(0),
        go: Notify::new(),
    });
    let shared = Arc::clone(&slow);
    let handler = move || {
        let slow = Arc::clone(&shared);
        async move {
            let call = slow.calls.fetch_add(1, Ordering::Relaxed);
            slow.go.notified().await;
            match before {
                Some(status) if call == 0 => status.into_response(),
                _ => said(["a", "b"]).into_response(),
            }
        }
    };
    let app = Router::new().route("/run", any(handler)).layer(layer());
    (slow, app)
}

#[tokio::test(start_paused = true)]
async fn first_requests_that_come_together_call_the_handler_once() {
    let (slow, app) = slow(None);
    let requests = join_all((0..5).map(|_| get(&app, "")));
    let requests = async {
        let go = async {
            settle().await;
            slow.go.notify_one();
        };
        tokio::join!(requests, go).0
    };
    let limit = tokio::time::timeout(secs(3600), requests);
    for response in limit.await.expect("answers for all") {
        let mut client = Client::of(response);
        client.expect(["a", "b"]).await;
        client.ends().await;
    }
    assert_eq!(slow.calls.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn the_next_is_first_if_the_first_was_no_stream_or_left() {
    let (slow, app) = slow(Some(StatusCode::PAYMENT_REQUIRED));
    let spawn = || {
        let app = app.clone();
        tokio::spawn(async move { get(&app, "").await })
    };
    let first = spawn();
    settle().await;
    let second = spawn();
    settle().await;
    slow.go.notify_one();
    assert_eq!(first.await.unwrap().status(), StatusCode::PAYMENT_REQUIRED);
    settle().await;
    // Which of several is the next is not said, so the third comes only now.
    let third = spawn();
    settle().await;
    assert_eq!(slow.calls.load(Ordering::Relaxed), 2);

    // The second leaves before there is an answer.
    second.abort();
    settle().await;
    assert_eq!(slow.calls.load(Ordering::Relaxed), 3);
    slow.go.notify_one();
    Client::of(third.await.unwrap()).expect(["a", "b"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_no_stream_leaves_the_run_before_it() {
    let upstream = Upstream::ours();
    let this = upstream.clone();
    let handler = move || {
        let full = this.calls() == 1;
        let response = this.respond();
        std::future::ready(if full {
            StatusCode::BAD_REQUEST.into_response()
        } else {
            response
        })
    };
    let app = Router::new().route("/run", any(handler)).layer(layer());
    let mut client = Client::of(post(&app).await);
    upstream.send(0, ["1", "2"]);
    let seen = client.event().await;
    upstream.end(0);
    client.expect(["2"]).await;
    client.ends().await;

    assert_eq!(post(&app).await.status(), StatusCode::BAD_REQUEST);
    Client::get(&app, &seen.id).await.expect(["2"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_resumable_passes() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer());
    for (method, headers) in [
        (Method::GET, &[][..]),
        (Method::HEAD, &[ADA]),
        (Method::OPTIONS, &[ADA]),
    ] {
        for _ in 0..2 {
            let calls = upstream.calls();
            let response = call(&app, method.clone(), "/run", headers).await;
            assert_eq!(response.headers()["set-cookie"], "session=1");
            assert_eq!(upstream.calls(), calls + 1, "{method}");
        }
    }

    // Without a key, the stream is that of the connection.
    let mut client = Client::of(call(&app, Method::GET, "/run", &[]).await);
    let last = upstream.calls() - 1;
    upstream.send(last, ["x"]);
    assert_eq!(client.event().await.id, "");
    drop(client);
    assert!(upstream.is_dropped(last));
}

#[tokio::test(start_paused = true)]
async fn other_responses_pass_and_are_no_runs() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let handler = move || {
        let response = match counted.fetch_add(1, Ordering::Relaxed) {
            0 => "text".into_response(),
            1 => (StatusCode::IM_A_TEAPOT, said(["x"])).into_response(),
            _ => ([("content-encoding", "gzip")], said(["x"])).into_response(),
        };
        std::future::ready(response)
    };
    let app = Router::new().route("/run", any(handler)).layer(layer());
    for body in ["text", "data: x\n\n", "data: x\n\n"] {
        let response = get(&app, "").await.into_body();
        assert_eq!(response.collect().await.unwrap().to_bytes(), body);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}
