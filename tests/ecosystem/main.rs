//! `SseLayer` among the parts that others make: what a user combines it with, the real things.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/net.rs"]
mod net;

mod compression;
mod hyper_alone;
mod order;
mod reverse_proxy;
mod versions;
