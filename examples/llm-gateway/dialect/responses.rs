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
    #[sse(rename = "response.output_item.added")]
    OutputItemAdded {
        sequence_number: u64,
        output_index: u32,
        item: Value,
    },
    #[sse(rename = "response.content_part.added")]
    ContentPartAdded {
        sequence_number: u64,
        item_id: String,
        output_index: u32,
        content_index: u32,
        part: Value,
    },
    #[sse(rename = "response.output_text.delta")]
    OutputTextDelta {
        sequence_number: u64,
        item_id: String,
        output_index: u32,
        content_index: u32,
        delta: String,
    },
    #[sse(rename = "response.output_text.done")]
    OutputTextDone {
        sequence_number: u64,
        item_id: String,
        output_index: u32,
        content_index: u32,
        text: String,
    },
    #[sse(rename = "response.content_part.done")]
    ContentPartDone {
        sequence_number: u64,
        item_id: String,
        output_index: u32,
        content_index: u32,
        part: Value,
    },
    #[sse(rename = "response.output_item.done")]
    OutputItemDone {
        sequence_number: u64,
        output_index: u32,
        item: Value,
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

/// Writes an answer: one item, which has one part, which is a text.
#[derive(Default)]
pub(crate) struct Writer {
    id: String,
    model: String,
    text: String,
    next: u64,
}

impl Writer {
    pub(crate) fn events(&mut self, piece: Piece) -> Vec<Response> {
        match piece {
            Piece::Started { id, model } => {
                (self.id, self.model) = (id, model);
                vec![
                    Response::Created {
                        sequence_number: self.number(),
                        response: self.response("in_progress", None),
                    },
                    Response::OutputItemAdded {
                        sequence_number: self.number(),
                        output_index: 0,
                        item: self.item("in_progress", Vec::new()),
                    },
                    Response::ContentPartAdded {
                        sequence_number: self.number(),
                        item_id: self.item_id(),
                        output_index: 0,
                        content_index: 0,
                        part: self.part(),
                    },
                ]
            }
            Piece::Text(delta) => {
                self.text += &delta;
                vec![Response::OutputTextDelta {
                    sequence_number: self.number(),
                    item_id: self.item_id(),
                    output_index: 0,
                    content_index: 0,
                    delta,
                }]
            }
            Piece::Finished { reason, usage } => {
                let status = match reason {
                    Reason::Stop | Reason::Other => "completed",
                    Reason::Length | Reason::ContentFilter => "incomplete",
                };
                let mut events = self.done(status);
                let (sequence_number, response) =
                    (self.number(), self.response(status, Some((reason, usage))));
                events.push(match status {
                    "completed" => Response::Completed {
                        sequence_number,
                        response,
                    },
                    _ => Response::Incomplete {
                        sequence_number,
                        response,
                    },
                });
                events
            }
        }
    }

    fn done(&mut self, status: &str) -> Vec<Response> {
        vec![
            Response::OutputTextDone {
                sequence_number: self.number(),
                item_id: self.item_id(),
                output_index: 0,
                content_index: 0,
                text: self.text.clone(),
            },
            Response::ContentPartDone {
                sequence_number: self.number(),
                item_id: self.item_id(),
                output_index: 0,
                content_index: 0,
                part: self.part(),
            },
            Response::OutputItemDone {
                sequence_number: self.number(),
                output_index: 0,
                item: self.item(status, vec![self.part()]),
            },
        ]
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn item_id(&self) -> String {
        format!("msg_{}", self.id)
    }

    fn part(&self) -> Value {
        json!({ "type": "output_text", "text": self.text, "annotations": [] })
    }

    fn item(&self, status: &str, content: Vec<Value>) -> Value {
        json!({
            "id": self.item_id(),
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        })
    }

    fn response(&self, status: &str, end: Option<(Reason, Usage)>) -> Value {
        let output = end.map(|_| self.item(status, vec![self.part()]));
        let why = end.and_then(|(reason, _)| match reason {
            Reason::Length => Some("max_output_tokens"),
            Reason::ContentFilter => Some("content_filter"),
            Reason::Stop | Reason::Other => None,
        });
        let usage = end.map(|(_, usage)| {
            json!({
                "input_tokens": usage.input,
                "input_tokens_details": { "cached_tokens": 0 },
                "output_tokens": usage.output,
                "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": usage.total(),
            })
        });
        json!({
            "id": self.id,
            "object": "response",
            "created_at": 1,
            "status": status,
            "incomplete_details": why.map(|reason| json!({ "reason": reason })),
            "model": self.model,
            "output": Vec::from_iter(output),
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
