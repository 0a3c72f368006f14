//! `LastEventId` and `Resume`: where a client that comes back left off.

use std::any::type_name;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The name of the request header with which a client says what it has seen.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Longer values are not ids of ours; servers bound a whole header section to about this.
const MAX_LEN: usize = 8 * 1024;

/// The `Last-Event-ID` of a request, for handlers that cannot do without it.
///
/// `LastEventId<u64>` is required, `Option<LastEventId<u64>>` may be absent, as on a first
/// connection. Both answer 400 if the header is there but cannot be read, and a 4xx ends
/// the `EventSource` of a browser for good: a change of the id format then stops every open page.
/// [`Resume`] never rejects and is the usual choice.
///
/// The value is UTF-8, or Latin-1 if it is not, as some clients send it. An empty one counts
/// as absent. It is the client's word: check what it gives access to.
///
/// # Examples
///
/// ```
/// use sse_tower::LastEventId;
///
/// async fn replay(LastEventId(after): LastEventId<u64>) -> String {
///     format!("everything after {after}")
/// }
/// # let _ = axum::Router::<()>::new().route("/", axum::routing::get(replay));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastEventId<T = String>(pub T);

impl<T, S> FromRequestParts<S> for LastEventId<T>
where
    T: FromStr,
    S: Send + Sync,
{
    type Rejection = LastEventIdRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        read(parts)?.map(Self).ok_or(LastEventIdRejection::Missing)
    }
}

impl<T, S> OptionalFromRequestParts<S> for LastEventId<T>
where
    T: FromStr,
    S: Send + Sync,
{
    type Rejection = LastEventIdRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(read(parts)?.map(Self))
    }
}

/// Where to start a stream: at the beginning, or after the last event that the client has seen.
///
/// It never rejects, so a page survives a change of the id format.
///
/// # Examples
///
/// ```
/// use futures_util::{Stream, stream};
/// use sse_tower::{Json, Resume, sse_handler};
///
/// #[sse_handler]
/// async fn numbers(resume: Resume<u64>) -> impl Stream<Item = Json<u64>> {
///     let first = match resume {
///         Resume::Fresh => 0,
///         Resume::After(last) => last.saturating_add(1),
///         Resume::Unreadable(_) => 0, // an id of an older version: start over
///     };
///     stream::iter((first..100).map(Json))
/// }
/// # let _ = axum::Router::<()>::new().route("/", axum::routing::get(numbers));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume<T = String> {
    /// The client has seen nothing yet.
    Fresh,
    /// The client has seen everything up to and including this id.
    After(T),
    /// The client sent an id that does not parse as `T`, or is longer than 8 KiB.
    Unreadable(Raw),
}

impl<T> Resume<T> {
    /// The last id that the client has seen, if it is known.
    #[must_use]
    pub fn after(self) -> Option<T> {
        match self {
            Self::After(id) => Some(id),
            Self::Fresh | Self::Unreadable(_) => None,
        }
    }
}

impl<T, S> FromRequestParts<S> for Resume<T>
where
    T: FromStr,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(match read(parts) {
            Ok(Some(id)) => Self::After(id),
            Ok(None) => Self::Fresh,
            Err(_) => Self::Unreadable(Raw(parts.headers[LAST_EVENT_ID].clone())),
        })
    }
}

/// A `Last-Event-ID` that could not be read, as the client sent it.
///
/// It may hold anything: do not echo it into a stream or a log. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw(HeaderValue);

impl Raw {
    /// The bytes of the header.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.0.len())
    }
}

/// Why [`LastEventId`] could not be read from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastEventIdRejection {
    /// The request has no `Last-Event-ID` header, or an empty one.
    Missing,
    /// The header is longer than 8 KiB.
    TooLong,
    /// The header does not parse as the handler's id type.
    Invalid {
        /// What the handler asked for.
        expected: &'static str,
        /// What the client sent.
        raw: Raw,
    },
}

impl LastEventIdRejection {
    /// The status of the response: 400.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    /// What the client sent, if it was an id at all.
    #[must_use]
    pub fn raw(&self) -> Option<&Raw> {
        match self {
            Self::Invalid { raw, .. } => Some(raw),
            Self::Missing | Self::TooLong => None,
        }
    }
}

impl Display for LastEventIdRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the `Last-Event-ID` header is missing"),
            Self::TooLong => write!(
                f,
                "the `Last-Event-ID` header is longer than {MAX_LEN} bytes"
            ),
            Self::Invalid { expected, .. } => {
                write!(f, "the `Last-Event-ID` header is not a valid `{expected}`")
            }
        }
    }
}

impl Error for LastEventIdRejection {}

impl IntoResponse for LastEventIdRejection {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}

fn read<T: FromStr>(parts: &Parts) -> Result<Option<T>, LastEventIdRejection> {
    let Some(value) = parts.headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let text = match header_text(value) {
        Some(text) => text,
        None if is_absent(&parts.headers) => return Ok(None),
        None => return Err(LastEventIdRejection::TooLong),
    };
    match text.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(LastEventIdRejection::Invalid {
            expected: short_name::<T>(),
            raw: Raw(value.clone()),
        }),
    }
}

/// Whether there is no id: no header, or a blank one.
pub(crate) fn is_absent(headers: &HeaderMap) -> bool {
    let value = headers.get(LAST_EVENT_ID);
    value.is_none_or(|value| value.as_bytes().trim_ascii().is_empty())
}

/// The text of the header; `None` if it is blank or too long to be an id.
///
/// Browsers send UTF-8, clients on Node send Latin-1.
pub(crate) fn header_text(value: &HeaderValue) -> Option<String> {
    let bytes = value.as_bytes().trim_ascii();
    if bytes.is_empty() || bytes.len() > MAX_LEN {
        return None;
    }
    Some(match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    })
}

/// The type's name without its path: what a caller of the API needs to know.
fn short_name<T>() -> &'static str {
    let name = type_name::<T>();
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |at| at + 2);
    &name[start..]
}
