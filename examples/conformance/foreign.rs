//! Streams that somebody else wrote, as a proxy passes them on: the layer wraps them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::time::sleep;

/// Any bytes, cut anywhere.
#[derive(Deserialize)]
pub(crate) struct Raw {
    b64: String,
    /// Where to cut: offsets, separated by commas.
    #[serde(default)]
    chunks: String,
    /// How long to wait after each piece, in milliseconds.
    gap: Option<u64>,
}

pub(crate) async fn raw(Query(raw): Query<Raw>) -> Result<impl IntoResponse, StatusCode> {
    let gap = Duration::from_millis(raw.gap.unwrap_or(2));
    let pieces = raw.pieces().ok_or(StatusCode::BAD_REQUEST)?;
    let body = async_stream::stream! {
        for piece in pieces {
            yield Ok::<_, Infallible>(piece);
            sleep(gap).await;
        }
    };
    Ok((
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(body),
    ))
}

impl Raw {
    /// The bytes in pieces, unless they or the cuts are none.
    fn pieces(&self) -> Option<Vec<Bytes>> {
        // A plus sign that was not escaped is a space in a query.
        let mut rest = Bytes::from(STANDARD.decode(self.b64.replace(' ', "+")).ok()?);
        let mut pieces = Vec::new();
        let mut taken = 0;
        for cut in self.chunks.split_terminator(',') {
            let len = cut.parse::<usize>().ok()?.checked_sub(taken)?;
            if len > rest.len() {
                return None;
            }
            taken += len;
            pieces.push(rest.split_to(len));
        }
        pieces.push(rest);
        Some(pieces)
    }
}

#[derive(Deserialize)]
pub(crate) struct ContentType {
    #[serde(default)]
    v: String,
}

/// Whether a client reads this depends on its media type alone.
pub(crate) async fn content_type(
    Query(ContentType { v }): Query<ContentType>,
) -> Result<Response, StatusCode> {
    let mut response = Response::new(Body::from("data: ok\n\nevent: done\ndata: bye\n\n"));
    if !v.is_empty() {
        let value = HeaderValue::try_from(v).map_err(|_| StatusCode::BAD_REQUEST)?;
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    Ok(response)
}
