//! How many streams may be open.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{future, stream};
use http::StatusCode;
use http::request::Parts;
use sse_tower::{Load, Shutdown};
use tokio::sync::Barrier;

use super::*;

fn silent() -> Sse {
    Sse::new(stream::pending::<Event>())
}

fn tenant(parts: &Parts) -> Option<String> {
    Some(parts.headers.get("tenant")?.to_str().ok()?.to_owned())
}

#[tokio::test(start_paused = true)]
async fn one_too_many_is_refused_before_the_handler_runs() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let app = app(&layer().max_streams(2), move || {
        counted.fetch_add(1, Ordering::Relaxed);
        silent()
    });
    let first = get(&app).await;
    let _second = get(&app).await;
    let third = get(&app).await;
    assert_eq!(third.status(), StatusCode::OK);
    assert_eq!(third.headers()["content-type"], "text/event-stream");
    assert_eq!(third.headers()["x-accel-buffering"], "no");
    assert_eq!(Reader::of(third).rest().await, AWAY);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    drop(first);
    let mut fourth = Reader::of(get(&app).await);
    assert_eq!(fourth.frame().await, ":\n");
}

#[tokio::test(start_paused = true)]
async fn who_did_not_ask_for_a_stream_gets_503_in_place_of_one() {
    let app = app(&layer().max_streams(1), silent);
    let _first = call(&app, Method::POST, &[]).await;
    let second = call(&app, Method::POST, &[("accept", "application/json")]).await;
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(second.headers()["retry-after"], "2");
    assert_eq!(second.headers()["cache-control"], "no-store");
    assert_eq!(Reader::of(second).rest().await, "");
}

const JSON_TOO: (&str, &str) = ("accept", "application/json, text/event-stream");

#[tokio::test(start_paused = true)]
async fn a_full_layer_lets_the_handler_answer_who_takes_json_too() {
    let stop = Shutdown::new();
    stop.begin();
    let per_key = layer().max_streams_per(|_| Some(()), 0);
    for full in [layer().max_streams(0), layer().shutdown(&stop), per_key] {
        let json = Router::new()
            .route("/", any(async || "{}"))
            .layer(full.clone());
        let answer = async |method| {
            Reader::of(call(&json, method, &[JSON_TOO]).await)
                .rest()
                .await
        };
        assert_eq!(answer(Method::POST).await, "{}");
        assert_eq!(answer(Method::GET).await, AWAY, "who opens a stream");
        let only = call(&json, Method::POST, &[EVENTS]).await;
        assert_eq!(Reader::of(only).rest().await, AWAY);

        let app = app(&full, silent);
        let stream = call(&app, Method::POST, &[JSON_TOO]).await;
        assert_eq!(
            Reader::of(stream).rest().await,
            AWAY,
            "in place of a stream"
        );
    }
}

/// Every request waits for the others before it is answered.
fn all_at_once(layer: &SseLayer, requests: usize) -> Router {
    let barrier = Arc::new(Barrier::new(requests));
    let handler = move || {
        let barrier = Arc::clone(&barrier);
        async move {
            barrier.wait().await;
            silent()
        }
    };
    Router::new().route("/", any(handler)).layer(layer.clone())
}

#[tokio::test(start_paused = true)]
async fn those_that_wait_together_are_counted_when_they_are_answered() {
    let by_tenant = layer().max_streams_per(tenant, 1);
    for layer in [layer().max_streams(1), by_tenant] {
        let app = all_at_once(&layer, 2);
        let headers = [EVENTS, ("tenant", "a")];
        let of = async || Reader::of(call(&app, Method::GET, &headers).await);
        let (mut one, mut two) = future::join(of(), of()).await;
        assert_eq!(layer.open_streams(), 1);
        let mut frames = [one.frame().await, two.frame().await];
        frames.sort();
        assert_eq!(frames, [":\n", AWAY]);
        drop((one, two));
        assert_eq!(layer.open_streams(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_layer_still_serves_pages() {
    let app = Router::new().route("/", any(async || "page"));
    let app = app.layer(layer().max_streams(0));
    for headers in [&[("accept", "text/html")][..], &[]] {
        let page = call(&app, Method::GET, headers).await;
        assert_eq!(Reader::of(page).rest().await, "page");
    }
}

#[tokio::test(start_paused = true)]
async fn each_key_has_its_own_limit() {
    let layer = layer().max_streams_per(tenant, 1);
    let app = app(&layer, silent);
    let of = async |tenant: &str| call(&app, Method::GET, &[EVENTS, ("tenant", tenant)]).await;
    let a = of("a").await;
    let mut b = Reader::of(of("b").await);
    assert_eq!(b.frame().await, ":\n");
    assert_eq!(Reader::of(of("a").await).rest().await, AWAY);
    // Without a key there is no limit.
    let (_one, _two) = (get(&app).await, get(&app).await);
    assert_eq!(layer.open_streams(), 4);
    drop(a);
    let mut again = Reader::of(of("a").await);
    assert_eq!(again.frame().await, ":\n");
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_nested_layers_both_hold() {
    let inner = layer().max_streams(1);
    let route = Router::new()
        .route("/", any(async || silent()))
        .layer(inner.clone());
    let outer = layer().max_streams_per(tenant, 1);
    let app = route.layer(outer.clone());
    let open = call(&app, Method::GET, &[EVENTS, ("tenant", "a")]).await;
    assert_eq!((inner.open_streams(), outer.open_streams()), (1, 1));
    // The answer of the inner layer is no stream to the outer one.
    let full = call(&app, Method::GET, &[EVENTS, ("tenant", "b")]).await;
    assert_eq!(outer.open_streams(), 1);
    assert_eq!(Reader::of(full).rest().await, AWAY);
    drop(open);
    assert_eq!((inner.open_streams(), outer.open_streams()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_head_request_takes_no_permit() {
    let layer = layer().max_streams(1);
    let app = app(&layer, silent);
    let head = call(&app, Method::HEAD, &[]).await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(layer.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_request_needs_no_room() {
    let gone = Router::new().route("/", any(StatusCode::GONE));
    let app = gone.layer(layer().max_streams(0));
    let head = call(&app, Method::HEAD, &[EVENTS]).await;
    assert_eq!(head.status(), StatusCode::GONE);
}

#[tokio::test(start_paused = true)]
async fn a_compressed_stream_counts_although_nothing_is_added() {
    let layer = layer().max_streams(1);
    let gzipped = async || {
        let headers = [
            ("content-type", "text/event-stream"),
            ("content-encoding", "gzip"),
        ];
        (
            headers,
            Body::from_stream(stream::pending::<Result<&str, Infallible>>()),
        )
            .into_response()
    };
    let app = Router::new().route("/", any(gzipped)).layer(layer.clone());
    let open = get(&app).await;
    assert_eq!(layer.open_streams(), 1);
    assert_eq!(Reader::of(get(&app).await).rest().await, AWAY);
    drop(open);
    assert_eq!(layer.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn hints_may_follow_the_load() {
    let by_load =
        || Retry::by(|load: &Load| secs(load.open as u64 * 10 + u64::from(load.max == Some(2))));
    let layer = SseLayer::new()
        .retry(by_load())
        .reconnect(by_load())
        .max_streams(2);
    let app = app(&layer, silent);
    let mut first = Reader::of(get(&app).await);
    assert_eq!(first.frame().await, "retry: 11000\n");
    let mut second = Reader::of(get(&app).await);
    assert_eq!(second.frame().await, "retry: 21000\n");
    assert_eq!(Reader::of(get(&app).await).rest().await, "retry: 21000\n\n");
}
