//! `EventSource`: connections become one stream of events.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_core::body::Body;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use http::Method;
use http_body::Body as _;
use sse_core::{Decoder, FromSseEvent};
use tokio::time::{Instant, Sleep, sleep};

use super::Backoff;
use super::builder::{EventSourceBuilder, OnChange, Options, RetryIf};
use super::connect::{Call, Opened, Origin, Refused, connect, header_of};
use super::error::{ConnectionError, EventSourceError};
use super::http::Http;
use super::state::{Phase, State};
use super::watchdog::Watchdog;
use crate::decode::{Next, ReadError, next};

/// A stream of events that comes back by itself when its connection is lost.
///
/// Its items are the events of all connections, and errors. An
/// [`Event`](EventSourceError::Event) error is about one event; a
/// [`Connection`](EventSourceError::Connection) error is the last item. A connection that is
/// lost is no item: [`state`](Self::state) tells of it. The [module](crate::client) says what
/// happens when.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
///
/// use futures_util::StreamExt;
/// use sse_tower::client::{EventSource, Http, reqwest};
/// use sse_tower::FromSseEvent;
///
/// #[derive(FromSseEvent)]
/// enum Build {
///     Log(String),
///     #[sse(terminal)]
///     Finished { success: bool },
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let http = Http::new(reqwest::Client::builder())?;
/// let mut events = EventSource::<Build>::get(&http, "http://localhost:3000/builds/7/events")
///     .watchdog(Duration::from_secs(45))
///     .start();
/// while let Some(event) = events.next().await {
///     match event? {
///         Build::Log(line) => println!("{line}"),
///         Build::Finished { success } => println!("done: {success}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct EventSource<E> {
    call: Option<Call>,
    decoder: Decoder,
    /// Where the newest id came from, and may go to.
    id_origin: Option<Origin>,
    connection: Connection,
    watchdog: Watchdog,
    phase: Phase,
    last_error: Option<ConnectionError>,
    /// In a row.
    failures: u32,
    settings: Settings,
    event: PhantomData<fn() -> E>,
}

struct Settings {
    backoff: Backoff,
    attempts: Option<u32>,
    retry_if: RetryIf,
    strict: bool,
    repeatable: bool,
    on_change: Option<OnChange>,
}

enum Connection {
    /// Not asked for yet, or not allowed to be.
    None(Option<ConnectionError>),
    Connecting(Connecting),
    Open(Open),
    Waiting(Pin<Box<Sleep>>),
    Closed,
}

type Connecting = Pin<Box<dyn Future<Output = Result<Option<Opened>, Refused>> + Send>>;

struct Open {
    body: Body,
    origin: Origin,
    /// The newest id when it began, and when that was.
    id: String,
    since: Instant,
    brought_an_event: bool,
}

/// What is done in one go before others get their turn.
const MOST_STEPS: usize = 64;

/// A connection that has lasted so long was a good one, however it ends.
const GOOD: Duration = Duration::from_secs(10);

impl<E: FromSseEvent> EventSource<E> {
    /// A stream that is fetched.
    pub fn get(http: &Http, url: impl AsRef<str>) -> EventSourceBuilder<E> {
        EventSourceBuilder::new(http, Method::GET, url.as_ref())
    }

    /// A stream that answers a POST. It is not repeated once the server may have acted on it,
    /// unless it is [idempotent](EventSourceBuilder::idempotent).
    pub fn post(http: &Http, url: impl AsRef<str>) -> EventSourceBuilder<E> {
        EventSourceBuilder::new(http, Method::POST, url.as_ref())
    }

    pub(super) fn new(builder: EventSourceBuilder<E>) -> Self {
        let Options {
            last_event_id,
            watchdog,
            backoff,
            attempts,
            retry_if,
            limits,
            strict,
            repeatable,
            on_change,
        } = builder.options;
        let (call, error) = match builder.call {
            Ok(call) => (Some(call), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            id_origin: call.as_ref().map(|call| Origin::of(&call.url)),
            call,
            decoder: Decoder::new()
                .with_limits(limits)
                .with_last_event_id(last_event_id),
            connection: Connection::None(error),
            watchdog: Watchdog::new(watchdog),
            phase: Phase::Connecting,
            last_error: None,
            failures: 0,
            settings: Settings {
                backoff,
                attempts,
                retry_if,
                strict,
                repeatable,
                on_change,
            },
            event: PhantomData,
        }
    }
}

impl<E> EventSource<E> {
    /// What the stream is doing, and why.
    #[must_use]
    pub fn state(&self) -> State<'_> {
        State {
            phase: self.phase,
            last_event_id: self.decoder.last_event_id(),
            last_error: self.last_error.as_ref(),
        }
    }

    /// The newest id, which a later [`EventSource`] can go on after; empty if there is none.
    ///
    /// It is never ahead of the items that were taken.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    fn connect(&mut self) {
        let Some(call) = self.call.clone() else {
            return;
        };
        let id = header_of(self.decoder.last_event_id()).zip(self.id_origin.clone());
        let connecting = connect(call, id, self.watchdog.limit());
        self.connection = Connection::Connecting(Box::pin(connecting));
        self.enter(Phase::Connecting);
    }

    fn open(&mut self, opened: Opened) {
        self.decoder.reconnect();
        self.watchdog.alive();
        self.connection = Connection::Open(Open {
            body: opened.body,
            origin: opened.origin,
            id: self.decoder.last_event_id().to_owned(),
            since: Instant::now(),
            brought_an_event: false,
        });
        self.enter(Phase::Open);
    }

    /// The connection is gone; returns the error if that is the end.
    fn lost(&mut self, refused: Refused) -> Option<ConnectionError> {
        let Refused {
            error,
            retry_after,
            acted,
        } = refused;
        let orderly = matches!(error, ConnectionError::Ended);
        let connection = std::mem::replace(&mut self.connection, Connection::Closed);
        let mut good = false;
        // An answer that had begun, or a way to it, shows that the server has acted.
        let acted = acted || matches!(connection, Connection::Open(_));
        if let Connection::Open(open) = connection {
            good = orderly && open.brought_an_event || open.since.elapsed() >= GOOD;
            if open.id != self.decoder.last_event_id() {
                self.id_origin = Some(open.origin);
            }
        }
        self.failures = if good {
            0
        } else {
            self.failures.saturating_add(1)
        };
        self.last_error = Some(error.clone());

        let allowed = self.settings.repeatable || !acted && error.is_untouched();
        let tired = self
            .settings
            .attempts
            .is_some_and(|most| self.failures >= most);
        let permanent = match &error {
            ConnectionError::Status { status, .. } => !(self.settings.retry_if)(*status),
            error => error.is_permanent(),
        };
        if permanent || !allowed || tired {
            self.enter(Phase::Closed);
            // A POST that was answered in full is no failure.
            let complete = orderly && !self.settings.repeatable;
            return Some(error).filter(|_| !complete);
        }
        let backoff = &self.settings.backoff;
        let delay = backoff.draw(self.decoder.retry(), self.failures, retry_after);
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            delay_ms = delay.as_millis(),
            "event source lost its connection"
        );
        self.connection = Connection::Waiting(Box::pin(sleep(delay)));
        self.enter(Phase::Waiting { delay });
        None
    }

    /// The stream said that it is over.
    fn finish(&mut self) {
        self.connection = Connection::Closed;
        self.last_error = None;
        self.enter(Phase::Closed);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        if let Some(mut observer) = self.settings.on_change.take() {
            observer(self.state());
            self.settings.on_change = Some(observer);
        }
    }
}

impl<E: FromSseEvent> EventSource<E> {
    /// Takes the next event out of what has arrived, or reads on.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Step<E>> {
        let Connection::Open(open) = &mut self.connection else {
            return Poll::Ready(Step::On);
        };
        match next::<E>(&mut self.decoder, self.settings.strict) {
            Ok(Some(Next::Event(event))) => {
                open.brought_an_event = true;
                return Poll::Ready(Step::Event(event));
            }
            Ok(Some(Next::End)) => return Poll::Ready(Step::End),
            Ok(Some(Next::Ignored)) => {
                open.brought_an_event = true;
                return Poll::Ready(Step::On);
            }
            Ok(None) => {}
            Err(ReadError::Event(error)) => {
                open.brought_an_event = true;
                return Poll::Ready(Step::Error(EventSourceError::Event(error)));
            }
            Err(ReadError::Limit(error)) => {
                return Poll::Ready(Step::Lost(ConnectionError::Limit(error).into()));
            }
            Err(ReadError::Transport(error)) => {
                return Poll::Ready(Step::Lost(ConnectionError::transport(error).into()));
            }
        }
        let error = match Pin::new(&mut open.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.watchdog.alive();
                if let Some(chunk) = frame.data_ref() {
                    self.decoder.push(chunk);
                }
                return Poll::Ready(Step::On);
            }
            Poll::Ready(Some(Err(error))) => ConnectionError::transport(error.into_inner()),
            Poll::Ready(None) => ConnectionError::Ended,
            Poll::Pending => ConnectionError::Silent(ready!(self.watchdog.poll(cx))),
        };
        Poll::Ready(Step::Lost(error.into()))
    }
}

/// What comes of a poll.
enum Step<E> {
    On,
    Event(E),
    Error(EventSourceError),
    End,
    Lost(Refused),
}

impl<E: FromSseEvent> Stream for EventSource<E> {
    type Item = Result<E, EventSourceError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        for _ in 0..MOST_STEPS {
            let step = match &mut this.connection {
                Connection::Closed => return Poll::Ready(None),
                Connection::None(error) => match error.take() {
                    Some(error) => Step::Lost(error.into()),
                    None => {
                        this.connect();
                        Step::On
                    }
                },
                Connection::Connecting(attempt) => match ready!(attempt.as_mut().poll(cx)) {
                    Ok(Some(opened)) => {
                        this.open(opened);
                        Step::On
                    }
                    Ok(None) => Step::End,
                    Err(refused) => Step::Lost(refused),
                },
                Connection::Open(_) => ready!(this.poll_open(cx)),
                Connection::Waiting(timer) => {
                    ready!(timer.as_mut().poll(cx));
                    this.connect();
                    Step::On
                }
            };
            match step {
                Step::On => {}
                Step::Event(event) => {
                    if event.ends_stream() {
                        this.finish();
                    }
                    return Poll::Ready(Some(Ok(event)));
                }
                Step::Error(error) => return Poll::Ready(Some(Err(error))),
                Step::End => {
                    this.finish();
                    return Poll::Ready(None);
                }
                Step::Lost(refused) => {
                    if let Some(error) = this.lost(refused) {
                        let error = EventSourceError::Connection(error);
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<E: FromSseEvent> FusedStream for EventSource<E> {
    fn is_terminated(&self) -> bool {
        matches!(self.connection, Connection::Closed)
    }
}

impl<E> fmt::Debug for EventSource<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
