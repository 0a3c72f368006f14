//! The options of the attribute.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::{Request, StatusCode};
use sse_tower::{Drain, Ids, KeepAlive, Retry, Shutdown, Sse, SseLayer, sse_handler};
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use crate::{Count, answer, body, numbers, rest};

#[tokio::test(start_paused = true)]
async fn options_reach_the_response() {
    const QUIET: Duration = Duration::from_secs(40);

    fn quiet() -> impl Stream<Item = Count> {
        stream::once(async {
            tokio::time::sleep(QUIET).await;
            Count::Number(1)
        })
    }

    #[sse_handler(keep_alive = "15s", retry = "3s")]
    async fn texts() -> impl Stream<Item = Count> {
        quiet()
    }

    #[sse_handler(keep_alive = false, retry = "2s..8s")]
    async fn never() -> impl Stream<Item = Count> {
        quiet()
    }

    #[sse_handler(
        keep_alive = KeepAlive::every(QUIET * 3 / 4).comment("x"),
        retry = Retry::fixed(QUIET),
        crate = ::sse_tower,
    )]
    async fn exprs() -> impl Stream<Item = Count> {
        quiet()
    }

    let app = Router::new()
        .route("/texts", get(texts))
        .route("/never", get(never))
        .route("/exprs", get(exprs));
    let texts = body(app.clone(), "/texts").await;
    assert_eq!(texts, "retry: 3000\n:\n:\nevent: number\ndata: 1\n\n");
    let never = body(app.clone(), "/never").await;
    let (retry, rest) = never.split_once('\n').unwrap();
    let retry = retry
        .strip_prefix("retry: ")
        .unwrap()
        .parse::<u64>()
        .unwrap();
    assert!((2000..=8000).contains(&retry), "{retry}");
    assert_eq!(rest, "event: number\ndata: 1\n\n");
    let exprs = body(app, "/exprs").await;
    assert_eq!(exprs, "retry: 40000\n: x\nevent: number\ndata: 1\n\n");
}

#[tokio::test]
async fn ids_are_given_to_events_that_have_none() {
    #[sse_handler(ids = Ids::sequence())]
    async fn counted() -> impl Stream<Item = Count> {
        numbers(2)
    }

    let app = Router::new()
        .route("/", get(counted))
        .layer(SseLayer::new());
    let request = Request::get("/")
        .header("last-event-id", "7")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        answer(app, request).await.1,
        "event: number\nid: 8\ndata: 0\n\nevent: number\nid: 9\ndata: 1\n\n"
    );
}

#[tokio::test]
async fn finish_is_the_last_event() {
    #[sse_handler(finish = Count::Done)]
    async fn ends(Path(to): Path<u32>) -> Option<impl Stream<Item = Count>> {
        (to > 0).then(|| numbers(to))
    }

    #[sse_handler(finish = Count::Done)]
    async fn ended() -> Sse<Count> {
        Sse::new(stream::iter([Count::Done]))
    }

    let app = Router::new()
        .route("/ends/{to}", get(ends))
        .route("/ended", get(ended));
    let ends = "event: number\ndata: 0\n\nevent: done\ndata: {}\n\n";
    assert_eq!(body(app.clone(), "/ends/1").await, ends);
    assert_eq!(
        body(app.clone(), "/ended").await,
        "event: done\ndata: {}\n\n"
    );
    let request = Request::get("/ends/0").body(Body::empty()).unwrap();
    let nothing = (StatusCode::NO_CONTENT, String::new());
    assert_eq!(answer(app, request).await, nothing);
}

/// Options stand outside of the function: what its arguments are called is its own affair.
#[tokio::test]
async fn options_do_not_see_the_arguments() {
    fn to() -> u32 {
        7
    }
    fn arg0(_: io::Error) -> Count {
        Count::Number(to())
    }

    #[sse_handler(finish = Count::Number(to()), on_error = arg0)]
    async fn shadowing(Path(to): Path<u32>) -> impl Stream<Item = io::Result<Count>> {
        stream::iter((0..to).map(|n| {
            if n == 0 {
                Ok(Count::Number(n))
            } else {
                Err(refused())
            }
        }))
    }

    let app = Router::new().route("/{to}", get(shadowing));
    for uri in ["/1", "/2"] {
        assert_eq!(
            body(app.clone(), uri).await,
            "event: number\ndata: 0\n\nevent: number\ndata: 7\n\n",
            "{uri}"
        );
    }
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

/// One event, then an error.
fn failing() -> impl Stream<Item = io::Result<Count>> + Send {
    stream::iter([Ok(Count::Number(0)), Err(refused()), Ok(Count::Number(1))])
}

#[tokio::test]
async fn on_error_maps_the_error_of_every_form() {
    type Answer<T> = Result<T, StatusCode>;
    struct NoError(&'static str);

    #[sse_handler(on_error = |error: io::Error| Count::Word(error.kind().to_string()))]
    async fn plain() -> impl Stream<Item = Result<Count, io::Error>> {
        failing()
    }

    #[sse_handler(on_error = |error| Count::Word(error.kind().to_string()))]
    async fn named() -> stream::BoxStream<'static, io::Result<Count>> {
        failing().boxed()
    }

    #[sse_handler(on_error = |error| Count::Word(error.0.to_owned()))]
    async fn alias() -> Answer<impl Stream<Item = Result<Count, NoError>>> {
        Ok(failing().map_err(|_| NoError("connection refused")))
    }

    #[sse_handler(finish = Count::Done, on_error = |error| Count::Word(error.kind().to_string()))]
    async fn option(
        Path(some): Path<bool>,
    ) -> Result<Option<impl Stream<Item = io::Result<Count>>>, StatusCode> {
        Ok(some.then(failing))
    }

    let app = Router::new()
        .route("/plain", get(plain))
        .route("/named", get(named))
        .route("/alias", get(alias))
        .route("/option/{some}", get(option));
    for uri in ["/plain", "/named", "/alias", "/option/true"] {
        assert_eq!(
            body(app.clone(), uri).await,
            "event: number\ndata: 0\n\nevent: word\ndata: connection refused\n\n",
            "{uri}"
        );
    }
    let request = Request::get("/option/false").body(Body::empty()).unwrap();
    assert_eq!(answer(app, request).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn no_cache_keeps_that_there_is_nothing_to_stream() {
    #[sse_handler]
    async fn nothing() -> Option<Sse<Count>> {
        None
    }

    let response = nothing().await.into_response();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test(start_paused = true)]
async fn drain_is_how_long_the_stream_may_go_on() {
    fn slow() -> impl Stream<Item = Count> {
        numbers(1)
            .chain(stream::once(async {
                sleep(Duration::from_secs(20)).await;
                Count::Number(1)
            }))
            .chain(stream::pending())
    }

    #[sse_handler(drain = "30s", keep_alive = false)]
    async fn text() -> impl Stream<Item = Count> {
        slow()
    }

    #[sse_handler(drain = Drain::FinishWithin(Duration::from_secs(25)), keep_alive = false)]
    async fn expr() -> impl Stream<Item = Count> {
        slow()
    }

    #[sse_handler(keep_alive = false)]
    async fn default() -> impl Stream<Item = Count> {
        slow()
    }

    for (handler, lasts, last_event) in [
        (get(text), 30, Some("event: number\ndata: 1\n\n")),
        (get(expr), 25, Some("event: number\ndata: 1\n\n")),
        (get(default), 0, None),
    ] {
        let stop = Shutdown::new();
        let app = Router::new()
            .route("/", handler)
            .layer(SseLayer::new().shutdown(&stop));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let mut body = app.oneshot(request).await.unwrap().into_body();
        assert_eq!(
            rest(&mut body, 1).await.unwrap(),
            "event: number\ndata: 0\n\n"
        );
        stop.begin();
        let begun = Instant::now();
        let rest = rest(&mut body, usize::MAX).await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), lasts);
        let event = rest.split_once("retry: ").unwrap().0;
        assert_eq!(event, last_event.unwrap_or_default());
    }
}
