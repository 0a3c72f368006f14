//! Streams of language models on their way through a gateway.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod coalesce;
