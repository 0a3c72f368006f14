//! Why an event was not written.

use std::error::Error;
use std::fmt::{self, Display};

use crate::field::FieldError;
use crate::typed::BoxError;

/// Why an event could not be encoded. Nothing of it was written.
#[derive(Debug)]
pub struct EncodeError(pub(crate) Cause);

#[derive(Debug)]
pub(crate) enum Cause {
    Field(FieldError),
    Json(serde_json::Error),
    Display(&'static str),
    Custom(BoxError),
}

impl EncodeError {
    /// An error of an event's own, for [`SseEvent::encode`](crate::SseEvent::encode).
    ///
    /// # Examples
    ///
    /// ```
    /// let error = sse_core::EncodeError::custom("the picture is gone");
    /// assert_eq!(error.to_string(), "the picture is gone");
    /// ```
    pub fn custom(error: impl Into<BoxError>) -> Self {
        Self(Cause::Custom(error.into()))
    }

    /// The refused field and its rule, if that was the cause.
    #[must_use]
    pub fn as_field_error(&self) -> Option<&FieldError> {
        match &self.0 {
            Cause::Field(error) => Some(error),
            _ => None,
        }
    }
}

impl From<FieldError> for EncodeError {
    fn from(error: FieldError) -> Self {
        Self(Cause::Field(error))
    }
}

impl Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Field(error) => error.fmt(f),
            Cause::Json(_) => f.write_str("the `data` field cannot be serialized as JSON"),
            Cause::Display(field) => write!(f, "the value of the `{field}` field failed to format"),
            Cause::Custom(error) => error.fmt(f),
        }
    }
}

impl Error for EncodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::Json(error) => Some(error),
            Cause::Custom(error) => error.source(),
            Cause::Field(_) | Cause::Display(_) => None,
        }
    }
}
