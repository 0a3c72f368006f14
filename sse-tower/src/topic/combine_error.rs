//! Why subscriptions cannot be combined.

use std::error::Error;
use std::fmt::{self, Display};

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

use super::missed::Missed;

/// Why a subscription cannot be added to a [`Combined`](super::Combined).
///
/// As a response it is what the topic's answer is, or 500.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CombineError {
    /// What the topic answered.
    Missed(Missed),
    /// The label is not 1 to 16 ASCII letters, digits, `-` or `_`.
    Label,
    /// The label was given before.
    Twice,
    /// There are [`Combined::MOST`](super::Combined::MOST) subscriptions already.
    TooMany,
}

impl Display for CombineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missed(missed) => return missed.fmt(f),
            Self::Label => "a label is 1 to 16 ASCII letters, digits, `-` or `_`",
            Self::Twice => "two subscriptions of one connection have the same label",
            Self::TooMany => "one connection can follow at most 8 topics",
        })
    }
}

impl Error for CombineError {}

impl IntoResponse for CombineError {
    fn into_response(self) -> Response {
        if let Self::Missed(missed) = self {
            return missed.into_response();
        }
        tracing::error!(error = %self, "subscriptions cannot be combined");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
