//! What the tests of bodies share.
#![allow(dead_code, reason = "each test takes what it needs")]

use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;

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
