//! `Sse::proxy`: the event stream of an upstream, passed on.

use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, StatusCode};
use pin_project_lite::pin_project;
use sse_core::{Block, BoxError, Decoder, LimitError};

use crate::body::{BlockScan, Bom, Filled, MaybeBatch, Source};
use crate::layer::{headers, is_encoded};
use crate::life::CloseReason;
use crate::response::Sse;

impl Sse<Block> {
    /// Passes the event stream of an upstream on, byte for byte: events, whatever they are, in
    /// whatever way they are written, and the comments between them.
    ///
    /// `upstream` is the response of any HTTP client; that of `reqwest` is
    /// `http::Response::from(response)`.
    ///
    /// - Each chunk goes out as it came, without a copy; only an event that is cut by the end of
    ///   a chunk waits for its rest. More than 16 MiB of one event are an error.
    /// - After a [retry hint](Self::retry), blank lines before the first field are left out, so
    ///   that the hint is not alone in its block.
    /// - When the client leaves, the upstream is dropped, which closes the connection to it.
    /// - If the upstream breaks off, so does the response, unless
    ///   [`fail_with`](Self::fail_with) says how. An event that is not finished when the
    ///   upstream ends is left out, as clients do.
    /// - The headers of the upstream are kept, but for those of its connection
    ///   (`Connection` and what it names, `Transfer-Encoding`, …), and those that speak for its
    ///   origin, which is another one: cookies, CORS, `Alt-Svc`, `Strict-Transport-Security`,
    ///   `Clear-Site-Data`, `NEL` and `Report-To`.
    /// - The ids are those of the upstream: [`Ids`](crate::Ids) add none, not even to an event that
    ///   is added after those of the upstream.
    /// - Under a [`ResumeLayer`](crate::ResumeLayer) the events are read and written anew, as
    ///   they get ids; more than 1 MiB of one of them are an error there.
    ///
    /// # Errors
    ///
    /// Returns a [`NoEventStream`], which is a response itself, if the upstream answered
    /// something else: an error, JSON, or a stream that is compressed.
    ///
    /// # Examples
    ///
    /// ```
    /// use axum::{body::{Body, to_bytes}, response::IntoResponse};
    /// use http::{Response, StatusCode};
    /// use sse_tower::{Block, NoEventStream, Sse};
    ///
    /// fn pass_on(upstream: Response<Body>) -> Result<Sse<Block>, NoEventStream> {
    ///     Sse::proxy(upstream)
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let bytes = ": hello\r\n\r\nevent: from.tomorrow\r\ndata: {}\r\n\r\n";
    /// let upstream = Response::builder().header("content-type", "text/event-stream");
    /// let response = pass_on(upstream.body(bytes.into())?).into_response();
    /// assert_eq!(to_bytes(response.into_body(), 1024).await?, bytes);
    ///
    /// let upstream = Response::builder().status(429).header("retry-after", "5");
    /// let response = pass_on(upstream.body("{\"error\":{}}".into())?).into_response();
    /// assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    /// assert_eq!(response.headers()["retry-after"], "5");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn proxy<B>(upstream: http::Response<B>) -> Result<Self, NoEventStream>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let is_stream = upstream.status() == StatusCode::OK
            && headers::says_event_stream(upstream.headers())
            && !is_encoded(&upstream);
        if !is_stream {
            return Err(NoEventStream::new(upstream));
        }
        let (mut parts, body) = upstream.into_parts();
        keep_end_to_end(&mut parts.headers);
        Ok(Self::from_source(Proxied::new(body)).headers(parts.headers))
    }
}

/// An upstream answered no event stream that could be passed on.
///
/// As a response it is what the upstream answered: its status, its headers without those that
/// [`Sse::proxy`] leaves out, and its body. That may not be for your clients, such as a 401 about
/// your key; [`as_response`](Self::as_response) and [`into_inner`](Self::into_inner) let a handler
/// decide.
#[derive(Debug)]
pub struct NoEventStream {
    response: Box<Response>,
}

impl NoEventStream {
    fn new<B>(upstream: http::Response<B>) -> Self
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let (head, body) = upstream.into_parts();
        let mut response = Response::new(Body::new(body));
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        keep_end_to_end(response.headers_mut());
        Self {
            response: Box::new(response),
        }
    }

    /// What the upstream answered.
    #[must_use]
    pub fn as_response(&self) -> &Response {
        &self.response
    }

    /// What the upstream answered.
    #[must_use]
    pub fn into_inner(self) -> Response {
        *self.response
    }
}

impl fmt::Display for NoEventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, headers) = (self.response.status(), self.response.headers());
        let text = |name| headers.get(name).map(HeaderValue::to_str);
        if status != StatusCode::OK {
            return write!(f, "the upstream answered {status}");
        }
        if headers::says_event_stream(headers) {
            return f.write_str("the event stream of the upstream is compressed");
        }
        match text(header::CONTENT_TYPE) {
            Some(Ok(other)) => write!(f, "the upstream answered {other:?}, no event stream"),
            _ => f.write_str("the upstream answered no event stream"),
        }
    }
}

impl Error for NoEventStream {}

impl IntoResponse for NoEventStream {
    fn into_response(self) -> Response {
        self.into_inner()
    }
}

/// Removes what concerns the connection to the upstream alone, and what its origin says of itself.
fn keep_end_to_end(headers: &mut HeaderMap) {
    const NOT_OURS: [HeaderName; 10] = [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::SET_COOKIE,
        header::ALT_SVC,
        header::STRICT_TRANSPORT_SECURITY,
    ];
    let connection = headers.get_all(header::CONNECTION).into_iter();
    let named: Vec<HeaderName> = connection
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let nameless = [
        "keep-alive",
        "proxy-connection",
        "clear-site-data",
        "nel",
        "report-to",
    ]
    .map(HeaderName::from_static);
    let cors = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"));
    let cors: Vec<HeaderName> = cors.cloned().collect();
    for name in NOT_OURS.iter().chain(&named).chain(&nameless).chain(&cors) {
        headers.remove(name);
    }
}

pin_project! {
    /// The events of an upstream.
    struct Proxied<B> {
        #[pin]
        body: B,
        begun: bool,
        bom: Bom,
        cut: Cut,
        // For a reader that needs each event for itself, such as a log.
        decoder: Decoder,
    }
}

/// Chunks read in one go before others get their turn.
const MOST_CHUNKS: usize = 64;

impl<B> Proxied<B> {
    fn new(body: B) -> Self {
        Self {
            body,
            begun: false,
            bom: Bom::default(),
            cut: Cut::default(),
            decoder: Decoder::new(),
        }
    }
}

impl<B> Source for Proxied<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
{
    fn poll_fill(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let mut this = self.project();
        let mut single = false;
        if let Some(batch) = batch {
            // The ids are those of the upstream, also behind its last event.
            batch.ids.stop();
            single = batch.is_single();
            if !*this.begun {
                this.cut.hint_alone = batch.is_hint_alone();
            }
        }
        *this.begun = true;
        for _ in 0..MOST_CHUNKS {
            if single {
                match this.decoder.next_event() {
                    Ok(None) => {}
                    Ok(Some(event)) => {
                        let filled = batch.get_or_insert_default().add(&event);
                        return Poll::Ready(filled.unwrap_or(Filled::More));
                    }
                    Err(error) => return Poll::Ready(Filled::Failed(error.into())),
                }
            }
            // What came before it has gone out.
            if this.cut.held.len() > MOST_HELD {
                let limit = LimitError::Event { limit: MOST_HELD };
                return Poll::Ready(Filled::Failed(limit.into()));
            }
            let mut chunk = match ready!(this.body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Filled::Over(CloseReason::Ended)),
                Some(Err(error)) => return Poll::Ready(Filled::Failed(error.into())),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) => chunk,
                    // Trailers have no events.
                    Err(_) => continue,
                },
            };
            if single {
                this.decoder.push(chunk);
                continue;
            }
            if let Some(no_mark) = this.bom.strip(&mut chunk) {
                this.cut.push(no_mark);
            }
            let whole = this.cut.push(chunk);
            let id = this.cut.id.then(|| this.cut.scan.last_id()).flatten();
            let batch = batch.get_or_insert_default();
            if let Some(filled) = batch.add_foreign(whole, this.cut.events, id) {
                return Poll::Ready(filled);
            }
        }
        Poll::Ready(Filled::More)
    }
}

/// Splits chunks where an event ends.
#[derive(Debug, Default)]
struct Cut {
    scan: BlockScan,
    /// The event that is not complete.
    held: BytesMut,
    /// How many events the last chunk completed, and whether one of them has an id.
    events: u32,
    id: bool,
    /// A retry hint is open: some clients drop a block with nothing else, so it waits for one
    /// that has fields.
    hint_alone: bool,
    /// The last byte was the CR of a blank line that was left out; an LF may belong to it.
    after_cr: bool,
}

const MOST_HELD: usize = 16 << 20;

/// A buffer that held more than this is given back.
const SMALL: usize = 16 * 1024;

impl Cut {
    /// What is complete with this chunk.
    fn push(&mut self, mut chunk: Bytes) -> Bytes {
        (self.events, self.id) = (0, false);
        if !chunk.is_empty() && mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
            // The scan follows every byte.
            self.scan.next_blank(&chunk.split_to(1), &mut 0);
        }
        let (mut at, mut whole) = (0, None);
        while let Some(blank) = self.scan.next_blank(&chunk, &mut at) {
            if self.hint_alone && !blank.fields.any {
                self.held.extend_from_slice(&chunk[..blank.at]);
                self.after_cr = at == chunk.len() && chunk.ends_with(b"\r");
                chunk.advance(mem::take(&mut at));
                continue;
            }
            self.hint_alone = false;
            whole = Some(at);
            self.events = self.events.saturating_add(blank.fields.data.into());
            self.id |= blank.fields.id;
        }
        if self.scan.is_between_events() {
            whole = Some(chunk.len());
        }
        let Some(whole) = whole else {
            self.held.extend_from_slice(&chunk);
            return Bytes::new();
        };
        if whole < chunk.len() || !self.held.is_empty() {
            let rest = chunk.split_off(whole);
            if !self.held.is_empty() {
                self.held.extend_from_slice(&chunk);
                chunk = self.held.split().freeze();
                if chunk.len() > SMALL {
                    self.held = BytesMut::new();
                }
            }
            self.held.extend_from_slice(&rest);
        }
        chunk
    }
}
