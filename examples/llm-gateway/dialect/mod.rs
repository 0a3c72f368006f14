//! The dialects of providers and clients, each an enum of events.
//!
//! They are copies of what is in use, for text only. Providers change their
//! dialects, so check before you copy.
//! [`openai`] is read and written, the others are written. Between them an answer is [`Piece`]s.

pub(crate) mod anthropic;
pub(crate) mod openai;
pub(crate) mod responses;
pub(crate) mod ui;

use std::fmt::Display;

use futures_util::stream::{self, Stream, TryStreamExt as _};
use serde::{Deserialize, Serialize};

/// A part of an answer, whatever the dialect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Started { id: String, model: String },
    Text(String),
    Finished { reason: Reason, usage: Usage },
}

impl Piece {
    /// Joins texts, for `coalesce`.
    pub(crate) fn merge(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Text(text), Self::Text(more)) => text.push_str(&more),
            (_, next) => return Some(next),
        }
        None
    }
}

/// Why an answer is over, in the words of OpenAI.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    Stop,
    Length,
    ContentFilter,
    #[serde(other)]
    Other,
}

/// Tokens that were read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl Usage {
    /// An upstream may say anything.
    pub(crate) fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// The answer ends early. The message is for the client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: u16, message: impl Display) -> Self {
        Self {
            status,
            message: message.to_string(),
        }
    }
}

/// The events that the pieces of an answer are in a dialect.
pub(crate) fn translate<E, I: IntoIterator<Item = E>, X>(
    pieces: impl Stream<Item = Result<Piece, X>>,
    mut events: impl FnMut(Piece) -> I,
) -> impl Stream<Item = Result<E, X>> {
    pieces
        .map_ok(move |piece| stream::iter(events(piece).into_iter().map(Ok)))
        .try_flatten()
}

/// A whole answer, for clients that want no stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Whole {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) text: String,
    pub(crate) reason: Reason,
    pub(crate) usage: Usage,
}

pub(crate) async fn collect<X>(pieces: impl Stream<Item = Result<Piece, X>>) -> Result<Whole, X> {
    let nothing = Whole {
        id: String::new(),
        model: String::new(),
        text: String::new(),
        reason: Reason::Other,
        usage: Usage::default(),
    };
    let add = |mut whole: Whole, piece| async {
        match piece {
            Piece::Started { id, model } => (whole.id, whole.model) = (id, model),
            Piece::Text(text) => whole.text += &text,
            Piece::Finished { reason, usage } => (whole.reason, whole.usage) = (reason, usage),
        }
        Ok(whole)
    };
    pieces.try_fold(nothing, add).await
}
