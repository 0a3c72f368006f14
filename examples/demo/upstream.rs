//! An upstream that speaks the chat completions dialect of OpenAI, read with `decode`.

use std::env;
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use axum::body::Body;
use axum::http;
use futures_util::{Stream, StreamExt as _};
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use sse_tower::{FromSseEvent, Limits, ReadError, decode};

/// The longest answer, in pieces.
const MOST: usize = 10_000;
/// How much of what an upstream says about a failure is printed, in characters.
const MOST_PRINTED: usize = 1_000;

pub(crate) struct OpenAi {
    client: Client,
    url: String,
    key: Option<String>,
    model: String,
}

impl OpenAi {
    /// `base` ends with the version, as in `https://api.openai.com/v1`.
    pub(crate) fn from_env(base: &str) -> Result<Self, reqwest::Error> {
        // An error means that there is a provider already, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self {
            client,
            url: format!("{}/chat/completions", base.trim_end_matches('/')),
            key: env::var("OPENAI_API_KEY").ok(),
            model: env::var("OPENAI_MODEL").unwrap_or_else(|_| "gpt-4o-mini".to_owned()),
        })
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Dropping the stream closes the connection, which stops the upstream.
    pub(crate) fn answer(
        self: Arc<Self>,
        prompt: String,
    ) -> impl Stream<Item = Result<String, String>> + use<> {
        stream! {
            let response = match self.ask(&prompt).await {
                Ok(response) => Body::new(http::Response::from(response).into_body()),
                Err(message) => {
                    yield Err(message);
                    return;
                }
            };
            let limits = Limits::default().with_line(256 * 1024);
            let mut events = decode::<Chat, _>(response.into_data_stream()).with_limits(limits);
            for _ in 0..MOST {
                let text = match events.next().await {
                    Some(Ok(Chat::Chunk(chunk))) => chunk.text(),
                    Some(Ok(Chat::Done)) => return,
                    Some(Err(error)) => Err(unreadable(&error)),
                    None => Err("the upstream stopped in the middle".to_owned()),
                };
                let failed = text.is_err();
                if let Some(piece) = text.transpose() {
                    yield piece;
                }
                if failed {
                    return;
                }
            }
            yield Err(format!("the answer has more than {MOST} pieces"));
        }
    }

    async fn ask(&self, prompt: &str) -> Result<Response, String> {
        let mut request = self.client.post(&self.url).json(&json!({
            "model": self.model,
            "stream": true,
            "messages": [{ "role": "user", "content": prompt }],
        }));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await;
        let mut response = response
            .map_err(|error| failure("the upstream cannot be reached", with_causes(&error)))?;
        let status = response.status();
        if !status.is_success() {
            let body = response.chunk().await.ok().flatten().unwrap_or_default();
            return Err(failure(
                &format!("the upstream answered {status}"),
                String::from_utf8_lossy(&body),
            ));
        }
        Ok(response)
    }
}

#[derive(FromSseEvent)]
#[sse(unnamed)]
enum Chat {
    Chunk(Chunk),
    #[sse(literal = "[DONE]", terminal)]
    Done,
}

/// A chunk of an answer. Services differ in what they leave out and in what they set to `null`.
#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    /// An object, or just a text.
    error: Option<Value>,
}

impl Chunk {
    /// A part of the answer, if it has one.
    fn text(self) -> Result<Option<String>, String> {
        if let Some(error) = self.error {
            return Err(failure("the upstream reported an error", error));
        }
        let choice = self.choices.and_then(|choices| choices.into_iter().next());
        let text = choice.and_then(|choice| choice.delta?.content);
        Ok(text.filter(|text| !text.is_empty()))
    }
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
}

fn unreadable(error: &ReadError) -> String {
    let message = match error {
        ReadError::Event(_) => "the upstream sent no chat chunk",
        ReadError::Limit(_) => "the upstream sent too much at once",
        _ => "the upstream broke off",
    };
    failure(message, with_causes(error))
}

/// What the page is told. The upstream's own words may quote the key, so they are only printed here.
fn failure(message: &str, upstream: impl Display) -> String {
    let upstream: String = upstream.to_string().chars().take(MOST_PRINTED).collect();
    eprintln!("{message}: {upstream:?}");
    message.to_owned()
}

/// An error of reqwest says what failed; its causes say why.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
