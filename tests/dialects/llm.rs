//! Answers of language models.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sse_core::{FromSseEvent, SseEvent};

use crate::both;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct ApiError {
    message: String,
    r#type: String,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct ChatChunk {
    id: String,
    object: String,
    choices: Vec<Choice>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Choice {
    index: u32,
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Delta {
    content: String,
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
#[sse(unnamed)]
enum Chat {
    Chunk(ChatChunk),
    Error {
        error: ApiError,
    },
    #[sse(literal = "[DONE]", terminal)]
    Done,
}

#[test]
fn row_1_openai_chat_chunk() {
    let chunk = Chat::Chunk(ChatChunk {
        id: "c1".into(),
        object: "chat.completion.chunk".into(),
        choices: vec![Choice {
            index: 0,
            delta: Delta {
                content: "Hel\nlo".into(),
            },
            finish_reason: None,
        }],
    });
    both(
        &chunk,
        "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\
         \"delta\":{\"content\":\"Hel\\nlo\"},\"finish_reason\":null}]}\n\n",
    );
}

#[test]
fn row_1b_openai_chat_end_and_error() {
    both(&Chat::Done, "data: [DONE]\n\n");
    assert!(SseEvent::is_terminal(&Chat::Done));
    let error = Chat::Error {
        error: ApiError {
            message: "boom".into(),
            r#type: "server_error".into(),
        },
    };
    both(
        &error,
        "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n",
    );
    assert!(!SseEvent::is_terminal(&error));
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
#[sse(tag = "type", prefix = "response.")]
enum Responses {
    Created {
        sequence_number: u64,
    },
    #[sse(rename = "response.output_text.delta")]
    OutputTextDelta {
        item_id: String,
        delta: String,
        sequence_number: u64,
    },
    #[sse(terminal)]
    Completed {
        response: Value,
    },
}

#[test]
fn row_2_openai_responses() {
    let delta = Responses::OutputTextDelta {
        item_id: "msg_1".into(),
        delta: "Hi".into(),
        sequence_number: 4,
    };
    both(
        &delta,
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\
         \"item_id\":\"msg_1\",\"delta\":\"Hi\",\"sequence_number\":4}\n\n",
    );
    both(
        &Responses::Created { sequence_number: 0 },
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0}\n\n",
    );
    let completed = Responses::Completed {
        response: serde_json::json!({"id": "r"}),
    };
    both(
        &completed,
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n",
    );
}

#[test]
fn row_2b_openai_responses_as_a_resume_cursor() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(tag = "type", prefix = "response.")]
    enum Resumable {
        #[sse(rename = "response.output_text.delta")]
        OutputTextDelta {
            item_id: String,
            #[sse(id, keep)]
            sequence_number: u64,
        },
    }
    let delta = Resumable::OutputTextDelta {
        item_id: "msg_1".into(),
        sequence_number: 4,
    };
    both(
        &delta,
        "event: response.output_text.delta\nid: 4\ndata: {\"type\":\"response.output_text.delta\",\
         \"item_id\":\"msg_1\",\"sequence_number\":4}\n\n",
    );
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block {
    TextDelta { text: String },
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
#[sse(tag = "type")]
pub(crate) enum Anthropic {
    ContentBlockDelta {
        index: u32,
        delta: Block,
    },
    Ping,
    #[sse(terminal)]
    MessageStop,
    #[sse(rename = "error", terminal)]
    Error {
        error: Overloaded,
    },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub(crate) struct Overloaded {
    r#type: String,
}

#[test]
fn row_3_anthropic_delta() {
    let delta = Anthropic::ContentBlockDelta {
        index: 0,
        delta: Block::TextDelta {
            text: "Hello".into(),
        },
    };
    both(
        &delta,
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
         \"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n",
    );
}

#[test]
fn row_3b_anthropic_ping_and_error() {
    both(
        &Anthropic::Ping,
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    );
    both(
        &Anthropic::MessageStop,
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let error = Anthropic::Error {
        error: Overloaded {
            r#type: "overloaded_error".into(),
        },
    };
    both(
        &error,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n",
    );
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
#[sse(unnamed)]
enum Gemini {
    Chunk {
        candidates: Vec<Value>,
        #[serde(rename = "modelVersion")]
        model_version: String,
    },
}

#[test]
fn row_4_gemini() {
    let chunk = Gemini::Chunk {
        candidates: vec![],
        model_version: "g".into(),
    };
    both(
        &chunk,
        "data: {\"candidates\":[],\"modelVersion\":\"g\"}\n\n",
    );
}

#[test]
fn row_4b_gemini_interactions() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed, tag = "event_type", rename_all = "dot.case")]
    enum Interactions {
        StepDelta {
            event_id: String,
            index: u32,
        },
        #[sse(terminal)]
        InteractionComplete {
            event_id: String,
        },
    }
    let delta = Interactions::StepDelta {
        event_id: "e1".into(),
        index: 0,
    };
    both(
        &delta,
        "data: {\"event_type\":\"step.delta\",\"event_id\":\"e1\",\"index\":0}\n\n",
    );
    let complete = Interactions::InteractionComplete {
        event_id: "e2".into(),
    };
    both(
        &complete,
        "data: {\"event_type\":\"interaction.complete\",\"event_id\":\"e2\"}\n\n",
    );
}
