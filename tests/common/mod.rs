//! What the tests of bodies share.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::DefaultGuard;

/// Reads a body frame by frame.
pub(crate) struct Reader {
    pub(crate) body: Body,
}

impl Reader {
    pub(crate) fn of(response: impl IntoResponse) -> Self {
        Self {
            body: response.into_response().into_body(),
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        let frame = self.body.frame().await?;
        Some(frame.map(|frame| frame.into_data().expect("no trailers here")))
    }

    /// The next frame as text.
    pub(crate) async fn frame(&mut self) -> String {
        let frame = self
            .next()
            .await
            .expect("the body goes on")
            .expect("no error");
        String::from_utf8(frame.to_vec()).expect("UTF-8")
    }

    /// Everything up to a clean end.
    pub(crate) async fn rest(self) -> String {
        let bytes = self.body.into_data_stream();
        let parts: Vec<Bytes> = bytes.map(|part| part.expect("no error")).collect().await;
        String::from_utf8(parts.concat()).expect("UTF-8")
    }
}

/// What was logged on this thread while the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<String>>);

pub(crate) fn recorded() -> (Log, DefaultGuard) {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    (log, guard)
}

impl Log {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("sse_tower")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                write!(self.0, "{field}={value:?} ").unwrap();
            }
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        *self.0.lock().unwrap() += &(line.0 + "\n");
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
