//! `Combined`: several topics on one connection.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use sse_core::{Block, Cursor, EventBuffer, EventId, SseEvent};

use super::combine_error::CombineError;
use super::cursors::{Cursors, is_label};
use super::edit::CHECKPOINT;
use super::lag::Lagged;
use super::missed::{Missed, TopicClosed};
#[cfg(feature = "sealed")]
use super::seal::Seal;
use super::subscription::{End, Subscription, end_without_event, filled};
use crate::body::{Filled, MaybeBatch, Source};
use crate::extract::Resume;
use crate::response::Sse;

/// Several subscriptions on one connection, with one id for the place in all of them.
///
/// A browser opens at most six HTTP/1.1 connections to a site, for all its pages together, so a page
/// that follows four feeds should do so on one stream. Each subscription has a label, and the id of an
/// event holds the cursor of each: `chat=17.9,load=17.5`. A client that comes back goes on in
/// every topic where it was: [`Resume::of`] says for each what to subscribe to. A topic that is
/// new to the client begins afresh.
///
/// The order within a topic is kept; topics take turns, so there is no order between them. When a
/// topic closes, the others go on, and a client that comes back is sent nothing more of it; the
/// stream ends with the last of them, and only then is a client that comes back answered 204. When
/// one [lags](super::Lag::close), or goes on elsewhere, the stream ends for all: the client comes
/// back.
///
/// Events are copied for each client, with an id of up to 512 bytes.
///
/// # Examples
///
/// ```
/// use axum::{Router, extract::State, routing::get};
/// use sse_tower::{
///     CombineError, Combined, Cursors, Json, Missed, Resume, SseEvent, Subscription, Topic,
///     sse_handler,
/// };
///
/// #[derive(Clone)]
/// struct Feeds {
///     chat: Topic<Json<String>>,
///     load: Topic<Json<u32>>,
/// }
///
/// #[sse_handler]
/// async fn page(
///     resume: Resume<Cursors>,
///     State(feeds): State<Feeds>,
/// ) -> Result<Combined, CombineError> {
///     Combined::new(&resume)
///         .and("chat", follow(&feeds.chat, &resume, "chat"))?
///         .and("load", follow(&feeds.load, &resume, "load"))
/// }
///
/// fn follow<E: SseEvent>(
///     topic: &Topic<E>,
///     resume: &Resume<Cursors>,
///     label: &str,
/// ) -> Result<Subscription<E>, Missed> {
///     match topic.subscribe(resume.of(label)) {
///         // Away for too long, or with an id of before a restart or of an older version: a 410
///         // would end a browser for good.
///         Err(Missed::Gap(_) | Missed::Unreadable) => Ok(topic.from_start()),
///         subscribed => subscribed,
///     }
/// }
/// # let _: Router<Feeds> = Router::new().route("/page", get(page));
/// ```
#[must_use = "a subscription does nothing unless it is sent"]
#[derive(Debug)]
pub struct Combined {
    parts: Vec<Part>,
    /// Whose turn it is.
    next: usize,
    checkpoints: bool,
    /// The sum of the places that the client knows, if it knows all of them.
    known: Option<u64>,
    /// A place is another one since the client was told.
    moved: bool,
    /// The client was not sent the last event of a topic that is over, nor an id since.
    untold: bool,
    end: Option<End>,
    #[cfg(feature = "sealed")]
    seal: Option<Seal>,
}

#[derive(Debug)]
struct Part {
    label: String,
    /// Up to where its events were handed out.
    cursor: Cursor,
    /// It was asked for here; otherwise the client brought its place, which stays.
    added: bool,
    /// `None` once it is over.
    subscription: Option<Subscription<Block>>,
}

impl Combined {
    /// How many topics one connection can follow, which keeps an id below 512 bytes.
    pub const MOST: usize = 8;

    /// No subscription yet, for a client that comes back with these places.
    pub fn new(resume: &Resume<Cursors>) -> Self {
        let (brought, known) = match resume {
            Resume::After(cursors) => (cursors.0.clone(), Some(cursors.sum())),
            Resume::Fresh | Resume::Unreadable(_) => (Vec::new(), None),
        };
        let part = |(label, cursor)| Part {
            label,
            cursor,
            added: false,
            subscription: None,
        };
        Self {
            parts: brought.into_iter().map(part).collect(),
            next: 0,
            checkpoints: false,
            known,
            untold: false,
            moved: false,
            end: None,
            #[cfg(feature = "sealed")]
            seal: None,
        }
    }

    /// Adds what a topic answers, under a label of 1 to 16 ASCII letters, digits, `-` or `_`. For
    /// [`live`](super::Topic::live) and others that cannot fail, it is `Ok(…)`.
    ///
    /// A client's place in a topic is found by the label, so it stays the same over the versions
    /// of a service. A topic that is closed and was read to its end adds nothing, and keeps its
    /// place. Filters and [`Lag`](super::Lag) of the subscription stay; seals and checkpoints are
    /// for the whole.
    ///
    /// # Errors
    ///
    /// Returns every other reason of the topic, and an error if the label is not that or was
    /// given before, or if there are eight.
    pub fn and<E: SseEvent>(
        mut self,
        label: impl Into<String>,
        subscription: Result<Subscription<E>, Missed>,
    ) -> Result<Self, CombineError> {
        let label = label.into();
        if !is_label(&label) {
            return Err(CombineError::Label);
        }
        let known = self.parts.iter().position(|part| part.label == label);
        if known.is_some_and(|at| self.parts[at].added) {
            return Err(CombineError::Twice);
        }
        let subscription = match subscription {
            Ok(subscription) => Some(subscription.for_combined()),
            Err(Missed::Closed(_)) => None,
            Err(missed) => return Err(CombineError::Missed(missed)),
        };
        let place = subscription.as_ref().map(Subscription::cursor);
        match (known, place) {
            (Some(at), _) => {
                if subscription.as_ref().is_some_and(|it| !it.is_resumed()) {
                    self.known = None;
                }
                let part = &mut self.parts[at];
                part.cursor = place.unwrap_or(part.cursor);
                part.added = true;
                part.subscription = subscription;
            }
            (None, Some(cursor)) => {
                self.make_room()?;
                self.known = None;
                self.parts.push(Part {
                    label,
                    cursor,
                    added: true,
                    subscription,
                });
            }
            // Closed, and nothing of it is left: it has no place to remember.
            (None, None) => {}
        }
        Ok(self)
    }

    /// Tells the client where it is when no event does, as
    /// [`Subscription::checkpoints`] does for one topic.
    pub fn checkpoints(mut self) -> Self {
        self.checkpoints = true;
        self
    }

    /// Seals the ids, which the client then cannot make up.
    #[cfg(feature = "sealed")]
    pub fn sealed(mut self, seal: Seal) -> Self {
        self.seal = Some(seal);
        self
    }

    /// The place in all topics: up to where their events were handed out.
    #[must_use]
    pub fn cursors(&self) -> Cursors {
        let cursor = |part: &Part| (part.label.clone(), part.cursor);
        Cursors(self.parts.iter().map(cursor).collect())
    }

    /// Of the places that nobody asked for, one goes for a topic that is new.
    fn make_room(&mut self) -> Result<(), CombineError> {
        if self.parts.len() < Self::MOST {
            return Ok(());
        }
        let other = self.parts.iter().position(|part| !part.added);
        self.parts.remove(other.ok_or(CombineError::TooMany)?);
        Ok(())
    }

    /// Whether every topic is closed and was read to its end.
    fn is_over(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.all(|part| part.subscription.is_none())
    }

    /// Gives the events of a part the ids of the whole.
    fn hand_out(&mut self, at: usize, block: &Block) -> Block {
        self.look();
        let mut cursors = self.cursors();
        let with_ids = block.map_ids(|id| {
            if let Ok(cursor) = id.parse() {
                cursors.0[at].1 = cursor;
            }
            self.id(&cursors)
        });
        if block.last_id().is_some() {
            self.tell(cursors.sum());
        }
        if block.is_terminal() {
            self.parts[at].subscription = None;
        }
        // The last event of one topic is not that of the stream while others go on.
        let terminal = block.is_terminal() && self.is_over();
        with_ids.with_terminal(terminal)
    }

    /// A checkpoint, if it is time.
    fn checkpoint(&mut self) -> Option<Block> {
        if !self.checkpoints {
            return None;
        }
        self.look();
        let mut live = self.parts.iter().flat_map(|part| &part.subscription);
        // Events on their way from a store bring an id, unless the last ones were all left out.
        if !self.moved && live.any(Subscription::is_reading) {
            return None;
        }
        let cursors = self.cursors();
        let sum = cursors.sum();
        let near = |known: u64| sum.saturating_sub(known) < CHECKPOINT;
        if self.known.is_some_and(near) {
            return None;
        }
        self.tell(sum);
        let mut buffer = EventBuffer::new();
        buffer.checkpoint(&self.id(&cursors));
        Some(buffer.take_block())
    }

    /// Takes over where the subscriptions are.
    fn look(&mut self) {
        for part in &mut self.parts {
            if let Some(subscription) = &part.subscription {
                let cursor = subscription.cursor();
                self.moved |= cursor != part.cursor;
                part.cursor = cursor;
            }
        }
    }

    /// The client is told where it is.
    fn tell(&mut self, sum: u64) {
        self.known = Some(sum);
        self.moved = false;
        self.untold = false;
    }

    fn id(&self, cursors: &Cursors) -> EventId {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return seal.id(cursors);
        }
        EventId::new(cursors.to_string()).expect("labels and cursors are an id")
    }

    fn end(&mut self, end: End) {
        for part in &mut self.parts {
            part.subscription = None;
        }
        self.end = Some(end);
        self.untold = false;
    }
}

/// The blocks that are sent, and no block for the end: see the stream of a [`Subscription`].
impl Stream for Combined {
    type Item = Result<Block, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let count = this.parts.len();
        for turn in 0..count {
            let at = (this.next + turn) % count;
            let part = &mut this.parts[at];
            let Some(subscription) = &mut part.subscription else {
                continue;
            };
            match Pin::new(&mut *subscription).poll_next(cx) {
                Poll::Pending => {}
                Poll::Ready(Some(Ok(block))) => {
                    this.next = (at + 1) % count;
                    return Poll::Ready(Some(Ok(this.hand_out(at, &block))));
                }
                Poll::Ready(Some(lagged)) => {
                    this.end(End::Lagged);
                    return Poll::Ready(Some(lagged));
                }
                Poll::Ready(None) if subscription.end() == Some(End::Closed) => {
                    let cursor = subscription.cursor();
                    this.moved |= cursor != part.cursor;
                    part.cursor = cursor;
                    this.untold |= subscription.take_untold();
                    part.subscription = None;
                }
                // It goes on elsewhere, and so must the client.
                Poll::Ready(None) => this.end(End::Detached),
            }
        }
        if this.is_over() {
            this.end.get_or_insert(End::Closed);
            return Poll::Ready(None);
        }
        match this.checkpoint() {
            Some(block) => Poll::Ready(Some(Ok(block))),
            None => Poll::Pending,
        }
    }
}

impl Source for Combined {
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let next = ready!(self.as_mut().poll_next(cx));
        let live = self
            .parts
            .iter_mut()
            .flat_map(|part| &mut part.subscription);
        let waited = live.filter_map(Subscription::take_waited).max();
        let filled = filled(next, self.end, waited);
        if matches!(filled, Filled::Over(_)) && mem::take(&mut self.untold) {
            end_without_event(batch);
        }
        Poll::Ready(filled)
    }
}

impl From<Combined> for Sse<Block> {
    fn from(combined: Combined) -> Self {
        Self::from_source(combined)
    }
}

/// The stream; 204 if every topic is closed and was read to its end.
impl IntoResponse for Combined {
    fn into_response(self) -> Response {
        if self.is_over() {
            return TopicClosed.into_response();
        }
        Sse::from(self).into_response()
    }
}
