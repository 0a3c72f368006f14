//! `#[sse_handler]`: what it accepts and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::convert::Infallible;
use std::fmt::Display;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use sse_tower::{KeepAlive, Retry, Sse, SseEvent, sse_handler};
use tower::ServiceExt;

#[derive(SseEvent)]
enum Count {
    Number(u32),
    #[sse(data = "text")]
    Word(String),
    Pair(u32, u32),
}

fn numbers(to: u32) -> impl Stream<Item = Count> {
    stream::iter((0..to).map(Count::Number))
}

async fn answer(app: Router, request: Request<Body>) -> (StatusCode, String) {
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn body(app: Router, uri: &str) -> String {
    let request = Request::get(uri).body(Body::empty()).unwrap();
    answer(app, request).await.1
}

/// Counts to `to`.
#[sse_handler]
async fn plain(Path(to): Path<u32>) -> impl Stream<Item = Count> {
    numbers(to)
}

#[tokio::test]
async fn a_stream_becomes_the_body() {
    let app = Router::new().route("/{to}", get(plain));
    assert_eq!(
        body(app, "/2").await,
        "event: number\ndata: 0\n\nevent: number\ndata: 1\n\n"
    );
}

#[tokio::test]
async fn every_form_of_return_type() {
    type Answer<T> = Result<T, StatusCode>;

    #[sse_handler]
    async fn result(Path(ok): Path<bool>) -> Result<impl Stream<Item = Count>, StatusCode> {
        if !ok {
            return Err(StatusCode::NOT_FOUND);
        }
        Ok(numbers(1))
    }

    #[sse_handler]
    async fn option(Path(some): Path<bool>) -> Option<impl Stream<Item = Count>> {
        some.then(|| numbers(1))
    }

    #[sse_handler]
    async fn alias() -> Answer<impl Stream<Item = Result<Count, Infallible>>> {
        Ok(numbers(1).map(Ok))
    }

    #[sse_handler]
    async fn response() -> Sse<Count> {
        Sse::new(numbers(1))
    }

    #[sse_handler]
    async fn boxed() -> stream::BoxStream<'static, Count> {
        numbers(1).boxed()
    }

    let app = Router::new()
        .route("/result/{ok}", get(result))
        .route("/option/{some}", get(option))
        .route("/alias", get(alias))
        .route("/response", get(response))
        .route("/boxed", get(boxed));
    for uri in [
        "/result/true",
        "/option/true",
        "/alias",
        "/response",
        "/boxed",
    ] {
        assert_eq!(
            body(app.clone(), uri).await,
            "event: number\ndata: 0\n\n",
            "{uri}"
        );
    }
    for (uri, status) in [("/result/false", 404), ("/option/false", 204)] {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        assert_eq!(answer(app.clone(), request).await.0, status, "{uri}");
    }
}

#[tokio::test]
async fn extractors_come_as_they_do_in_axum() {
    #[sse_handler]
    pub(crate) async fn many(
        State(mut first): State<u32>,
        Query(pairs): Query<Vec<(String, String)>>,
        many: Path<u32>,
        Json(words): Json<Vec<String>>,
    ) -> impl Stream<Item = Count> {
        first += many.0;
        let words = words
            .into_iter()
            .chain(pairs.into_iter().map(|(_, value)| value));
        numbers(first).chain(stream::iter(words.map(Count::Word)))
    }

    let app = Router::new().route("/{n}", post(many)).with_state(1);
    let request = Request::post("/0?a=b")
        .header("content-type", "application/json")
        .body(Body::from(r#"["x"]"#))
        .unwrap();
    let (_, body) = answer(app, request).await;
    assert_eq!(
        body,
        "event: number\ndata: 0\n\nevent: word\ndata: x\n\nevent: word\ndata: b\n\n"
    );
}

#[tokio::test]
async fn type_parameters_and_where_clauses() {
    #[sse_handler]
    async fn generic<T, const N: u32>(Path(value): Path<T>) -> impl Stream<Item = Count>
    where
        T: Display + DeserializeOwned + Send + 'static,
    {
        let text = value.to_string();
        stream::iter([Count::Pair(N, 0), Count::Word(text)])
    }

    let app = Router::new().route("/{value}", get(generic::<u8, 7>));
    assert_eq!(
        body(app, "/3").await,
        "event: pair\ndata: [7,0]\n\nevent: word\ndata: 3\n\n"
    );
}

#[tokio::test]
async fn stream_macros_keep_their_yield() {
    #[sse_handler]
    async fn made() -> impl Stream<Item = Count> {
        async_stream::stream! {
            for n in 0..2 {
                yield Count::Number(n);
            }
        }
    }

    let app = Router::new().route("/", get(made));
    assert_eq!(
        body(app, "/").await,
        "event: number\ndata: 0\n\nevent: number\ndata: 1\n\n"
    );
}

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

/// `debug_handler` sees the handler; `instrument` sees the arguments of the function.
#[tokio::test]
async fn attributes_below() {
    /// The documentation.
    #[sse_handler]
    #[axum::debug_handler(state = u32)]
    #[tracing::instrument(skip(first), fields(to = %to))]
    #[expect(unused_variables, reason = "reaches the function inside")]
    async fn stacked(State(first): State<u32>, Path(to): Path<u32>) -> impl Stream<Item = Count> {
        let unused = 1;
        numbers(first + to)
    }

    let app = Router::new().route("/{to}", get(stacked)).with_state(0);
    assert_eq!(body(app, "/1").await, "event: number\ndata: 0\n\n");
}

/// A local variable of the expansion hides no function, an argument no other.
#[tokio::test]
async fn odd_names() {
    #[sse_handler]
    async fn arg0(Path(arg1): Path<u32>, __stream: http::Method) -> impl Stream<Item = Count> {
        assert_eq!(__stream, http::Method::GET);
        numbers(arg1)
    }

    #[sse_handler]
    async fn r#async(r#async: Path<u32>) -> impl Stream<Item = Count> {
        numbers(r#async.0)
    }

    let app = Router::new()
        .route("/a/{to}", get(arg0))
        .route("/b/{to}", get(r#async));
    for uri in ["/a/1", "/b/1"] {
        assert_eq!(body(app.clone(), uri).await, "event: number\ndata: 0\n\n");
    }
}

/// The expansion is clean under every lint that a user may deny.
#[deny(warnings, clippy::all, clippy::pedantic)]
mod hygiene {
    #![allow(dead_code, non_camel_case_types)]

    pub(crate) struct String;
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Duration;
    pub(crate) mod std {}
    pub(crate) mod core {}
    pub(crate) mod sse_tower {}
    pub(crate) trait IntoResponse {}

    #[super::sse_handler(keep_alive = "1s", retry = "1s..2s")]
    pub(crate) async fn clean() -> impl super::Stream<Item = super::Count> {
        super::numbers(1)
    }
}

#[tokio::test]
async fn shadowed_names_do_not_matter() {
    let response = hygiene::clean().await.into_response();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
}

#[tokio::test]
async fn axums_own_result_takes_any_error_with_a_question_mark() {
    #[sse_handler]
    async fn ticks(Path(fail): Path<bool>) -> axum::response::Result<impl Stream<Item = Count>> {
        if fail {
            Err((StatusCode::CONFLICT, "no ticks"))?;
        }
        Ok(numbers(1))
    }
    let app = Router::new().route("/{fail}", get(ticks));
    assert_eq!(
        body(app.clone(), "/false").await,
        "event: number\ndata: 0\n\n"
    );
    let request = Request::get("/true").body(Body::empty()).unwrap();
    let conflict = (StatusCode::CONFLICT, "no ticks".to_owned());
    assert_eq!(answer(app, request).await, conflict);
}
