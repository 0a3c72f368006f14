//! What stands beside the attribute: other attributes, names, lints.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::Stream;
use sse_tower::{Emitter, sse_handler};

use crate::{Count, body, numbers};

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

#[tokio::test]
async fn attributes_below_with_an_emitter() {
    #[sse_handler]
    #[axum::debug_handler]
    #[tracing::instrument(fields(to = %to))]
    async fn stacked(events: Emitter<Count>, Path(to): Path<u32>) {
        events.emit(Count::Number(to)).await.unwrap();
    }

    let app = Router::new().route("/{to}", get(stacked));
    assert_eq!(body(app, "/1").await, "event: number\ndata: 1\n\n");
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

    #[sse_handler]
    async fn __emitter(__stream: Emitter<Count>, Path(__started): Path<u32>) {
        __stream.emit(Count::Number(__started - 1)).await.unwrap();
    }

    let app = Router::new()
        .route("/a/{to}", get(arg0))
        .route("/b/{to}", get(r#async))
        .route("/c/{to}", get(__emitter));
    for uri in ["/a/1", "/b/1", "/c/1"] {
        assert_eq!(body(app.clone(), uri).await, "event: number\ndata: 0\n\n");
    }
}

#[tokio::test]
async fn functions_may_come_out_of_macros() {
    macro_rules! handler {
        ($name:ident, $argument:ty, $output:ty, $on_error:expr, $drain:literal, $body:block) => {
            #[sse_handler(on_error = $on_error, drain = $drain)]
            async fn $name(tx: $argument) -> $output {
                let _ = tx.emit(Count::Number(0)).await;
                $body
            }
        };
    }
    handler!(
        fails,
        Emitter<Count>,
        Result<(), u32>,
        Count::Number,
        "1s",
        { Err(1) }
    );

    let app = Router::new().route("/", get(fails));
    assert_eq!(
        body(app, "/").await,
        "event: number\ndata: 0\n\nevent: number\ndata: 1\n\n"
    );
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

    #[super::sse_handler(
        keep_alive = "1s",
        retry = "1s..2s",
        drain = "1s",
        finish = super::Count::Number(1)
    )]
    pub(crate) async fn clean() -> impl super::Stream<Item = super::Count> {
        super::numbers(1)
    }

    #[super::sse_handler(on_error = |_| super::Count::Number(1))]
    pub(crate) async fn emits(
        mut tx: super::Emitter<super::Count>,
    ) -> ::core::result::Result<(), ::sse_tower::EmitError> {
        tx.emit(super::Count::Number(0)).await
    }
}

#[tokio::test]
async fn shadowed_names_do_not_matter() {
    let response = hygiene::clean().await.into_response();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
}
