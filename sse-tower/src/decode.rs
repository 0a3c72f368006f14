//! A stream of bytes becomes a stream of events.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use pin_project_lite::pin_project;
use sse_core::{BoxError, DecodeError, Decoder, END_ID, FromSseEvent, LimitError, Limits};

/// Reads the events of a stream of bytes, such as the body of a response.
///
/// The items of `bytes` are chunks, or `Result`s of chunks, cut anywhere: the `bytes_stream` of
/// `reqwest`, the `into_data_stream` of an axum body.
///
/// - It ends with the bytes, after a [terminal](FromSseEvent::ends_stream) event, and at the
///   reserved event that the layer ends streams with. `bytes` is dropped then.
/// - An event that does not parse is one error, and the next event follows.
/// - An event that no variant is for goes to the variant marked `#[sse(other)]`; without one
///   it is left out, as in a browser. [`strict`](Decode::strict) makes it an error.
/// - An error of `bytes` and a [limit](Limits) are the last item.
///
/// # Examples
///
/// ```
/// use futures_util::{StreamExt, stream};
/// use sse_tower::{FromSseEvent, decode};
///
/// #[derive(FromSseEvent, Debug, PartialEq)]
/// #[sse(unnamed)]
/// enum Chat {
///     Chunk { text: String },
///     #[sse(literal = "[DONE]", terminal)]
///     Done,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sse_tower::ReadError> {
/// let upstream = stream::iter(["data: {\"text\":\"Hel", "lo\"}\n\ndata: [DONE]\n\n"]);
/// let mut chat = decode::<Chat, _>(upstream);
/// assert_eq!(chat.next().await.transpose()?, Some(Chat::Chunk { text: "Hello".into() }));
/// assert_eq!(chat.next().await.transpose()?, Some(Chat::Done));
/// assert!(chat.next().await.is_none() && chat.is_finished());
/// # Ok(())
/// # }
/// ```
pub fn decode<E, S>(bytes: S) -> Decode<E, S>
where
    E: FromSseEvent,
    S: Stream<Item: IntoChunk>,
{
    Decode {
        bytes: Some(bytes),
        decoder: Decoder::new(),
        strict: false,
        finished: false,
        event: PhantomData,
    }
}

pin_project! {
    /// The events of a stream of bytes; made by [`decode`].
    #[must_use = "streams do nothing unless polled"]
    pub struct Decode<E, S> {
        // Gone at the end, which also closes the connection behind it.
        #[pin]
        bytes: Option<S>,
        decoder: Decoder,
        strict: bool,
        finished: bool,
        event: PhantomData<fn() -> E>,
    }
}

/// Chunks read in one go before others get their turn.
const MOST_CHUNKS: usize = 64;

impl<E, S> Decode<E, S> {
    /// Sets how much is kept in memory.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.decoder = self.decoder.with_limits(limits);
        self
    }

    /// Starts with the id that was sent as `Last-Event-ID`.
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.decoder = self.decoder.with_last_event_id(id);
        self
    }

    /// Makes events that no variant is for an error each.
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// What to send as `Last-Event-ID` to go on from here; empty if no event had an id.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    /// The last reconnection time that the stream asked for.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.decoder.retry()
    }

    /// Whether the stream said that it is over, so that there is nothing to come back for.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }
}

impl<E, S> Stream for Decode<E, S>
where
    E: FromSseEvent,
    S: Stream<Item: IntoChunk>,
{
    type Item = Result<E, ReadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        for _ in 0..MOST_CHUNKS {
            let Some(bytes) = this.bytes.as_mut().as_pin_mut() else {
                return Poll::Ready(None);
            };
            // Events first: an error of the bytes comes after what they brought.
            let item = match next::<E>(this.decoder, *this.strict) {
                Ok(Some(Next::Event(event))) => {
                    *this.finished = event.ends_stream();
                    Some(Ok(event))
                }
                Ok(Some(Next::End)) => {
                    *this.finished = true;
                    None
                }
                Ok(Some(Next::Ignored)) => continue,
                Ok(None) => match ready!(bytes.poll_next(cx)).map(IntoChunk::into_chunk) {
                    Some(Ok(chunk)) => {
                        this.decoder.push(chunk);
                        continue;
                    }
                    Some(Err(error)) => Some(Err(ReadError::Transport(error))),
                    None => None,
                },
                Err(error) => Some(Err(error)),
            };
            let goes_on = match &item {
                Some(Ok(_)) => !*this.finished,
                Some(Err(error)) => matches!(error, ReadError::Event(_)),
                None => false,
            };
            if !goes_on {
                this.bytes.set(None);
            }
            return Poll::Ready(item);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

pub(crate) enum Next<E> {
    Event(E),
    /// The reserved event.
    End,
    /// An event that nobody listens for.
    Ignored,
}

pub(crate) fn next<E: FromSseEvent>(
    decoder: &mut Decoder,
    strict: bool,
) -> Result<Option<Next<E>>, ReadError> {
    // Looked at where it is: to move it takes as long as to decode 50 bytes.
    let event = decoder.next_event();
    let event = match &event {
        Ok(Some(event)) => event,
        Ok(None) => return Ok(None),
        Err(error) => return Err(ReadError::Limit(*error)),
    };
    match event.name() {
        Some(END_ID) => return Ok(Some(Next::End)),
        // Said by a layer to the client, not by the handler to its reader.
        Some(name) if name.starts_with("sse-tower:") => return Ok(Some(Next::Ignored)),
        _ => {}
    }
    match E::from_event(event) {
        Ok(event) => Ok(Some(Next::Event(event))),
        Err(error) if error.is_unknown() && !strict => Ok(Some(Next::Ignored)),
        Err(error) => Err(ReadError::Event(error)),
    }
}

impl<E, S> FusedStream for Decode<E, S>
where
    E: FromSseEvent,
    S: Stream<Item: IntoChunk>,
{
    fn is_terminated(&self) -> bool {
        self.bytes.is_none()
    }
}

impl<E, S> fmt::Debug for Decode<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decode")
            .field("decoder", &self.decoder)
            .field("strict", &self.strict)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

/// An item of a stream of bytes: a chunk, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a stream of `{Self}` is not a stream of bytes",
    label = "its items are no chunks",
    note = "its items are bytes or texts, or `Result`s of something that is `AsRef<[u8]>`"
)]
pub trait IntoChunk {
    /// The chunk.
    type Chunk: AsRef<[u8]>;

    /// Turns the item into a chunk or the error that ends the stream.
    ///
    /// # Errors
    ///
    /// Returns the error of a `Result`.
    fn into_chunk(self) -> Result<Self::Chunk, BoxError>;
}

impl<B: AsRef<[u8]>, X: Into<BoxError>> IntoChunk for Result<B, X> {
    type Chunk = B;

    fn into_chunk(self) -> Result<B, BoxError> {
        self.map_err(Into::into)
    }
}

macro_rules! chunks {
    ($($chunk:ty),*) => {$(
        impl IntoChunk for $chunk {
            type Chunk = Self;

            fn into_chunk(self) -> Result<Self, BoxError> {
                Ok(self)
            }
        }
    )*};
}

chunks!(Bytes, BytesMut, Vec<u8>, &[u8], String, &str);

/// Why an item of a [`Decode`] stream is no event.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// An event does not parse; the stream goes on.
    Event(DecodeError),
    /// A line or an event is too large; the stream is over.
    Limit(LimitError),
    /// The bytes failed; the stream is over.
    Transport(BoxError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(error) => error.fmt(f),
            Self::Limit(error) => error.fmt(f),
            Self::Transport(_) => f.write_str("the event stream broke off"),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Event(error) => error.source(),
            Self::Limit(error) => error.source(),
            Self::Transport(error) => Some(&**error),
        }
    }
}
