//! Fields in, bytes out.

use std::error::Error;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};
use sse_core::{Event, EventBuffer, RetryDelay};

#[derive(Deserialize)]
pub(crate) struct Case {
    name: String,
    event: Option<String>,
    id: Option<String>,
    data: Option<String>,
    retry: Option<u64>,
    comment: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    B64(String),
    Rejected(String),
}

pub(crate) fn answer(case: Case) -> Result<Answer, Box<dyn Error>> {
    let mut event = case.event.map_or_else(Event::new, Event::named);
    if let Some(text) = case.comment {
        event = event.comment(text);
    }
    if let Some(id) = case.id {
        event = event.id(id);
    }
    if let Some(millis) = case.retry {
        event = event.retry(RetryDelay::from_millis(millis));
    }
    if let Some(text) = case.data {
        event = event.data(text);
    }

    let mut buffer = EventBuffer::new();
    let outcome = match buffer.write(&event) {
        Ok(_) => Outcome::B64(BASE64_STANDARD.encode(buffer.as_bytes())),
        Err(refused) => Outcome::Rejected(refused.to_string()),
    };
    Ok(Answer {
        name: case.name,
        outcome,
    })
}
