//! Functions with an `Emitter`.

use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Request, StatusCode};
use sse_tower::{EmitError, Emitter, SseEvent, sse_handler};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::{Count, answer, body, rest};

#[tokio::test]
async fn what_is_emitted_is_sent() {
    #[sse_handler]
    async fn nothing(tx: Emitter<Count>) {
        let _ = tx.emit(Count::Number(0)).await;
    }

    #[sse_handler]
    async fn unit(Path(n): Path<u32>, mut tx: sse_tower::Emitter<Count>) -> () {
        let _ = tx.emit(Count::Number(n)).await;
    }

    #[sse_handler]
    async fn result(
        Path(n): Path<u32>,
        tx: Emitter<Count>,
        State(add): State<u32>,
    ) -> Result<(), EmitError> {
        tx.emit(Count::Number(n + add)).await
    }

    #[sse_handler]
    async fn boxed_error(
        tx: Emitter<Count>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        tx.emit(Count::Number("0".parse()?)).await?;
        Ok(())
    }

    let app = Router::new()
        .route("/nothing", get(nothing))
        .route("/unit/{n}", get(unit))
        .route("/result/{n}", get(result))
        .route("/boxed_error", get(boxed_error))
        .with_state(0);
    for uri in ["/nothing", "/unit/0", "/result/0", "/boxed_error"] {
        assert_eq!(
            body(app.clone(), uri).await,
            "event: number\ndata: 0\n\n",
            "{uri}"
        );
    }
}

#[tokio::test]
async fn extractors_run_before_the_stream_begins() {
    #[sse_handler]
    async fn words(tx: Emitter<Count>, Json(words): Json<Vec<String>>) -> Result<(), EmitError> {
        for word in words {
            tx.emit(Count::Word(word)).await?;
        }
        Ok(())
    }

    let app = Router::new().route("/", post(words));
    let request = |body: &'static str| {
        let request = Request::post("/").header("content-type", "application/json");
        request.body(Body::from(body)).unwrap()
    };
    assert_eq!(
        answer(app.clone(), request(r#"["a", "b"]"#)).await.1,
        "event: word\ndata: a\n\nevent: word\ndata: b\n\n"
    );
    assert_eq!(answer(app, request("[")).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn type_parameters() {
    #[sse_handler]
    async fn twice<E>(State(event): State<Arc<E>>, tx: Emitter<Arc<E>>)
    where
        E: SseEvent + Send + Sync + 'static,
    {
        for _ in 0..2 {
            tx.emit(Arc::clone(&event)).await.unwrap();
        }
    }

    let app = Router::new().route("/", get(twice::<Count>));
    let app = app.with_state(Arc::new(Count::Pair(1, 2)));
    assert_eq!(
        body(app, "/").await,
        "event: pair\ndata: [1,2]\n\nevent: pair\ndata: [1,2]\n\n"
    );
}

#[tokio::test]
async fn a_task_may_go_on_emitting() {
    #[sse_handler]
    async fn spawns(tx: Emitter<Count>) {
        tokio::spawn(async move {
            for n in 0..2 {
                tx.emit(Count::Number(n)).await.unwrap();
            }
        });
    }

    let app = Router::new().route("/", get(spawns));
    assert_eq!(
        body(app, "/").await,
        // The opening comes while the task has not begun.
        ":\nevent: number\ndata: 0\n\nevent: number\ndata: 1\n\n"
    );
}

/// Nothing that `std::error::Error` knows of.
struct JobError(&'static str);

impl Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[tokio::test]
async fn on_error_turns_the_error_into_the_last_event() {
    #[sse_handler(on_error = |error| Count::Word(error.to_string()), finish = Count::Done)]
    async fn fails(tx: Emitter<Count>) -> Result<(), JobError> {
        let _ = tx.emit(Count::Number(0)).await;
        Err(JobError("no disk"))
    }

    let app = Router::new().route("/", get(fails));
    assert_eq!(
        body(app, "/").await,
        "event: number\ndata: 0\n\nevent: word\ndata: no disk\n\n"
    );
}

#[tokio::test]
async fn an_error_aborts_the_body_and_sends_nothing_more() {
    #[sse_handler(finish = Count::Done)]
    async fn fails(tx: Emitter<Count>) -> Result<(), io::Error> {
        let _ = tx.emit(Count::Number(0)).await;
        Err(io::Error::other("no disk"))
    }

    let app = Router::new().route("/", get(fails));
    let response = app
        .oneshot(Request::get("/").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    assert_eq!(
        rest(&mut body, 1).await.unwrap(),
        "event: number\ndata: 0\n\n"
    );
    rest(&mut body, 1).await.unwrap_err();
    assert_eq!(rest(&mut body, 1).await.unwrap(), "");
}

#[tokio::test]
async fn finish_follows_a_function_that_did_not_end_the_stream() {
    #[sse_handler(finish = Count::Done)]
    async fn ends(tx: Emitter<Count>, Path(by_itself): Path<bool>) -> Result<(), EmitError> {
        tx.emit(Count::Number(0)).await?;
        if by_itself {
            tx.emit(Count::Done).await?;
        }
        Ok(())
    }

    let app = Router::new().route("/{by_itself}", get(ends));
    for uri in ["/true", "/false"] {
        assert_eq!(
            body(app.clone(), uri).await,
            "event: number\ndata: 0\n\nevent: done\ndata: {}\n\n",
            "{uri}"
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_drops_the_function() {
    #[sse_handler]
    async fn waits(State(dropped): State<mpsc::Sender<()>>, tx: Emitter<Count>) {
        let _held = dropped;
        let _ = tx.emit(Count::Number(0)).await;
        std::future::pending().await
    }

    let (held, mut all_dropped) = mpsc::channel(1);
    let app = Router::new().route("/", get(waits)).with_state(held);
    let response = app
        .oneshot(Request::get("/").body(Body::empty()).unwrap())
        .await
        .unwrap();
    let mut body = response.into_body();
    assert_eq!(
        rest(&mut body, 1).await.unwrap(),
        "event: number\ndata: 0\n\n"
    );
    assert!(!all_dropped.is_closed());
    assert_eq!(
        all_dropped.try_recv(),
        Err(mpsc::error::TryRecvError::Empty)
    );
    drop(body);
    assert_eq!(
        all_dropped.try_recv(),
        Err(mpsc::error::TryRecvError::Disconnected)
    );
}
