//! Streams of language models on their way through a gateway.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod chats;
mod coalesce;
mod cost;
mod dialects;
mod proxy;
mod socket;

#[path = "../../examples/llm-gateway/dialect/mod.rs"]
mod dialect;

#[path = "../../examples/llm-gateway/chat.rs"]
mod chat;

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/net.rs"]
mod net;
