//! Real servers that stop, and clients that go away: nothing hangs and nothing stays counted.
//!
//! `tests/run soak` sets `SSE_SOAK`, and the numbers grow to those of a busy server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/net.rs"]
mod net;

mod cuts;
mod graceful;
mod reconnects;

use http::Version;

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

/// `small`, or `large` in a soak.
fn scale(small: usize, large: usize) -> usize {
    if std::env::var_os("SSE_SOAK").is_some() {
        large
    } else {
        small
    }
}
