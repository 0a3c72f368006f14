//! An upstream that speaks the chat completions dialect of OpenAI, read with our `Decoder`.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_stream::stream;
use futures_util::Stream;
use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::json;
use sse_tower::{Decoder, Limits};

/// The longest answer, in pieces.
const MOST: usize = 10_000;

pub(crate) struct OpenAi {
    url: String,
    key: Option<String>,
    model: String,
}

impl OpenAi {
    /// `base` ends with the version, as in `https://api.openai.com/v1`.
    pub(crate) fn from_env(base: &str) -> Self {
        // An error says that there is a provider already, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            url: format!("{}/chat/completions", base.trim_end_matches('/')),
            key: env::var("OPENAI_API_KEY").ok(),
            model: env::var("OPENAI_MODEL").unwrap_or_else(|_| "gpt-4o-mini".to_owned()),
        }
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
            let mut response = match self.ask(&prompt).await {
                Ok(response) => response,
                Err(message) => {
                    yield Err(message);
                    return;
                }
            };
            let mut decoder = Decoder::new().with_limits(Limits::default().with_line(256 * 1024));
            let mut pieces = 0;
            loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => decoder.push(chunk),
                    Ok(None) => {
                        yield Err("the upstream stopped in the middle".to_owned());
                        return;
                    }
                    Err(error) => {
                        yield Err(with_causes(&error));
                        return;
                    }
                }
                loop {
                    let piece = match decoder.next_event() {
                        Ok(None) => break,
                        Ok(Some(event)) => Piece::read(event.data()),
                        Err(error) => Piece::Failed(error.to_string()),
                    };
                    match piece {
                        Piece::Nothing => {}
                        Piece::Text(text) => yield Ok(text),
                        Piece::Done => return,
                        Piece::Failed(message) => {
                            yield Err(message);
                            return;
                        }
                    }
                    pieces += 1;
                    if pieces == MOST {
                        yield Err(format!("the answer has more than {MOST} pieces"));
                        return;
                    }
                }
            }
        }
    }

    async fn ask(&self, prompt: &str) -> Result<Response, String> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| with_causes(&error))?;
        let mut request = client.post(&self.url).json(&json!({
            "model": self.model,
            "stream": true,
            "messages": [{ "role": "user", "content": prompt }],
        }));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(|error| with_causes(&error))?;
        if !response.status().is_success() {
            // The body may quote the key, so the page learns the status alone.
            return Err(format!("the upstream answered {}", response.status()));
        }
        Ok(response)
    }
}

/// What one event of the upstream says.
enum Piece {
    Text(String),
    Done,
    Failed(String),
    Nothing,
}

impl Piece {
    fn read(data: &str) -> Self {
        if data == "[DONE]" {
            return Self::Done;
        }
        match serde_json::from_str(data) {
            Err(error) => Self::Failed(format!("the upstream sent no chat chunk: {error}")),
            Ok(Chunk {
                error: Some(error), ..
            }) => Self::Failed(error.message),
            Ok(Chunk { choices, .. }) => {
                let text = choices
                    .into_iter()
                    .next()
                    .and_then(|choice| choice.delta.content);
                text.filter(|text| !text.is_empty())
                    .map_or(Self::Nothing, Self::Text)
            }
        }
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<UpstreamError>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct UpstreamError {
    message: String,
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
