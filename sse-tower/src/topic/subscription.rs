//! `Subscription`: what a topic sends to one client.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use sse_core::log::{Read, Reader};
use sse_core::{Block, Cursor, EventBuffer, IntoItem, RawEvent, SseEvent};

use super::durable::DurableReader;
use super::lag::{Lag, Lagged, Policy};
#[cfg(feature = "sealed")]
use super::seal::Seal;
use crate::body::{Batch, Chain, EventSource, Filled, Source};
use crate::life::CloseReason;
use crate::response::Sse;

/// The events of a topic from one place on, for one client.
///
/// It is a stream of encoded events, whose bytes all subscribers share, and a response by
/// itself. It ends when the topic is closed and everything was read, or when the last clone of
/// the topic is gone. Dropping it unsubscribes.
#[must_use = "a subscription does nothing unless it is sent"]
pub struct Subscription<E> {
    reader: AnyReader,
    lag: Lag,
    edit: Option<Box<Edit>>,
    ended: bool,
    event: PhantomData<fn() -> E>,
}

/// What a subscription reads.
#[derive(Debug)]
enum AnyReader {
    Log(Reader),
    Durable(DurableReader),
}

/// What makes the events of one subscriber differ from those of others.
#[derive(Default)]
struct Edit {
    filter: Option<Filter>,
    checkpoints: Option<Checkpoints>,
    #[cfg(feature = "sealed")]
    seal: Option<Seal>,
}

/// The place that the client knows of.
#[derive(Default)]
struct Checkpoints {
    known: Option<Cursor>,
}

/// How many events a client may not know to be behind it.
const CHECKPOINT: u64 = 64;

type Filter = Box<dyn FnMut(&RawEvent<'_>) -> bool + Send>;

impl<E> Subscription<E> {
    pub(crate) fn new(reader: Reader) -> Self {
        Self::reading(AnyReader::Log(reader))
    }

    pub(super) fn durable(reader: DurableReader) -> Self {
        Self::reading(AnyReader::Durable(reader))
    }

    fn reading(reader: AnyReader) -> Self {
        Self {
            reader,
            lag: Lag::default(),
            edit: None,
            ended: false,
            event: PhantomData,
        }
    }

    /// What happens if this client falls behind what is kept. Default: the stream ends.
    pub fn lag(mut self, lag: Lag) -> Self {
        self.lag = lag;
        self
    }

    /// Leaves out the events for which `keep` is false, replayed ones too.
    ///
    /// It sees an event as its client would, because that is what the topic keeps. Several
    /// filters all apply. An event that is left out does not move the place that the client
    /// remembers.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_tower::{Json, Retention, Topic};
    ///
    /// let topic = Topic::<Json<String>>::new(Retention::events(16));
    /// // Asked for each event, so a right that is taken away counts at once.
    /// let may_read = |_: &str| true;
    /// let subscription = topic.live().filter(move |event| may_read(event.data()));
    /// ```
    pub fn filter(mut self, mut keep: impl FnMut(&RawEvent<'_>) -> bool + Send + 'static) -> Self {
        let filter = &mut self.edit.get_or_insert_default().filter;
        *filter = Some(match filter.take() {
            None => Box::new(keep),
            Some(mut first) => Box::new(move |event| first(event) && keep(event)),
        });
        self
    }

    /// Tells the client where it is when no event does.
    ///
    /// A client remembers the id of the last event that it was sent. Without one, because nothing
    /// was published or everything was left out, it comes back as if it were new, and misses what
    /// was published meanwhile without being told. With this, a stream that has nothing to send
    /// begins with an event that has an id only, and such an event follows when
    /// [`filter`](Self::filter) has left out 64 events since the last id:
    ///
    /// ```text
    /// event: sse-tower:cursor
    /// id: 1786543210.42
    /// data:
    /// ```
    ///
    /// [`decode`](crate::decode()) and an `EventSource` without a listener of this name skip it.
    /// Not every client does, so it is off by default: some hand every event to one function.
    ///
    /// # Examples
    ///
    /// ```
    /// use sse_tower::{Cursor, Json, Missed, Resume, Subscription, Topic};
    ///
    /// fn subscribe(
    ///     topic: &Topic<Json<u32>>,
    ///     resume: Resume<Cursor>,
    /// ) -> Result<Subscription<Json<u32>>, Missed> {
    ///     Ok(topic.subscribe(resume)?.checkpoints())
    /// }
    /// # let _ = subscribe;
    /// ```
    pub fn checkpoints(mut self) -> Self {
        let checkpoints = &mut self.edit.get_or_insert_default().checkpoints;
        *checkpoints = Some(Checkpoints::default());
        self
    }

    /// Seals the ids, so that this client cannot make up a place in the topic, nor use one that
    /// another was sent.
    ///
    /// The client comes back with an id that [`Seal::open`] reads; filters see ids without
    /// their seals. See [`SealKeys`](super::SealKeys) for an example.
    #[cfg(feature = "sealed")]
    pub fn sealed(mut self, seal: Seal) -> Self {
        self.edit.get_or_insert_default().seal = Some(seal);
        self
    }

    /// As a part of a [`Combined`](super::Combined), which seals ids of its own.
    pub(super) fn for_combined(self) -> Subscription<Block> {
        #[cfg_attr(not(feature = "sealed"), expect(unused_mut, reason = "no seals"))]
        let mut edit = self.edit;
        #[cfg(feature = "sealed")]
        if let Some(edit) = &mut edit {
            edit.seal = None;
        }
        Subscription {
            reader: self.reader,
            lag: self.lag,
            edit,
            ended: self.ended,
            event: PhantomData,
        }
    }

    /// Where the client is: the cursor of the last event that was handed out.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.reader.cursor()
    }

    /// A checkpoint, if it is time.
    fn poll_checkpoint(&mut self) -> Poll<Option<Result<Block, Lagged>>> {
        let cursor = self.cursor();
        let Some(edit) = &mut self.edit else {
            return Poll::Pending;
        };
        let Some(checkpoints) = &mut edit.checkpoints else {
            return Poll::Pending;
        };
        let ahead = |known: Cursor| cursor.seq().saturating_sub(known.seq());
        if checkpoints.known.is_some_and(|it| ahead(it) < CHECKPOINT) {
            return Poll::Pending;
        }
        checkpoints.known = Some(cursor);
        let mut buffer = EventBuffer::new();
        buffer.checkpoint(&cursor.into());
        Poll::Ready(Some(Ok(edit.seal(buffer.take_block()))))
    }

    /// What comes next, before the filter.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Block, Lagged>>> {
        loop {
            let gap = match ready!(self.reader.poll_next(cx)) {
                Read::Block(block) => return Poll::Ready(Some(Ok(block))),
                Read::Gap(gap) => gap,
                _ => return Poll::Ready(None),
            };
            match &self.lag.0 {
                Policy::Close => return Poll::Ready(Some(Err(Lagged(gap)))),
                Policy::Tell(event) => match event(&gap) {
                    Ok(block) => return Poll::Ready(Some(Ok(block))),
                    Err(error) => {
                        tracing::error!(error = %error, "the event that tells of a gap cannot be encoded");
                        return Poll::Ready(Some(Err(Lagged(gap))));
                    }
                },
                Policy::Skip => {
                    self.reader.skip_to_latest();
                }
            }
        }
    }
}

impl Edit {
    /// What is left for this subscriber.
    fn edit(&mut self, block: &Block) -> Option<Block> {
        let block = match &mut self.filter {
            Some(filter) => block.filter(filter)?,
            None => block.clone(),
        };
        Some(self.seal(block))
    }

    fn seal(&self, block: Block) -> Block {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return block.map_ids(|id| seal.id(id));
        }
        block
    }
}

impl AnyReader {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        match self {
            Self::Log(reader) => reader.poll_next(cx),
            Self::Durable(reader) => reader.poll_next(cx),
        }
    }

    fn cursor(&self) -> Cursor {
        match self {
            Self::Log(reader) => reader.cursor(),
            Self::Durable(reader) => reader.cursor(),
        }
    }

    fn skip_to_latest(&mut self) {
        match self {
            Self::Log(reader) => {
                reader.skip_to_latest();
            }
            Self::Durable(reader) => reader.skip_to_latest(),
        }
    }
}

impl<E: SseEvent + 'static> Subscription<E> {
    /// The response that sends `first` and then what the topic has had since this subscription
    /// was made: a snapshot and its tail.
    pub fn behind<S>(self, first: S) -> Sse<E>
    where
        S: Stream<Item: IntoItem<Event = E>> + Send + 'static,
    {
        Sse::from_source(Chain::new(EventSource::new(first), self))
    }
}

impl<E> Stream for Subscription<E> {
    type Item = Result<Block, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // A reader whose events are all left out must let others run too.
        for _ in 0..16 {
            if this.ended {
                return Poll::Ready(None);
            }
            let Poll::Ready(read) = this.poll_read(cx) else {
                return this.poll_checkpoint();
            };
            this.ended = !matches!(read, Some(Ok(_)));
            let (Some(Ok(block)), Some(edit)) = (&read, &mut this.edit) else {
                return Poll::Ready(read);
            };
            if let Some(block) = edit.edit(block) {
                if let (Some(checkpoints), Some(_)) = (&mut edit.checkpoints, block.last_id()) {
                    checkpoints.known = Some(this.reader.cursor());
                }
                return Poll::Ready(Some(Ok(block)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<E> Source for Subscription<E> {
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<Filled> {
        let filled = ready!(fill(self.as_mut(), cx, batch));
        if let AnyReader::Log(reader) = &self.reader {
            batch.waited = Some(reader.waited());
        }
        Poll::Ready(filled)
    }
}

/// As for any stream of blocks, but each block is moved, where that would share it once more.
pub(super) fn fill(
    mut blocks: Pin<&mut impl Stream<Item = Result<Block, Lagged>>>,
    cx: &mut Context<'_>,
    batch: &mut Batch,
) -> Poll<Filled> {
    loop {
        let filled = match ready!(blocks.as_mut().poll_next(cx)) {
            Some(Ok(block)) => batch.add_block(block, false),
            Some(Err(lagged)) => Some(Filled::Failed(lagged.into())),
            None => Some(Filled::Over(CloseReason::Ended)),
        };
        if let Some(filled) = filled {
            return Poll::Ready(filled);
        }
    }
}

impl<E: SseEvent + 'static> From<Subscription<E>> for Sse<E> {
    fn from(subscription: Subscription<E>) -> Self {
        Self::from_source(subscription)
    }
}

impl<E: SseEvent + 'static> IntoResponse for Subscription<E> {
    fn into_response(self) -> Response {
        Sse::from(self).into_response()
    }
}

impl<E> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("cursor", &self.cursor())
            .field("lag", &self.lag)
            .finish_non_exhaustive()
    }
}
