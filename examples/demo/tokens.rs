//! A token stream: a prompt is answered piece by piece, until the client has enough.

use std::env;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_stream::stream;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sse_tower::{SseEvent, sse_handler};

use crate::App;
use crate::model::Markov;
use crate::upstream::OpenAi;

/// The longest request, and the longest prompt in characters.
pub(crate) const MAX_BODY: usize = 16 * 1024;
const MAX_PROMPT: usize = 2_000;
/// How many answers may be under way at a time.
const MAX_RUNNING: usize = 8;

#[derive(SseEvent)]
pub(crate) enum Answer {
    /// Who answers.
    Started {
        model: String,
    },
    Token(String),
    #[sse(terminal)]
    Finished {
        tokens: u64,
    },
    /// The answer ends early; a client that was cut off sees neither this nor `finished`.
    #[sse(terminal)]
    Failed {
        message: String,
    },
}

#[derive(Deserialize)]
pub(crate) struct Question {
    prompt: String,
}

/// Answers by `POST`, so a page reads it with `fetch` instead of an `EventSource`.
#[sse_handler]
pub(crate) async fn answer(
    State(app): State<App>,
    Json(question): Json<Question>,
) -> Result<impl Stream<Item = Answer>, (StatusCode, &'static str)> {
    if question.prompt.chars().count() > MAX_PROMPT {
        return Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            "the prompt is longer than 2000 characters",
        ));
    }
    let Some(producer) = Producer::start(app.produced) else {
        return Err((StatusCode::TOO_MANY_REQUESTS, "eight answers at a time"));
    };
    let mut pieces = app.source.answer(question.prompt);
    Ok(stream! {
        // Moved in here: when the client leaves, this stream is dropped, and with it both the
        // producer and the connection to the upstream.
        let mut producer = producer;
        yield Answer::Started { model: app.source.name() };
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(text) => {
                    producer.count();
                    yield Answer::Token(text);
                }
                Err(message) => {
                    yield Answer::Failed { message };
                    return;
                }
            }
        }
        producer.finished = true;
        yield Answer::Finished { tokens: producer.tokens };
    })
}

/// Where answers come from.
pub(crate) enum Source {
    Markov(Arc<Markov>),
    OpenAi(Arc<OpenAi>),
}

/// Pieces of text, or why there will be no more.
pub(crate) type Pieces = BoxStream<'static, Result<String, String>>;

impl Source {
    pub(crate) fn from_env() -> Result<Self, reqwest::Error> {
        Ok(match env::var("OPENAI_BASE_URL") {
            Ok(base) if !base.is_empty() => Self::OpenAi(Arc::new(OpenAi::from_env(&base)?)),
            _ => Self::Markov(Arc::new(Markov::new(include_str!("../../README.md")))),
        })
    }

    fn name(&self) -> String {
        match self {
            Self::Markov(_) => "a Markov chain over the README".to_owned(),
            Self::OpenAi(upstream) => upstream.model().to_owned(),
        }
    }

    fn answer(&self, prompt: String) -> Pieces {
        match self {
            Self::Markov(model) => Arc::clone(model).answer(&prompt).boxed(),
            Self::OpenAi(upstream) => Arc::clone(upstream).answer(prompt).boxed(),
        }
    }
}

/// How much the server is producing, as the page shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Produced {
    producers: usize,
    tokens: u64,
    last: Option<Stopped>,
}

/// How the last producer stopped.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Stopped {
    tokens: u64,
    finished: bool,
}

/// All that is being produced.
#[derive(Default)]
pub(crate) struct Production(Mutex<Produced>);

impl Production {
    pub(crate) fn now(&self) -> Produced {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Produced> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counted for as long as it lives.
struct Producer {
    production: Arc<Production>,
    tokens: u64,
    finished: bool,
}

impl Producer {
    /// `None` if there are enough.
    fn start(production: Arc<Production>) -> Option<Self> {
        let mut now = production.lock();
        if now.producers == MAX_RUNNING {
            return None;
        }
        now.producers += 1;
        drop(now);
        Some(Self {
            production,
            tokens: 0,
            finished: false,
        })
    }

    fn count(&mut self) {
        self.tokens += 1;
        self.production.lock().tokens += 1;
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let mut now = self.production.lock();
        now.producers -= 1;
        now.last = Some(Stopped {
            tokens: self.tokens,
            finished: self.finished,
        });
    }
}
