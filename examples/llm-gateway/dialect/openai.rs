//! Chat completions of OpenAI and everything compatible with them: read and written.

use async_stream::try_stream;
use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use sse_tower::{FromSseEvent, IntoChunk, ReadError, SseEvent, decode};

use super::{Failure, Piece, Reason, Usage, Whole};

/// An error may have some of what a chunk has, so it is tried first.
#[derive(Clone, Debug, FromSseEvent, PartialEq, SseEvent)]
#[sse(unnamed)]
pub(crate) enum Chat {
    Error {
        error: ApiError,
    },
    Chunk(Chunk),
    #[sse(literal = "[DONE]", terminal)]
    Done,
}

/// Services differ in what they leave out and in what they set to `null`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Chunk {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    object: String,
    #[serde(default, deserialize_with = "or_default")]
    created: u64,
    #[serde(default, deserialize_with = "or_default")]
    model: String,
    #[serde(default, deserialize_with = "or_default")]
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Tokens>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default, deserialize_with = "or_default")]
    delta: Delta,
    finish_reason: Option<Reason>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
struct Tokens {
    #[serde(default, deserialize_with = "or_default")]
    prompt_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    completion_tokens: u64,
    #[serde(default, deserialize_with = "or_default")]
    total_tokens: u64,
}

/// What is wrong: an object, or just a text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum ApiError {
    Object {
        message: String,
        #[serde(default, rename = "type", deserialize_with = "or_default")]
        kind: String,
    },
    Text(String),
}

fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl ApiError {
    pub(crate) fn into_message(self) -> String {
        match self {
            Self::Object { message, .. } | Self::Text(message) => message,
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.status {
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        Self::Object {
            message: failure.message,
            kind: kind.to_owned(),
        }
    }
}

/// The longest answer: some dialects repeat all of it at the end.
const MOST: usize = 4 << 20;

/// Reads an answer. It is whole only if the upstream says so.
pub(crate) fn pieces<S>(bytes: S) -> impl Stream<Item = Result<Piece, Failure>>
where
    S: Stream<Item: IntoChunk>,
{
    try_stream! {
        let mut events = std::pin::pin!(decode::<Chat, _>(bytes));
        let mut started = false;
        let mut len = 0;
        let mut finished = None;
        let mut usage = Usage::default();
        while let Some(event) = events.next().await {
            let chunk = match event.map_err(unreadable)? {
                Chat::Chunk(chunk) => chunk,
                Chat::Error { error } => Err(Failure::new(502, error.into_message()))?,
                Chat::Done => {
                    finished = finished.or(Some(Reason::Stop));
                    break;
                }
            };
            if !std::mem::replace(&mut started, true) {
                yield Piece::Started { id: chunk.id, model: chunk.model };
            }
            if let Some(tokens) = chunk.usage {
                usage = Usage { input: tokens.prompt_tokens, output: tokens.completion_tokens };
            }
            let Some(choice) = chunk.choices.into_iter().next() else {
                continue;
            };
            if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
                len += text.len();
                if len > MOST {
                    Err(Failure::new(502, "the answer is too long"))?;
                }
                yield Piece::Text(text);
            }
            finished = choice.finish_reason.or(finished);
        }
        let reason = finished.ok_or_else(|| Failure::new(502, "the upstream stopped in the middle"))?;
        if !started {
            // It had nothing to say, not even its name.
            yield Piece::Started { id: String::new(), model: String::new() };
        }
        yield Piece::Finished { reason, usage };
    }
}

/// What the upstream sent instead may quote a key, so it is for our log only.
fn unreadable(error: ReadError) -> Failure {
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    eprintln!("{error}: {}", cause.unwrap_or_default());
    Failure::new(502, "the upstream broke off")
}

/// Always the same time, so that equal answers have equal bytes: clients require one and show none.
const CREATED: u64 = 1;

/// Writes an answer.
pub(crate) struct Writer {
    id: String,
    model: String,
    include_usage: bool,
}

impl Writer {
    /// Usage is an event only for clients that asked for it.
    pub(crate) fn new(include_usage: bool) -> Self {
        Self {
            id: String::new(),
            model: String::new(),
            include_usage,
        }
    }

    pub(crate) fn events(&mut self, piece: Piece) -> Vec<Chat> {
        match piece {
            Piece::Started { id, model } => {
                (self.id, self.model) = (id, model);
                let role = Some("assistant".to_owned());
                let content = Some(String::new());
                vec![self.chunk(Delta { role, content }, None)]
            }
            Piece::Text(text) => {
                let content = Some(text);
                vec![self.chunk(
                    Delta {
                        role: None,
                        content,
                    },
                    None,
                )]
            }
            Piece::Finished { reason, usage } => {
                let mut events = vec![self.chunk(Delta::default(), Some(reason))];
                if self.include_usage {
                    let usage = Some(usage.into());
                    events.push(Chat::Chunk(Chunk {
                        usage,
                        ..self.empty()
                    }));
                }
                events.push(Chat::Done);
                events
            }
        }
    }

    fn chunk(&self, delta: Delta, finish_reason: Option<Reason>) -> Chat {
        let choice = Choice {
            index: 0,
            delta,
            finish_reason,
        };
        Chat::Chunk(Chunk {
            choices: vec![choice],
            ..self.empty()
        })
    }

    fn empty(&self) -> Chunk {
        Chunk {
            id: self.id.clone(),
            object: "chat.completion.chunk".to_owned(),
            created: CREATED,
            model: self.model.clone(),
            choices: Vec::new(),
            usage: None,
        }
    }
}

impl From<Usage> for Tokens {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input,
            completion_tokens: usage.output,
            total_tokens: usage.total(),
        }
    }
}

/// The answer for clients that want no stream.
pub(crate) fn completion(whole: Whole) -> Value {
    json!({
        "id": whole.id,
        "object": "chat.completion",
        "created": CREATED,
        "model": whole.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": whole.text },
            "finish_reason": whole.reason,
        }],
        "usage": Tokens::from(whole.usage),
    })
}

/// The body of a response that is an error.
pub(crate) fn refusal(failure: Failure) -> Value {
    json!({ "error": ApiError::from(failure) })
}

/// The same, read.
#[derive(Deserialize)]
pub(crate) struct Refusal {
    pub(crate) error: ApiError,
}
