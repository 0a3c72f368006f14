//! `Combined`: several topics on one connection.

use std::error::Error;
use std::fmt::{self, Display};
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};

use axum_core::response::{IntoResponse, Response};
use futures_core::Stream;
use http::StatusCode;
use sse_core::{Block, Cursor, EventId, SseEvent};

use super::lag::Lagged;
#[cfg(feature = "sealed")]
use super::seal::Seal;
use super::subscription::{Subscription, fill};
use crate::body::{Batch, Filled, Source};
use crate::extract::Resume;
use crate::response::Sse;

/// Several subscriptions on one connection, with one id for the place in all of them.
///
/// A browser opens six HTTP/1.1 connections to a site for all its pages, so a page that follows
/// four feeds is better off with one stream. Each subscription has a label, and the id of an
/// event holds the cursor of each: `chat=17.9,load=17.5`. A client that comes back goes on in
/// every topic where it was: [`Resume::of`] says for each what to subscribe to. A topic that is
/// new to the client begins afresh.
///
/// The order within a topic is kept; there is none between topics, which take turns. The stream
/// ends when the last of them does, and also when one [lags](super::Lag::close).
///
/// # Examples
///
/// ```
/// use axum::{Router, extract::State, routing::get};
/// use sse_tower::{Combined, Cursors, Json, Resume, Topic, sse_handler};
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
/// ) -> axum::response::Result<Combined> {
///     let page = Combined::new()
///         .and("chat", feeds.chat.subscribe(resume.of("chat"))?)?
///         .and("load", feeds.load.subscribe(resume.of("load"))?)?;
///     Ok(page)
/// }
/// # let _: Router<Feeds> = Router::new().route("/page", get(page));
/// ```
#[must_use = "a subscription does nothing unless it is sent"]
#[derive(Debug, Default)]
pub struct Combined {
    parts: Vec<Part>,
    /// Whose turn it is.
    next: usize,
    #[cfg(feature = "sealed")]
    seal: Option<Seal>,
}

#[derive(Debug)]
struct Part {
    label: String,
    /// Up to where its events were handed out.
    cursor: Cursor,
    /// `None` once it is over.
    subscription: Option<Subscription<Block>>,
}

impl Combined {
    /// How many topics one connection can follow, which keeps an id below 512 bytes.
    pub const MOST: usize = 8;

    /// No subscription yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a subscription under a label of 1 to 16 ASCII letters, digits, `-` or `_`.
    ///
    /// A client's cursor of this topic is found by the label, so it stays the same over the
    /// versions of a service. A seal of the subscription is left out: seal the whole.
    ///
    /// # Errors
    ///
    /// Returns an error if the label is not that or was given before, or if there are eight
    /// already. As a response it is 500.
    pub fn and<E: SseEvent>(
        mut self,
        label: impl Into<String>,
        subscription: Subscription<E>,
    ) -> Result<Self, CombineError> {
        let label = label.into();
        if !is_label(&label) {
            return Err(CombineError::Label);
        }
        if self.parts.iter().any(|part| part.label == label) {
            return Err(CombineError::Twice);
        }
        if self.parts.len() == Self::MOST {
            return Err(CombineError::TooMany);
        }
        self.parts.push(Part {
            label,
            cursor: subscription.cursor(),
            subscription: Some(subscription.for_combined()),
        });
        Ok(self)
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

    /// Gives an event of the part at `at` the id of the whole.
    fn hand_out(&mut self, at: usize, block: &Block) -> Block {
        let mut cursors = self.cursors();
        let with_ids = block.map_ids(|id| {
            if let Ok(cursor) = id.parse() {
                cursors.0[at].1 = cursor;
            }
            self.id(&cursors)
        });
        let part = &mut self.parts[at];
        if let Some(subscription) = &part.subscription {
            part.cursor = subscription.cursor();
        }
        if !block.is_terminal() {
            return with_ids;
        }
        part.subscription = None;
        // Its last event is not the last of the stream while others go on.
        let over = self.parts.iter().all(|part| part.subscription.is_none());
        let (events, id) = (with_ids.events(), with_ids.last_id().cloned());
        Block::stored(with_ids.into_bytes(), events, id, over)
    }

    fn id(&self, cursors: &Cursors) -> EventId {
        #[cfg(feature = "sealed")]
        if let Some(seal) = &self.seal {
            return seal.id(cursors);
        }
        EventId::new(cursors.to_string()).expect("labels and cursors are an id")
    }
}

impl Stream for Combined {
    type Item = Result<Block, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let count = this.parts.len();
        let mut waiting = false;
        for turn in 0..count {
            let at = (this.next + turn) % count;
            let part = &mut this.parts[at];
            let Some(subscription) = &mut part.subscription else {
                continue;
            };
            match Pin::new(subscription).poll_next(cx) {
                Poll::Pending => waiting = true,
                Poll::Ready(None) => part.subscription = None,
                Poll::Ready(Some(read)) => {
                    this.next = (at + 1) % count;
                    let read = read.map(|block| this.hand_out(at, &block));
                    if read.is_err() {
                        this.parts.clear();
                    }
                    return Poll::Ready(Some(read));
                }
            }
        }
        if waiting {
            Poll::Pending
        } else {
            Poll::Ready(None)
        }
    }
}

impl Source for Combined {
    fn poll_fill(self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<Filled> {
        fill(self, cx, batch)
    }
}

impl From<Combined> for Sse<Block> {
    fn from(combined: Combined) -> Self {
        Self::from_source(combined)
    }
}

impl IntoResponse for Combined {
    fn into_response(self) -> Response {
        Sse::from(self).into_response()
    }
}

/// Places in several topics, by the labels of a [`Combined`].
///
/// As text they are `label=cursor`, separated by commas: the `id` of its events.
///
/// # Examples
///
/// ```
/// use sse_tower::{Cursor, Cursors};
///
/// let cursors: Cursors = "chat=17.9,load=17.5".parse()?;
/// assert_eq!(cursors.get("load"), Some(Cursor::new(17, 5)));
/// assert_eq!(cursors.to_string(), "chat=17.9,load=17.5");
/// # Ok::<(), sse_tower::CursorsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursors(Vec<(String, Cursor)>);

impl Cursors {
    /// The place in the topic with this label, if the client knows it.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<Cursor> {
        let found = self.0.iter().find(|(known, _)| known == label);
        found.map(|(_, cursor)| *cursor)
    }
}

impl Display for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (label, cursor)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{label}={cursor}")?;
        }
        Ok(())
    }
}

impl FromStr for Cursors {
    type Err = CursorsError;

    fn from_str(text: &str) -> Result<Self, CursorsError> {
        let mut cursors = Self(Vec::new());
        for part in text.split(',') {
            let (label, cursor) = part.split_once('=').ok_or(CursorsError)?;
            let known = cursors.get(label).is_some();
            if !is_label(label) || known || cursors.0.len() == Combined::MOST {
                return Err(CursorsError);
            }
            let cursor = cursor.parse().map_err(|_| CursorsError)?;
            cursors.0.push((label.to_owned(), cursor));
        }
        Ok(cursors)
    }
}

impl Resume<Cursors> {
    /// Where to go on in the topic with this label of a [`Combined`].
    #[must_use]
    pub fn of(&self, label: &str) -> Resume<Cursor> {
        match self {
            Self::Fresh => Resume::Fresh,
            Self::After(cursors) => cursors.get(label).map_or(Resume::Fresh, Resume::After),
            Self::Unreadable(raw) => Resume::Unreadable(raw.clone()),
        }
    }
}

/// A text that is no list of cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorsError;

impl Display for CursorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cursors of several topics are at most 8 of `label=epoch.seq`, with commas between them")
    }
}

impl Error for CursorsError {}

/// Why a subscription cannot be added to a [`Combined`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CombineError {
    /// The label is not 1 to 16 ASCII letters, digits, `-` or `_`.
    Label,
    /// The label was given before.
    Twice,
    /// There are [`Combined::MOST`] subscriptions already.
    TooMany,
}

impl Display for CombineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Label => "a label is 1 to 16 ASCII letters, digits, `-` or `_`",
            Self::Twice => "two subscriptions of one connection have the same label",
            Self::TooMany => "one connection can follow at most 8 topics",
        })
    }
}

impl Error for CombineError {}

impl IntoResponse for CombineError {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "subscriptions cannot be combined");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

fn is_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=16).contains(&label.len()) && label.bytes().all(plain)
}
