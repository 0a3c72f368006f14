//! The upstream: a service that speaks the dialect of OpenAI, or the embedded model.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use futures_util::Stream;
use http_body_util::{BodyExt as _, Limited};
use reqwest::Client;
use serde_json::{Map, Value, json};

use crate::dialect::{Failure, Piece, openai};
use crate::embedded;
use crate::model::Markov;

/// What is asked, in the dialect of OpenAI.
pub(crate) type Request = Map<String, Value>;

pub(crate) enum Upstream {
    Embedded(Arc<Markov>),
    Service(Service),
}

pub(crate) struct Service {
    client: Client,
    url: String,
    key: Option<String>,
    model: Option<String>,
}

/// How much of an upstream's error is read.
const MOST_OF_AN_ERROR: usize = 64 * 1024;

impl Upstream {
    /// `OPENAI_BASE_URL` ends with the version, as in `https://api.openai.com/v1`.
    pub(crate) fn from_env() -> Result<Self, reqwest::Error> {
        let Some(base) = env::var("OPENAI_BASE_URL").ok().filter(|it| !it.is_empty()) else {
            let readme = include_str!("../../README.md");
            return Ok(Self::Embedded(Arc::new(Markov::new(readme))));
        };
        // An error means that there is a provider already, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            // A model may think for a long time, and an answer that is not streamed comes when it has
            // finished. Clients wait as long by default.
            .read_timeout(Duration::from_secs(600))
            .build()?;
        Ok(Self::Service(Service {
            client,
            url: format!("{}/chat/completions", base.trim_end_matches('/')),
            key: env::var("OPENAI_API_KEY").ok(),
            model: env::var("OPENAI_MODEL").ok(),
        }))
    }

    /// The answer to a request in the dialect of OpenAI, whatever it is.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response<Body>, Failure> {
        match self {
            Self::Embedded(model) => embedded::answer(Arc::clone(model), &request).await,
            Self::Service(service) => service.ask(request).await,
        }
    }

    /// The answer to these messages, read. Dropping it stops the upstream.
    pub(crate) async fn pieces(
        &self,
        model: Option<String>,
        max_tokens: Option<u64>,
        messages: Vec<Value>,
    ) -> Result<impl Stream<Item = Result<Piece, Failure>> + use<>, Failure> {
        let mut request = Request::from_iter([
            ("messages".to_owned(), messages.into()),
            ("stream".to_owned(), true.into()),
            (
                "stream_options".to_owned(),
                json!({ "include_usage": true }),
            ),
        ]);
        if let Some(model) = model {
            request.insert("model".to_owned(), model.into());
        }
        if let Some(most) = max_tokens {
            request.insert("max_tokens".to_owned(), most.into());
        }
        let response = self.ask(request).await?;
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(refused(status.as_u16(), response.into_body()).await);
        }
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.map(|kind| kind.as_bytes().to_ascii_lowercase());
        if !kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) {
            return Err(Failure::new(502, "the upstream answered no event stream"));
        }
        Ok(openai::pieces(response.into_body().into_data_stream()))
    }
}

impl Service {
    async fn ask(&self, mut request: Request) -> Result<Response<Body>, Failure> {
        if let Some(model) = &self.model {
            request.insert("model".to_owned(), model.as_str().into());
        }
        let mut request = self.client.post(&self.url).json(&request);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(|error| {
            let cause = error.source().map(ToString::to_string);
            eprintln!("{error}: {}", cause.unwrap_or_default());
            Failure::new(502, "the upstream cannot be reached")
        })?;
        // The answer may quote the key, and a client cannot do anything about it.
        if let StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN = response.status() {
            return Err(Failure::new(
                502,
                "the upstream refuses the key of this gateway",
            ));
        }
        Ok(Response::from(response).map(Body::new))
    }
}

/// What an upstream says before it has begun to answer.
async fn refused(status: u16, body: Body) -> Failure {
    let body = Limited::new(body, MOST_OF_AN_ERROR).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let said = serde_json::from_slice(&body).ok();
    match said {
        Some(openai::Refusal { error }) => Failure::new(status, error.into_message()),
        None => Failure::new(status, format_args!("the upstream answered {status}")),
    }
}
