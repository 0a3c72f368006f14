//! A token stream: a prompt is answered piece by piece, whether its page is there or not.

use std::collections::HashMap;
use std::env;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_stream::stream;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use sse_tower::{ResumeLayer, RunKey, SseEvent, sse_handler};
use tokio::sync::oneshot;

use crate::App;
use crate::model::Markov;
use crate::upstream::OpenAi;

/// The longest request, and the longest prompt in characters.
pub(crate) const MAX_BODY: usize = 16 * 1024;
const MAX_PROMPT: usize = 2_000;
/// How many answers may be in progress at a time.
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
    /// The answer ends early. A client that was cut off sees no terminal event at all.
    #[sse(terminal)]
    Failed {
        message: String,
    },
    #[sse(terminal)]
    Cancelled,
}

/// Keeps an answer under the name that its page has chosen: a page that lost its connection or
/// was reloaded asks for it with `GET`. Nobody else knows the name.
pub(crate) fn resumable() -> ResumeLayer {
    ResumeLayer::by(|parts: &Parts| Some(RunKey::new(parts.uri.path().to_owned()).public()))
        .linger(Duration::from_secs(30))
        .max_runs(100)
}

#[derive(Deserialize)]
pub(crate) struct Question {
    prompt: String,
}

/// Answers by `POST`, so a page reads it with `fetch` instead of an `EventSource`.
#[sse_handler]
pub(crate) async fn answer(
    Path(name): Path<String>,
    State(app): State<App>,
    Json(question): Json<Question>,
) -> Result<impl Stream<Item = Answer>, (StatusCode, &'static str)> {
    if question.prompt.chars().count() > MAX_PROMPT {
        return Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            "the prompt is longer than 2000 characters",
        ));
    }
    let Some((producer, cancelled)) = Producer::start(name, app.produced) else {
        return Err((StatusCode::TOO_MANY_REQUESTS, "eight answers at a time"));
    };
    let mut pieces = app.source.answer(question.prompt).take_until(cancelled);
    Ok(stream! {
        // Moved in here: if nobody comes back for the answer, this stream is dropped, and with it
        // both the producer and the connection to the upstream.
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
        if pieces.take_result().is_some() {
            yield Answer::Cancelled;
            return;
        }
        producer.finished = true;
        yield Answer::Finished { tokens: producer.tokens };
    })
}

/// What [`resumable`] calls if there is no such answer.
pub(crate) async fn unknown() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "the answer is gone")
}

/// A page that leaves may come back, so it has to say when it has had enough.
pub(crate) async fn cancel(Path(name): Path<String>, State(app): State<App>) -> StatusCode {
    app.produced.lock().cancel.remove(&name);
    StatusCode::NO_CONTENT
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
pub(crate) struct Production(Mutex<Producers>);

#[derive(Default)]
struct Producers {
    now: Produced,
    /// Dropping one of these cancels the answer of that name.
    cancel: HashMap<String, oneshot::Sender<()>>,
}

impl Production {
    pub(crate) fn now(&self) -> Produced {
        self.lock().now.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Producers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counted for as long as it lives.
struct Producer {
    name: String,
    production: Arc<Production>,
    tokens: u64,
    finished: bool,
}

impl Producer {
    /// The producer, and what resolves when it is cancelled; `None` if there are enough.
    fn start(name: String, production: Arc<Production>) -> Option<(Self, oneshot::Receiver<()>)> {
        let mut all = production.lock();
        if all.now.producers == MAX_RUNNING {
            return None;
        }
        all.now.producers += 1;
        let (cancel, cancelled) = oneshot::channel();
        all.cancel.insert(name.clone(), cancel);
        drop(all);
        let producer = Self {
            name,
            production,
            tokens: 0,
            finished: false,
        };
        Some((producer, cancelled))
    }

    fn count(&mut self) {
        self.tokens += 1;
        self.production.lock().now.tokens += 1;
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let mut all = self.production.lock();
        all.cancel.remove(&self.name);
        all.now.producers -= 1;
        all.now.last = Some(Stopped {
            tokens: self.tokens,
            finished: self.finished,
        });
    }
}
