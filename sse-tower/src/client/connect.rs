//! One attempt: a request, its redirects, and what the answer means.

use std::time::Duration;

use axum_core::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE,
    LOCATION, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use reqwest::Url;
use tokio::time::timeout;

use super::backoff::retry_after;
use super::error::ConnectionError;
use super::http::Http;
use crate::extract::LAST_EVENT_ID;

/// A request that is sent for every connection, but for its `Last-Event-ID`.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) http: Http,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) redirects: usize,
    /// A server took what was to be done, and pointed to what comes of it.
    pub(super) taken: bool,
}

/// Where an id came from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Origin(String);

impl Origin {
    pub(super) fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }
}

/// An event stream that has begun.
pub(super) struct Opened {
    pub(super) body: Body,
    /// Who sends it, after redirects.
    pub(super) origin: Origin,
}

/// Why there is none.
pub(super) struct Refused {
    pub(super) error: ConnectionError,
    /// How long the server asked to wait.
    pub(super) retry_after: Option<Duration>,
    /// A server had acted on the request before.
    pub(super) acted: bool,
}

impl From<ConnectionError> for Refused {
    fn from(error: ConnectionError) -> Self {
        Self {
            error,
            retry_after: None,
            acted: false,
        }
    }
}

/// Connects; `None` if there is nothing to come back for. Each answer may take `most` to begin.
pub(super) async fn connect(
    mut call: Call,
    id: Option<(HeaderValue, Origin)>,
    most: Option<Duration>,
) -> Result<Option<Opened>, Refused> {
    let opened = follow(&mut call, id, most).await;
    opened.map_err(|refused| Refused {
        acted: call.taken,
        ..refused
    })
}

async fn follow(
    call: &mut Call,
    id: Option<(HeaderValue, Origin)>,
    most: Option<Duration>,
) -> Result<Option<Opened>, Refused> {
    loop {
        let answer = call.send(id.as_ref());
        let response = match most {
            Some(most) => timeout(most, answer)
                .await
                .map_err(|_| ConnectionError::Silent(most))??,
            None => answer.await?,
        };
        match response.status() {
            StatusCode::OK => {
                check_content_type(&response)?;
                return Ok(Some(Opened {
                    origin: Origin::of(&call.url),
                    body: response.into_body(),
                }));
            }
            StatusCode::NO_CONTENT => return Ok(None),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => call.redirect(&response)?,
            status => {
                let retry_after = retry_after(response.headers());
                let body = beginning(response.into_body()).await;
                return Err(Refused {
                    retry_after,
                    ..ConnectionError::Status { status, body }.into()
                });
            }
        }
    }
}

impl Call {
    async fn send(
        &self,
        id: Option<&(HeaderValue, Origin)>,
    ) -> Result<Response<Body>, ConnectionError> {
        let uri: Uri = self
            .url
            .as_str()
            .parse()
            .map_err(ConnectionError::request)?;
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers.clone();
        if let Some((id, origin)) = id
            && *origin == Origin::of(&self.url)
        {
            request.headers_mut().insert(LAST_EVENT_ID, id.clone());
        }
        let response = self.http.send(request).await;
        response.map_err(ConnectionError::transport)
    }

    /// Turns towards where `response` points to.
    fn redirect(&mut self, response: &Response<Body>) -> Result<(), ConnectionError> {
        let to = |reason| ConnectionError::Redirect { reason };
        let Some(left) = self.redirects.checked_sub(1) else {
            return Err(to("is one too many"));
        };
        self.redirects = left;
        let location = response.headers().get(LOCATION);
        let location = location.ok_or(to("has no `Location`"))?;
        let mut url = str::from_utf8(location.as_bytes())
            .ok()
            .and_then(|location| self.url.join(location).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or(to("has a `Location` that is no HTTP address"))?;

        let fetches = matches!(self.method, Method::GET | Method::HEAD);
        let keeps_method = matches!(
            response.status(),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        );
        if !fetches && !keeps_method {
            self.taken = true;
            self.method = Method::GET;
            self.body = Bytes::new();
            for about_the_body in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
                self.headers.remove(about_the_body);
            }
        }
        if url.origin() == self.url.origin() {
            // An absolute address seldom repeats the user that this one was given for.
            if url.username().is_empty() && url.password().is_none() {
                let _ = url.set_username(self.url.username());
                let _ = url.set_password(self.url.password());
            }
        } else if self.http.goes_across_origins() {
            self.headers = harmless(&self.headers);
        } else {
            return Err(to("leads to another origin"));
        }
        self.url = url;
        Ok(())
    }
}

/// The headers that another origin may see. Any other could be a credential.
fn harmless(headers: &HeaderMap) -> HeaderMap {
    let known = [
        ACCEPT,
        ACCEPT_LANGUAGE,
        CACHE_CONTROL,
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_TYPE,
        USER_AGENT,
    ];
    let mut kept = HeaderMap::new();
    for name in known {
        for value in headers.get_all(&name) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// An event stream is UTF-8 whatever its parameters say (HTML §9.2.5).
fn check_content_type(response: &Response<Body>) -> Result<(), ConnectionError> {
    let found = response.headers().get(CONTENT_TYPE);
    let found = found.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let essence = found.as_deref().and_then(|value| value.split(';').next());
    match essence.map(|essence| essence.trim().eq_ignore_ascii_case("text/event-stream")) {
        Some(true) => Ok(()),
        _ => Err(ConnectionError::ContentType { found }),
    }
}

/// What a server says about its refusal, but no more than anybody wants to read.
async fn beginning(body: Body) -> String {
    const MOST: usize = 8 * 1024;
    const LONGEST: Duration = Duration::from_secs(5);

    let mut text = BytesMut::new();
    let mut chunks = body.into_data_stream();
    let reading = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            text.extend_from_slice(&chunk[..chunk.len().min(MOST - text.len())]);
            if text.len() == MOST {
                break;
            }
        }
    };
    // What came in time is enough.
    let _ = timeout(LONGEST, reading).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// What a newest id looks like as a header, unless it cannot be one.
pub(super) fn header_of(id: &str) -> Option<HeaderValue> {
    // With more, the header section is larger than most servers allow.
    const LONGEST: usize = 16 * 1024;

    if id.is_empty() || id.len() > LONGEST {
        return None;
    }
    HeaderValue::from_bytes(id.as_bytes()).ok()
}
