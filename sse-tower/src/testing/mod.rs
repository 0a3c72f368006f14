//! Tests of endpoints: [`SseTest`] reads the stream of a tower service, without a network.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, routing::get};
//! use futures_util::{Stream, StreamExt, stream};
//! use sse_tower::testing::SseTest;
//! use sse_tower::{FromSseEvent, Resume, SseEvent, SseLayer, sse_handler};
//!
//! #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
//! enum Clock {
//!     Tick(#[sse(id)] u64),
//! }
//!
//! #[sse_handler]
//! async fn clock(resume: Resume<u64>) -> impl Stream<Item = Clock> {
//!     let first = resume.after().map_or(0, |tick| tick.saturating_add(1));
//!     stream::iter(first..).then(|tick| async move {
//!         tokio::time::sleep(Duration::from_secs(60)).await;
//!         Clock::Tick(tick)
//!     })
//! }
//!
//! #[tokio::main(flavor = "current_thread")] // in a test: #[tokio::test(start_paused = true)]
//! async fn main() {
//! #   tokio::time::pause();
//!     let app: Router = Router::new().route("/clock", get(clock)).layer(SseLayer::new());
//!
//!     let mut clock = SseTest::<Clock>::get(app, "/clock").await;
//!     clock.expect_idle(Duration::from_secs(59)).await;
//!     assert_eq!(clock.next().await, Clock::Tick(0));
//!
//!     clock.disconnect();
//!     clock.reconnect().await;
//!     assert_eq!(clock.next().await, Clock::Tick(1));
//! }
//! ```
//!
//! Everything that is not as expected is a panic that says where the test was, what was asked
//! for and what has arrived before. So a kit belongs into tests alone.

mod request;
mod seen;

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use axum_core::body::Body;
use http::HeaderMap;
use http_body::Body as _;
use sse_core::{BoxError, Decoder, END_ID, FromSseEvent, LimitError, RawEvent};
use tokio::time::timeout;

pub use self::request::SseTestRequest;
use self::request::{Ask, Given};
use self::seen::Seen;
use crate::extract::LAST_EVENT_ID;

/// A stream that a test reads; made by awaiting a request.
///
/// The [module](crate::testing) has an example.
pub struct SseTest<E> {
    ask: Ask,
    given: Given,
    body: Option<Body>,
    decoder: Decoder,
    seen: Seen,
    event: PhantomData<fn() -> E>,
}

impl<E: FromSseEvent> SseTest<E> {
    /// Reads the next event.
    ///
    /// # Panics
    ///
    /// Panics if the stream ends or breaks first, if nothing arrives in
    /// [time](SseTestRequest::within), and if the event is none of `E`.
    #[track_caller]
    #[expect(
        clippy::should_implement_trait,
        reason = "it waits, as no iterator does"
    )]
    pub fn next(&mut self) -> impl Future<Output = E> + Send + use<'_, E> {
        let at = Location::caller();
        async move {
            let within = self.given.within;
            match timeout(within, self.read()).await {
                Ok(Read::Event(event)) => event,
                Ok(other) => self.fail(at, &format!("there is no next event: {other}")),
                Err(_) => self.fail(at, &format!("no event within {within:?}")),
            }
        }
    }

    /// Expects that for so long there is nothing but keep-alives.
    ///
    /// With `#[tokio::test(start_paused = true)]` it takes no time at all.
    ///
    /// # Panics
    ///
    /// Panics if an event arrives, or the stream ends.
    #[track_caller]
    pub fn expect_idle(&mut self, time: Duration) -> impl Future<Output = ()> + Send + use<'_, E> {
        let at = Location::caller();
        async move {
            match timeout(time, self.read()).await {
                Ok(Read::Event(_)) => {
                    self.fail(at, &format!("an event within {time:?}, the last of these"));
                }
                Ok(other) => self.fail(at, &format!("not idle for {time:?}: {other}")),
                Err(_) => {}
            }
        }
    }

    /// Expects that the server ends the stream, in order and without another event.
    ///
    /// # Panics
    ///
    /// Panics if an event arrives, if the connection breaks, and if neither happens in
    /// [time](SseTestRequest::within).
    #[track_caller]
    pub fn expect_end(&mut self) -> impl Future<Output = ()> + Send + use<'_, E> {
        let at = Location::caller();
        async move {
            let within = self.given.within;
            match timeout(within, self.read()).await {
                Ok(Read::End) => {}
                Ok(Read::Event(_)) => self.fail(at, "instead of the end, the last of these"),
                Ok(other) => self.fail(at, &format!("there is no orderly end: {other}")),
                Err(_) => self.fail(at, &format!("not over within {within:?}")),
            }
        }
    }

    /// Leaves, as a client whose connection is lost. What was not read is gone.
    pub fn disconnect(&mut self) {
        self.body = None;
    }

    /// Sends the request again, with the newest id as `Last-Event-ID`.
    ///
    /// # Panics
    ///
    /// Panics if the answer is no event stream.
    #[track_caller]
    pub fn reconnect(&mut self) -> impl Future<Output = ()> + Send + use<'_, E> {
        let at = Location::caller();
        async move {
            self.disconnect();
            self.remember(at);
            let response = self.given.send(&mut self.ask, at).await;
            self.given.check(&response, at);
            self.body = Some(response.into_body());
            self.decoder.reconnect();
            self.seen.reconnected(self.decoder.last_event_id());
        }
    }

    /// Sends the request again, and expects that it is refused; returns the answer.
    ///
    /// 204 is such an answer: it tells clients to stay away.
    ///
    /// # Panics
    ///
    /// Panics if the answer is an event stream.
    #[track_caller]
    pub fn reconnect_refused(
        &mut self,
    ) -> impl Future<Output = http::Response<Body>> + Send + use<'_, E> {
        let at = Location::caller();
        async move {
            self.disconnect();
            self.remember(at);
            self.given.refused(&mut self.ask, at).await
        }
    }

    async fn read(&mut self) -> Read<E> {
        loop {
            match self.decoder.next_event() {
                Ok(Some(event)) if event.name() == Some(END_ID) => {}
                // What a layer says to clients, such as that it will keep the stream alive.
                Ok(Some(event)) if event.name().is_some_and(|n| n.starts_with("sse-tower:")) => {}
                Ok(Some(event)) => {
                    self.seen.event(&event);
                    return match E::from_event(&event) {
                        Ok(event) => Read::Event(event),
                        Err(error) => Read::Unreadable(error.into(), event.into_owned()),
                    };
                }
                Ok(None) => {
                    let Some(body) = &mut self.body else {
                        return Read::Away;
                    };
                    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
                    match frame.map(|frame| frame.map(http_body::Frame::into_data)) {
                        Some(Ok(Ok(chunk))) => self.decoder.push(chunk),
                        Some(Ok(Err(_trailers))) => {}
                        Some(Err(error)) => return Read::Broken(error.into_inner()),
                        None => {
                            // Behind its end a body may do anything; this one has ended as well.
                            *body = Body::empty();
                            return Read::End;
                        }
                    }
                }
                Err(error) => return Read::Limit(error),
            }
        }
    }

    fn fail(&self, at: &Location<'_>, what: &str) -> ! {
        panic!("{at}: {what}\n{}{}", self.given, self.seen);
    }
}

impl<E> SseTest<E> {
    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.given.answered
    }

    /// What the next [`reconnect`](Self::reconnect) sends; empty if no event had an id.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    /// The last reconnection time that the stream asked for.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.decoder.retry()
    }

    fn remember(&mut self, at: &Location<'_>) {
        let id = self.decoder.last_event_id();
        if id.is_empty() {
            self.given.sends.remove(LAST_EVENT_ID);
            return;
        }
        match http::HeaderValue::from_bytes(id.as_bytes()) {
            Ok(id) => self.given.sends.insert(LAST_EVENT_ID, id),
            Err(_) => panic!("{at}: the id {id:?} cannot be sent back: it is no header"),
        };
    }
}

impl<E> fmt::Debug for SseTest<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseTest")
            .field("request", &format_args!("{}", self.given))
            .field("decoder", &self.decoder)
            .finish_non_exhaustive()
    }
}

enum Read<E> {
    Event(E),
    Unreadable(BoxError, RawEvent<'static>),
    Limit(LimitError),
    Broken(BoxError),
    End,
    Away,
}

impl<E> fmt::Display for Read<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(_) => f.write_str("an event"),
            Self::Unreadable(error, event) => {
                write!(f, "{error}")?;
                if let Some(source) = error.source() {
                    write!(f, ": {source}")?;
                }
                write!(f, "\n  data: {:?}", event.data())
            }
            Self::Limit(error) => error.fmt(f),
            Self::Broken(error) => write!(f, "the stream broke off: {error}"),
            Self::End => f.write_str("the stream has ended"),
            Self::Away => f.write_str("the test has disconnected; `reconnect` first"),
        }
    }
}
