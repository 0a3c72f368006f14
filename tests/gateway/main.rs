//! Streams of language models on their way through a gateway.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod coalesce;
mod cost;
mod proxy;
mod socket;

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/net.rs"]
mod net;
