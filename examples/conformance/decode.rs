//! Bytes in, events out.

use std::error::Error;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};
use sse_core::{Decoder, Limits};

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) input_b64: String,
    /// Where the bytes are cut; a repeated offset is an empty chunk.
    #[serde(default)]
    pub(crate) chunks: Vec<usize>,
    /// The last event id of an earlier connection.
    #[serde(default)]
    pub(crate) initial_id: String,
}

#[derive(Serialize)]
pub(crate) struct Answer {
    pub(crate) name: String,
    pub(crate) events: Vec<Event>,
    pub(crate) retry: Option<u64>,
    pub(crate) last_event_id: String,
    /// The chunk after which each event came out.
    pub(crate) at: Vec<usize>,
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) id: String,
}

pub(crate) fn answer(case: Case) -> Result<Answer, Box<dyn Error>> {
    let bytes = BASE64_STANDARD.decode(&case.input_b64)?;
    let mut decoder = Decoder::new()
        .with_limits(Limits::none())
        .with_last_event_id(case.initial_id);
    let (mut events, mut at, mut error) = (Vec::new(), Vec::new(), None);

    let mut start = 0;
    for (index, end) in case.chunks.into_iter().chain([bytes.len()]).enumerate() {
        decoder.push(&bytes[start..end]);
        start = end;
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => {
                    events.push(Event {
                        event: event.event().to_owned(),
                        data: event.data().to_owned(),
                        id: event.last_event_id().to_owned(),
                    });
                    at.push(index);
                }
                Ok(None) => break,
                Err(limit) => error = Some(limit.to_string()),
            }
        }
    }

    Ok(Answer {
        name: case.name,
        events,
        retry: decoder.retry().map(|delay| delay.as_millis() as u64),
        last_event_id: decoder.last_event_id().to_owned(),
        at,
        error,
    })
}
