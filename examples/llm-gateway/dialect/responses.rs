//! Responses of OpenAI: the name of an event has dots, and each event has a number.

use serde_json::{Value, json};
use sse_tower::{FromSseEvent, SseEvent};

use super::{Failure, Piece, Reason, Usage};

#[derive(Clone, Debug, FromSseEvent, PartialEq, SseEvent)]
#[sse(tag = "type", prefix = "response.")]
pub(crate) enum Response {
    Created {
        sequence_number: u64,
        response: Value,
    },
    #[sse(rename = "response.output_text.delta")]
    OutputTextDelta {
        sequence_number: u64,
        item_id: String,
        output_index: u32,
        content_index: u32,
        delta: String,
    },
    #[sse(terminal)]
    Completed {
        sequence_number: u64,
        response: Value,
    },
    #[sse(terminal)]
    Incomplete {
        sequence_number: u64,
        response: Value,
    },
    #[sse(rename = "error", terminal)]
    Error {
        sequence_number: u64,
        code: String,
        message: String,
    },
}

/// Writes an answer.
#[derive(Default)]
pub(crate) struct Writer {
    id: String,
    model: String,
    text: String,
    next: u64,
}

impl Writer {
    pub(crate) fn events(&mut self, piece: Piece) -> [Response; 1] {
        let sequence_number = self.next;
        self.next += 1;
        [match piece {
            Piece::Started { id, model } => {
                (self.id, self.model) = (id, model);
                Response::Created {
                    sequence_number,
                    response: self.response("in_progress", None),
                }
            }
            Piece::Text(delta) => {
                self.text += &delta;
                Response::OutputTextDelta {
                    sequence_number,
                    item_id: self.item_id(),
                    output_index: 0,
                    content_index: 0,
                    delta,
                }
            }
            Piece::Finished { reason, usage } => match reason {
                Reason::Stop | Reason::Other => Response::Completed {
                    sequence_number,
                    response: self.response("completed", Some(usage)),
                },
                Reason::Length | Reason::ContentFilter => Response::Incomplete {
                    sequence_number,
                    response: self.response("incomplete", Some(usage)),
                },
            },
        }]
    }

    fn item_id(&self) -> String {
        format!("msg_{}", self.id)
    }

    fn response(&self, status: &str, usage: Option<Usage>) -> Value {
        let item = json!({
            "id": self.item_id(),
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": [{ "type": "output_text", "text": self.text, "annotations": [] }],
        });
        let usage = usage.map(|usage| {
            json!({
                "input_tokens": usage.input,
                "input_tokens_details": { "cached_tokens": 0 },
                "output_tokens": usage.output,
                "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": usage.input + usage.output,
            })
        });
        json!({
            "id": self.id,
            "object": "response",
            "created_at": 1,
            "status": status,
            "model": self.model,
            "output": if usage.is_some() { vec![item] } else { Vec::new() },
            "parallel_tool_calls": true,
            "tool_choice": "auto",
            "tools": [],
            "usage": usage,
        })
    }
}

impl From<Failure> for Response {
    /// Whoever reads it has read what came before, and does not count.
    fn from(failure: Failure) -> Self {
        Self::Error {
            sequence_number: 0,
            code: "server_error".to_owned(),
            message: failure.message,
        }
    }
}
