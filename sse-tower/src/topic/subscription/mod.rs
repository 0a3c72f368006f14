//! `Subscription`: what a topic sends to one client.

mod poll;

use std::fmt;
use std::marker::PhantomData;

use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use sse_core::log::Reader;
use sse_core::{Block, Cursor, IntoItem, RawEvent, SseEvent};

pub(super) use self::poll::{end_without_event, filled};
use super::durable::DurableReader;
use super::edit::{Checkpoints, Edit};
use super::lag::Lag;
use super::reader::AnyReader;
#[cfg(feature = "sealed")]
use super::seal::Seal;
use crate::body::{Chain, EventSource};
use crate::response::Sse;

/// The events of a topic from one place on, for one client.
///
/// It is a stream of encoded events and a response by itself. All subscribers share the bytes,
/// but for those who have a filter or sealed ids. It ends when the topic is closed and everything
/// was read, or when the last clone of the topic is gone. Dropping it unsubscribes.
#[must_use = "a subscription does nothing unless it is sent"]
pub struct Subscription<E> {
    reader: AnyReader,
    /// Most have none.
    edit: Option<Box<Edit>>,
    /// The client came with a place of its own.
    resumed: bool,
    /// Behind the last id of the client something was read, or is lost.
    untold: bool,
    end: Option<End>,
    event: PhantomData<fn() -> E>,
}

/// Why a subscription is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The topic is closed.
    Closed,
    /// The topic may go on, but not here.
    Detached,
    Lagged,
}

impl<E> Subscription<E> {
    pub(crate) fn new(reader: Reader) -> Self {
        Self::reading(AnyReader::Log(reader))
    }

    pub(super) fn durable(reader: DurableReader) -> Self {
        Self::reading(AnyReader::Durable(Box::new(reader)))
    }

    fn reading(reader: AnyReader) -> Self {
        Self {
            reader,
            edit: None,
            resumed: false,
            untold: true,
            end: None,
            event: PhantomData,
        }
    }

    /// For a client that came back.
    pub(super) fn resumed(mut self) -> Self {
        self.resumed = true;
        self.untold = false;
        self
    }

    /// What happens if this client falls behind what is kept. Default: the stream ends.
    pub fn lag(mut self, lag: Lag) -> Self {
        self.edit.get_or_insert_default().lag = lag;
        self
    }

    /// Leaves out the events for which `keep` is false, replayed ones too.
    ///
    /// It sees an event as its client would, because that is what the topic keeps. Several
    /// filters all apply. An event that is left out does not move the place that the client
    /// remembers. If the last event of a topic that is closed is left out, the response ends
    /// without it: under [`SseLayer`](crate::SseLayer), whose end marker tells a browser so, the
    /// client does not come back for it. Without the layer it does.
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
        let known = self.resumed.then(|| self.cursor());
        self.edit.get_or_insert_default().checkpoints = Some(Checkpoints { known });
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

    /// As a part of a [`Combined`](super::Combined), which has ids, seals and checkpoints of its
    /// own.
    pub(super) fn for_combined(mut self) -> Subscription<Block> {
        if let Some(edit) = &mut self.edit {
            edit.for_combined();
        }
        Subscription {
            reader: self.reader,
            edit: self.edit,
            resumed: self.resumed,
            untold: self.untold,
            end: self.end,
            event: PhantomData,
        }
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.resumed
    }

    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether it waits for events that are there, but elsewhere.
    pub(super) fn is_reading(&self) -> bool {
        self.reader.is_behind()
    }

    /// How many events waited for the client, told once for each block.
    pub(super) fn take_waited(&mut self) -> Option<u64> {
        self.reader.take_waited()
    }

    /// Where the client is: the cursor of the last event that was handed out.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.reader.cursor()
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
        let lag = self.edit.as_ref().map(|edit| &edit.lag);
        f.debug_struct("Subscription")
            .field("cursor", &self.cursor())
            .field("lag", &lag)
            .finish_non_exhaustive()
    }
}
