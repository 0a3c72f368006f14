//! `EventSource`: a stream followed from Rust, over loopback, and in memory where time matters.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/net.rs"]
mod net;

// The server that browsers visit too.
#[path = "../../examples/llm-gateway/dialect/mod.rs"]
#[expect(dead_code, reason = "the gateway reads answers, too")]
mod dialect;
#[path = "../../examples/conformance/foreign.rs"]
mod foreign;
#[path = "../../examples/conformance/jobs.rs"]
mod jobs;
#[path = "../../examples/conformance/llm.rs"]
mod llm;
#[path = "../../examples/conformance/log.rs"]
mod log;
#[path = "../../examples/conformance/mcp.rs"]
mod mcp;
#[path = "../../examples/conformance/serve.rs"]
#[expect(dead_code, reason = "its `run` is for the command line")]
mod serve;

mod support;

mod ends;
mod events;
mod network;
mod post;
mod reconnects;
mod redirects;
mod routes;
mod vectors;
mod waits;
