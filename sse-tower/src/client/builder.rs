//! What to follow, and how.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::Url;
use serde::Serialize;
use sse_core::{BoxError, FromSseEvent, Limits};

use super::backoff::Backoff;
use super::connect::Call;
use super::error::{ConnectionError, may_change};
use super::http::Http;
use super::source::EventSource;
use super::state::State;
use crate::extract::LAST_EVENT_ID;

/// A request for an event stream; made by [`EventSource::get`] and [`EventSource::post`].
///
/// What is wrong with the address or a header is the first item of the stream, and its end.
#[must_use = "nothing is sent before the stream is started and polled"]
pub struct EventSourceBuilder<E> {
    pub(super) call: Result<Call, ConnectionError>,
    pub(super) options: Options,
    event: PhantomData<fn() -> E>,
}

/// What the stream itself needs to know.
pub(super) struct Options {
    pub(super) last_event_id: String,
    pub(super) watchdog: Option<Duration>,
    pub(super) backoff: Backoff,
    pub(super) attempts: Option<u32>,
    pub(super) retry_if: RetryIf,
    pub(super) limits: Limits,
    pub(super) strict: bool,
    pub(super) repeatable: bool,
    pub(super) on_change: Option<OnChange>,
}

pub(super) type RetryIf = Box<dyn Fn(StatusCode) -> bool + Send>;
pub(super) type OnChange = Box<dyn FnMut(State<'_>) + Send>;

impl<E: FromSseEvent> EventSourceBuilder<E> {
    pub(super) fn new(http: &Http, method: Method, url: &str) -> Self {
        let repeatable = method == Method::GET;
        let headers = [
            (ACCEPT, HeaderValue::from_static("text/event-stream")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        let call = http_address(url).map(|url| Call {
            http: http.clone(),
            method,
            url,
            headers: HeaderMap::from_iter(headers),
            body: Bytes::new(),
            redirects: 10,
            taken: false,
        });
        Self {
            call,
            options: Options {
                last_event_id: String::new(),
                watchdog: None,
                backoff: Backoff::new(),
                attempts: None,
                retry_if: Box::new(may_change),
                limits: Limits::default(),
                strict: false,
                repeatable,
                on_change: None,
            },
            event: PhantomData,
        }
    }

    /// Sets a header of every request. `Accept: text/event-stream` and `Cache-Control: no-cache`
    /// are sent unless set here.
    ///
    /// A redirect to another origin, if it is [followed](Http::across_origins), takes along only
    /// headers that are known to be no secret: those two, `Accept-Language`, `User-Agent`, and what
    /// describes the body.
    pub fn header(
        self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
    ) -> Self {
        let name = name.try_into().map_err(Into::into);
        let value = value.try_into().map_err(Into::into);
        match name.and_then(|name| Ok((name, value?))) {
            Ok((name, value)) if name == LAST_EVENT_ID => {
                let id = String::from_utf8_lossy(value.as_bytes()).into_owned();
                self.last_event_id(id)
            }
            Ok((name, value)) => self.with_call(|call| {
                call.headers.insert(name, value);
                Ok(())
            }),
            Err(error) => self.with_call(|_| Err(ConnectionError::request(error))),
        }
    }

    /// Sets the body of every request.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.with_call(|call| {
            call.body = body.into();
            Ok(())
        })
    }

    /// Sets the body of every request, and its content type.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Self {
        self.with_call(|call| {
            let body = serde_json::to_vec(body).map_err(ConnectionError::request)?;
            call.body = body.into();
            let json = HeaderValue::from_static("application/json");
            call.headers.insert(CONTENT_TYPE, json);
            Ok(())
        })
    }

    /// Goes on after the event with this id.
    ///
    /// Like every id, it is sent to the origin that it belongs to only: that of the address.
    pub fn last_event_id(mut self, id: impl Display) -> Self {
        self.options.last_event_id = id.to_string();
        self
    }

    /// Gives a connection up when nothing at all has arrived for so long, not even a comment or
    /// an answer. Default: waits for ever.
    ///
    /// Three times the keep-alive of the server is a good value: 45 s for a
    /// [`KeepAlive`](crate::KeepAlive) as it is by default. A server that sends no keep-alive is
    /// silent whenever it has nothing to say.
    pub fn watchdog(mut self, silence: Duration) -> Self {
        self.options.watchdog = Some(silence);
        self
    }

    /// Sets how long to wait before coming back.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.options.backoff = backoff;
        self
    }

    /// Chooses after which statuses the client comes back. Default: every 5xx, 408, 425 and 429,
    /// of a server that is starting, overloaded or being replaced.
    ///
    /// It is not asked about 200, 204 and redirects. A POST that may not be repeated comes back
    /// only after 408, 425, 429 and 503, if they are chosen.
    pub fn retry_if(mut self, retry: impl Fn(StatusCode) -> bool + Send + 'static) -> Self {
        self.options.retry_if = Box::new(retry);
        self
    }

    /// Comes back as the `EventSource` of a browser does (HTML §9.2.3): any status but 200 is the
    /// end, and it waits as long as `retry` says, 0 included, or else 3 s as Chromium does.
    ///
    /// It is `retry_if(|_| false)` with a [`Backoff`] of any range and no jitter; later settings
    /// override it. Failures in a row still double the time, as the standard allows, and limits,
    /// redirects and terminal events are as everywhere here.
    ///
    /// It is meant for a test of what browsers make of a server. A service is better off without:
    /// one 503 while a server is being replaced would end its stream, and clients that were cut
    /// off together would come back together.
    pub fn as_browsers_do(self) -> Self {
        let exact = Backoff::new()
            .range(Duration::ZERO..=Duration::MAX)
            .jitter(0.0);
        self.retry_if(|_| false).backoff(exact)
    }

    /// Ends the stream with the error of the last attempt after so many failures in a row; with
    /// 0, when the first connection is lost. Default: never.
    ///
    /// What is a failure is up to [`Backoff`].
    pub fn give_up_after(mut self, failures: u32) -> Self {
        self.options.attempts = Some(failures);
        self
    }

    /// Follows so many redirects in a row. Default: 10.
    pub fn redirects(self, limit: usize) -> Self {
        self.with_call(|call| {
            call.redirects = limit;
            Ok(())
        })
    }

    /// Sets how large a line and an event may be. Default: 1 MiB each.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Makes events that no variant is for an error each.
    pub fn strict(mut self) -> Self {
        self.options.strict = true;
        self
    }

    /// Says that a POST may be sent any number of times, so that it is repeated like a GET.
    ///
    /// It is where the server goes on with what it had begun when the request comes with a
    /// `Last-Event-ID`, as behind a [`ResumeLayer`](crate::ResumeLayer).
    pub fn idempotent(mut self) -> Self {
        self.options.repeatable = true;
        self
    }

    /// Calls `observer` with every new [phase](State::phase), from where the stream is polled.
    pub fn on_change(mut self, observer: impl FnMut(State<'_>) + Send + 'static) -> Self {
        self.options.on_change = Some(Box::new(observer));
        self
    }

    /// Makes the stream. It connects when it is polled, which needs a tokio runtime with time.
    pub fn start(self) -> EventSource<E> {
        EventSource::new(self)
    }

    /// The first mistake stays.
    fn with_call(mut self, change: impl FnOnce(&mut Call) -> Result<(), ConnectionError>) -> Self {
        if let Ok(call) = &mut self.call
            && let Err(error) = change(call)
        {
            self.call = Err(error);
        }
        self
    }
}

fn http_address(url: &str) -> Result<Url, ConnectionError> {
    let url = Url::parse(url).map_err(ConnectionError::request)?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(ConnectionError::request("the address is not one of HTTP")),
    }
}

impl<E> fmt::Debug for EventSourceBuilder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither address nor headers: they may hold secrets.
        f.debug_struct("EventSourceBuilder").finish_non_exhaustive()
    }
}
