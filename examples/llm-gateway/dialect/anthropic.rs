//! Messages of Anthropic: named events whose JSON has the name too.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sse_tower::{FromSseEvent, SseEvent};

use super::{Failure, Piece, Reason, Usage, Whole};

#[derive(Clone, Debug, FromSseEvent, PartialEq, SseEvent)]
#[sse(tag = "type")]
pub(crate) enum Anthropic {
    MessageStart {
        message: Head,
    },
    ContentBlockStart {
        index: u32,
        content_block: Block,
    },
    Ping,
    ContentBlockDelta {
        index: u32,
        delta: Block,
    },
    ContentBlockStop {
        index: u32,
    },
    MessageDelta {
        delta: Stop,
        usage: Tokens,
    },
    #[sse(terminal)]
    MessageStop,
    #[sse(rename = "error", terminal)]
    Error {
        error: ApiError,
    },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Head {
    id: String,
    r#type: String,
    role: String,
    model: String,
    content: Vec<Block>,
    #[serde(flatten)]
    stop: Stop,
    usage: Tokens,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block {
    Text { text: String },
    TextDelta { text: String },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Stop {
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct ApiError {
    r#type: String,
    message: String,
}

pub(crate) fn events(piece: Piece) -> Vec<Anthropic> {
    match piece {
        Piece::Started { id, model } => vec![
            Anthropic::MessageStart {
                message: Head::new(id, model),
            },
            Anthropic::ContentBlockStart {
                index: 0,
                content_block: Block::Text {
                    text: String::new(),
                },
            },
        ],
        Piece::Text(text) => vec![Anthropic::ContentBlockDelta {
            index: 0,
            delta: Block::TextDelta { text },
        }],
        Piece::Finished { reason, usage } => vec![
            Anthropic::ContentBlockStop { index: 0 },
            Anthropic::MessageDelta {
                delta: Stop::by(Some(reason)),
                usage: usage.into(),
            },
            Anthropic::MessageStop,
        ],
    }
}

/// The answer for clients that want no stream.
pub(crate) fn message(whole: Whole) -> Value {
    json!(Head {
        content: vec![Block::Text { text: whole.text }],
        stop: Stop::by(Some(whole.reason)),
        usage: whole.usage.into(),
        ..Head::new(whole.id, whole.model)
    })
}

/// The body of a response that is an error.
pub(crate) fn refusal(failure: Failure) -> Value {
    json!({ "type": "error", "error": ApiError::from(failure) })
}

impl Head {
    fn new(id: String, model: String) -> Self {
        Self {
            id,
            r#type: "message".to_owned(),
            role: "assistant".to_owned(),
            model,
            content: Vec::new(),
            stop: Stop::by(None),
            usage: Usage::default().into(),
        }
    }
}

impl Stop {
    fn by(reason: Option<Reason>) -> Self {
        let reason = reason.map(|reason| match reason {
            Reason::Stop | Reason::Other => "end_turn",
            Reason::Length => "max_tokens",
            Reason::ContentFilter => "refusal",
        });
        Self {
            stop_reason: reason.map(str::to_owned),
            stop_sequence: None,
        }
    }
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input,
            output_tokens: usage.output,
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            503 | 529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        Self {
            r#type: kind.to_owned(),
            message: failure.message,
        }
    }
}

impl From<Failure> for Anthropic {
    fn from(failure: Failure) -> Self {
        Self::Error {
            error: failure.into(),
        }
    }
}
