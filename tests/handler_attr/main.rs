//! `#[sse_handler]`: what it accepts and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod attributes;
mod emitter;
mod options;

use std::convert::Infallible;
use std::fmt::Display;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use sse_tower::{Sse, SseEvent, sse_handler};
use tower::ServiceExt;

#[derive(SseEvent)]
enum Count {
    Number(u32),
    #[sse(data = "text")]
    Word(String),
    Pair(u32, u32),
    #[sse(terminal)]
    Done,
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

/// At most as many frames, or the error that aborts the body.
async fn rest(body: &mut Body, frames: usize) -> Result<String, axum::Error> {
    let mut text = String::new();
    for _ in 0..frames {
        let Some(frame) = body.frame().await else {
            break;
        };
        text.push_str(str::from_utf8(frame?.data_ref().unwrap()).unwrap());
    }
    Ok(text)
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

    #[sse_handler]
    async fn named() -> stream::Iter<std::vec::IntoIter<Count>> {
        stream::iter(vec![Count::Number(0)])
    }

    #[sse_handler]
    async fn nested(Path(some): Path<bool>) -> Result<Option<Sse<Count>>, StatusCode> {
        Ok(some.then(|| Sse::new(numbers(1))))
    }

    let app = Router::new()
        .route("/named", get(named))
        .route("/nested/{some}", get(nested))
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
        "/named",
        "/nested/true",
    ] {
        assert_eq!(
            body(app.clone(), uri).await,
            "event: number\ndata: 0\n\n",
            "{uri}"
        );
    }
    for (uri, status) in [
        ("/result/false", 404),
        ("/option/false", 204),
        ("/nested/false", 204),
    ] {
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
