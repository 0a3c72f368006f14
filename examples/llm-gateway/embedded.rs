//! The text model of this process as a service that speaks the dialect of OpenAI.

use std::sync::Arc;

use async_stream::try_stream;
use axum::Json;
use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse as _;
use futures_util::{Stream, StreamExt as _};
use serde_json::Value;
use sse_tower::Sse;

use crate::dialect::openai::{Chat, Writer, completion};
use crate::dialect::{Failure, Piece, Reason, Usage, collect, translate};
use crate::model::Markov;
use crate::upstream::Request;

pub(crate) async fn answer(
    model: Arc<Markov>,
    request: &Request,
) -> Result<Response<Body>, Failure> {
    let prompt = prompt(request)
        .ok_or_else(|| Failure::new(400, "`messages` must end with a text of the user"))?;
    let most = ["max_completion_tokens", "max_tokens"]
        .iter()
        .find_map(|name| request.get(*name)?.as_u64());
    let pieces = pieces(model, prompt, most);
    let is_set = |value: Option<&Value>| value.and_then(Value::as_bool) == Some(true);
    if !is_set(request.get("stream")) {
        return Ok(Json(completion(collect(pieces).await?)).into_response());
    }
    let options = request.get("stream_options");
    let mut writer = Writer::new(is_set(options.and_then(|it| it.get("include_usage"))));
    let events = translate(pieces, move |piece| writer.events(piece));
    let failed = |failure: Failure| Chat::Error {
        error: failure.into(),
    };
    Ok(Sse::with_error(events, failed).into_response())
}

/// Each word is a token.
fn pieces(
    model: Arc<Markov>,
    prompt: String,
    most: Option<u64>,
) -> impl Stream<Item = Result<Piece, Failure>> {
    try_stream! {
        yield Piece::Started {
            id: format!("chatcmpl-{:016x}", fastrand::u64(..)),
            model: "markov".to_owned(),
        };
        let mut usage = Usage { input: prompt.split_whitespace().count() as u64, output: 0 };
        let mut reason = Reason::Stop;
        let mut words = std::pin::pin!(model.answer(&prompt));
        while let Some(word) = words.next().await {
            if most.is_some_and(|most| usage.output >= most) {
                reason = Reason::Length;
                break;
            }
            usage.output += 1;
            yield Piece::Text(word.map_err(|error| Failure::new(500, error))?);
        }
        yield Piece::Finished { reason, usage };
    }
}

/// The text of the last message, which is a text or has parts that are.
fn prompt(request: &Request) -> Option<String> {
    let content = &request.get("messages")?.as_array()?.last()?["content"];
    if let Some(text) = content.as_str() {
        return Some(text.to_owned());
    }
    let texts = content.as_array()?.iter();
    Some(texts.filter_map(|part| part["text"].as_str()).collect())
}
