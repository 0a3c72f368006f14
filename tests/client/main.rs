//! `EventSource`: a stream followed from Rust, over loopback, and in memory where time matters.

#[path = "../common/net.rs"]
mod net;

mod support;

mod ends;
