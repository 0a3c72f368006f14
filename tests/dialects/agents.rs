//! Streams between agents and their user interfaces.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sse_core::{FromSseEvent, SseEvent};

use crate::both;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Weather {
    city: String,
    celsius: f64,
}

#[test]
fn row_5_ai_sdk_ui_stream() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(
        unnamed,
        tag = "type",
        rename_all = "kebab-case",
        rename_all_fields = "camelCase"
    )]
    enum UiMessage {
        Start {
            message_id: String,
        },
        TextDelta {
            id: String,
            delta: String,
        },
        DataWeather {
            data: Weather,
        },
        Finish,
        #[sse(literal = "[DONE]", terminal)]
        Done,
    }
    let start = UiMessage::Start {
        message_id: "m".into(),
    };
    both(&start, "data: {\"type\":\"start\",\"messageId\":\"m\"}\n\n");
    let delta = UiMessage::TextDelta {
        id: "t1".into(),
        delta: "Hello".into(),
    };
    both(
        &delta,
        "data: {\"type\":\"text-delta\",\"id\":\"t1\",\"delta\":\"Hello\"}\n\n",
    );
    let weather = UiMessage::DataWeather {
        data: Weather {
            city: "Bern".into(),
            celsius: 21.5,
        },
    };
    both(
        &weather,
        "data: {\"type\":\"data-weather\",\"data\":{\"city\":\"Bern\",\"celsius\":21.5}}\n\n",
    );
    both(&UiMessage::Finish, "data: {\"type\":\"finish\"}\n\n");
    both(&UiMessage::Done, "data: [DONE]\n\n");
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Rpc {
    jsonrpc: String,
    method: String,
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
enum Mcp {
    Message {
        #[sse(id)]
        id: Option<String>,
        #[sse(data)]
        rpc: Rpc,
    },
    #[sse(unnamed, data = "empty")]
    Priming {
        #[sse(id)]
        id: String,
        #[sse(retry)]
        retry: Option<Duration>,
    },
}

#[test]
fn row_6_mcp_message() {
    let rpc = || Rpc {
        jsonrpc: "2.0".into(),
        method: "ping".into(),
    };
    let message = Mcp::Message {
        id: Some("0_7".into()),
        rpc: rpc(),
    };
    both(
        &message,
        "event: message\nid: 0_7\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\n\n",
    );
    let message = Mcp::Message {
        id: None,
        rpc: rpc(),
    };
    both(
        &message,
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"ping\"}\n\n",
    );
}

#[test]
fn row_6b_mcp_priming() {
    let priming = Mcp::Priming {
        id: "0_0".into(),
        retry: Some(Duration::from_secs(5)),
    };
    both(&priming, "id: 0_0\nretry: 5000\ndata:\n\n");
    let priming = Mcp::Priming {
        id: "0_1".into(),
        retry: None,
    };
    both(&priming, "id: 0_1\ndata:\n\n");
}

#[test]
fn row_7_ag_ui() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(
        unnamed,
        tag = "type",
        rename_all = "SCREAMING_SNAKE_CASE",
        rename_all_fields = "camelCase"
    )]
    enum AgUi {
        RunStarted {
            thread_id: String,
        },
        TextMessageContent {
            message_id: String,
            delta: String,
        },
        Raw {
            event: Value,
        },
        #[sse(terminal)]
        RunError {
            message: String,
        },
    }
    let content = AgUi::TextMessageContent {
        message_id: "m".into(),
        delta: "hi".into(),
    };
    both(
        &content,
        "data: {\"type\":\"TEXT_MESSAGE_CONTENT\",\"messageId\":\"m\",\"delta\":\"hi\"}\n\n",
    );
    both(
        &AgUi::RunStarted {
            thread_id: "t".into(),
        },
        "data: {\"type\":\"RUN_STARTED\",\"threadId\":\"t\"}\n\n",
    );
    both(
        &AgUi::Raw { event: Value::Null },
        "data: {\"type\":\"RAW\",\"event\":null}\n\n",
    );
    both(
        &AgUi::RunError {
            message: "x".into(),
        },
        "data: {\"type\":\"RUN_ERROR\",\"message\":\"x\"}\n\n",
    );
}
