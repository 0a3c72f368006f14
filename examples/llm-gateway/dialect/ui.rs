//! The UI message stream of the AI SDK, which `useChat` reads.

use serde::{Deserialize, Serialize};
use sse_tower::{FromSseEvent, SseEvent};

use super::{Failure, Piece, Reason};

#[derive(Clone, Debug, FromSseEvent, PartialEq, SseEvent)]
#[sse(
    unnamed,
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub(crate) enum UiMessage {
    Start {
        message_id: String,
    },
    TextStart {
        id: String,
    },
    TextDelta {
        id: String,
        delta: String,
    },
    TextEnd {
        id: String,
    },
    Finish {
        finish_reason: String,
        message_metadata: Metadata,
    },
    #[sse(rename = "error", terminal)]
    Error {
        error_text: String,
    },
    #[sse(literal = "[DONE]", terminal)]
    Done,
}

/// A page may show what an answer has cost.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    input_tokens: u64,
    output_tokens: u64,
}

/// A message may have several texts; ours has one.
const TEXT: &str = "t1";

pub(crate) fn events(piece: Piece) -> Vec<UiMessage> {
    let id = TEXT.to_owned();
    match piece {
        Piece::Started { id: message_id, .. } => {
            vec![UiMessage::Start { message_id }, UiMessage::TextStart { id }]
        }
        Piece::Text(delta) => vec![UiMessage::TextDelta { id, delta }],
        Piece::Finished { reason, usage } => vec![
            UiMessage::TextEnd { id },
            UiMessage::Finish {
                finish_reason: finish_reason(reason).to_owned(),
                message_metadata: Metadata {
                    input_tokens: usage.input,
                    output_tokens: usage.output,
                },
            },
        ],
    }
}

fn finish_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Stop => "stop",
        Reason::Length => "length",
        Reason::ContentFilter => "content-filter",
        Reason::Other => "other",
    }
}

impl From<Failure> for UiMessage {
    fn from(failure: Failure) -> Self {
        Self::Error {
            error_text: failure.message,
        }
    }
}
