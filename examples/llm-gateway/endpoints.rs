//! The endpoints: one for each dialect that clients speak.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use sse_tower::{CoalesceExt as _, KeepAlive, Sse};

use crate::dialect::anthropic::{self, Anthropic};
use crate::dialect::ui::{self, UiMessage};
use crate::dialect::{Failure, Piece, collect, openai, responses, translate};
use crate::upstream::{Request, Upstream};

pub(crate) type App = Arc<Upstream>;

/// A request. Pages of other origins cannot say that theirs is JSON, so they cannot use the key.
type Asked<T> = Result<Json<T>, JsonRejection>;

/// Tokens closer together than this look as if they came at once.
const WINDOW: Duration = Duration::from_millis(20);

/// A refusal is an error of the status and the dialect that the client expects.
struct Refused(StatusCode, Value);

/// OpenAI: what the upstream says is passed on as it is, whether this program knows it or not.
pub(crate) async fn chat_completions(State(app): State<App>, asked: Asked<Request>) -> Response {
    let answer = async {
        let Json(request) = asked?;
        app.ask(request).await
    };
    match answer.await.map(Sse::proxy) {
        Ok(upstream) => {
            let broken = |error| {
                eprintln!("the upstream broke off: {error}");
                let error = Failure::new(502, "the upstream broke off").into();
                openai::Chat::Error { error }
            };
            upstream.map(|sse| sse.fail_with(broken)).into_response()
        }
        Err(failure) => Refused::new(failure, openai::refusal).into_response(),
    }
}

#[derive(Deserialize)]
pub(crate) struct Question {
    model: String,
    #[serde(alias = "max_output_tokens")]
    max_tokens: Option<u64>,
    #[serde(default)]
    stream: bool,
    /// Beside the messages, but for OpenAI's older dialect.
    #[serde(alias = "instructions")]
    system: Option<Value>,
    #[serde(alias = "input")]
    messages: Value,
}

impl Question {
    async fn pieces(
        self,
        app: &Upstream,
    ) -> Result<impl Stream<Item = Result<Piece, Failure>> + use<>, Failure> {
        let system = self.system.map(|text| said("system", &text)).transpose()?;
        let mut messages = Vec::from_iter(system);
        match self.messages {
            Value::Array(all) => {
                for message in all {
                    let role = message["role"].as_str().unwrap_or("user");
                    messages.push(said(role, &message["content"])?);
                }
            }
            text => messages.push(said("user", &text)?),
        }
        let model = Some(self.model);
        let pieces = app.pieces(model, self.max_tokens, messages).await?;
        Ok(pieces.coalesce(WINDOW, Piece::merge))
    }
}

/// A message for the upstream. A text may be in parts, whose types differ between dialects.
fn said(role: &str, content: &Value) -> Result<Value, Failure> {
    let text = match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().map(|part| part["text"].as_str()).collect(),
        _ => None,
    };
    let text = text.ok_or_else(|| Failure::new(400, "only texts are translated here"))?;
    Ok(json!({ "role": role, "content": text }))
}

/// Anthropic.
pub(crate) async fn messages(State(app): State<App>, asked: Asked<Question>) -> Response {
    let answer = async {
        let Json(question) = asked?;
        let stream = question.stream;
        let pieces = question.pieces(&app).await?;
        if !stream {
            return Ok(Json(anthropic::message(collect(pieces).await?)).into_response());
        }
        let events = translate(pieces, anthropic::events);
        let ping = KeepAlive::default().event(&Anthropic::Ping);
        let ping = ping.map_err(|error| Failure::new(500, error))?;
        Ok(Sse::with_error(events, Anthropic::from)
            .keep_alive(ping)
            .into_response())
    };
    let refused = |failure| Refused::new(failure, anthropic::refusal).into_response();
    answer.await.unwrap_or_else(refused)
}

/// OpenAI's newer dialect, streams only.
pub(crate) async fn responses(State(app): State<App>, asked: Asked<Question>) -> Response {
    let answer = async {
        let Json(question) = asked?;
        if !question.stream {
            return Err(Failure::new(400, "only `stream: true` is served here"));
        }
        let mut writer = responses::Writer::default();
        let events = translate(question.pieces(&app).await?, move |piece| {
            writer.events(piece)
        });
        Ok(Sse::with_error(events, responses::Response::from).into_response())
    };
    let refused = |failure| Refused::new(failure, openai::refusal).into_response();
    answer.await.unwrap_or_else(refused)
}

/// What `useChat` sends.
#[derive(Deserialize)]
pub(crate) struct Conversation {
    messages: Vec<UiSaid>,
}

#[derive(Deserialize)]
struct UiSaid {
    role: String,
    parts: Vec<Value>,
}

/// The AI SDK. Its clients read text in place of an error.
pub(crate) async fn chat(State(app): State<App>, asked: Asked<Conversation>) -> Response {
    let answer = async {
        let Json(Conversation { messages }) = asked?;
        let texts = messages.into_iter().map(|UiSaid { role, parts }| {
            let texts = parts.iter().filter(|part| part["type"] == "text");
            let texts = texts.filter_map(|part| part["text"].as_str());
            json!({ "role": role, "content": texts.collect::<String>() })
        });
        let pieces = app.pieces(None, None, texts.collect()).await?;
        let events = translate(pieces.coalesce(WINDOW, Piece::merge), ui::events);
        Ok(Sse::with_error(events, UiMessage::from)
            .finish_with(UiMessage::Done)
            .into_response())
    };
    let refused = |failure: Failure| (failure.status(), failure.message).into_response();
    answer.await.unwrap_or_else(refused)
}

pub(crate) async fn not_found() -> Response {
    Refused::new(Failure::new(404, "there is no such path"), openai::refusal).into_response()
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status().as_u16(), rejection.body_text())
    }
}

impl Failure {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY)
    }
}

impl Refused {
    fn new(failure: Failure, body: impl Fn(Failure) -> Value) -> Self {
        Self(failure.status(), body(failure))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}
