//! What clients asked, and what they were told: whether one has stopped is seen here only.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use sse_tower::LAST_EVENT_ID;

use crate::serve::Shared;

/// The requests since the start, or since they were forgotten.
pub(crate) struct Log {
    started: Instant,
    entries: Mutex<Vec<Entry>>,
}

#[derive(Clone, Serialize)]
pub(crate) struct Entry {
    /// When it came, in milliseconds.
    t: u128,
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    last_event_id_hex: Option<String>,
    status: u16,
}

/// A middleware that takes down every request, whoever answers it.
pub(crate) async fn record(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let log = &shared.log;
    let entry = Entry {
        t: log.started.elapsed().as_millis(),
        method: request.method().to_string(),
        target: request.uri().to_string(),
        headers: texts(request.headers()),
        last_event_id_hex: request
            .headers()
            .get(LAST_EVENT_ID)
            .map(|id| hex(id.as_bytes())),
        status: 0,
    };
    let response = next.run(request).await;
    let status = response.status().as_u16();
    log.lock().push(Entry { status, ..entry });
    response
}

impl Log {
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            entries: Mutex::default(),
        }
    }
}

/// The bytes of a header as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Headers as Latin-1, in which every byte is a character.
pub(crate) fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &[u8]| value.iter().map(|&byte| char::from(byte)).collect();
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect()
}
