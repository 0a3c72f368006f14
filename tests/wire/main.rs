//! The rules of the format, one test each.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail like the test"
)]

mod cost;
mod decoding;
mod encoding;
mod limits;

use sse_core::Decoder;
use sse_tower_tests::{Seen, read};

/// Every way of cutting has to give the same.
const STEPS: [usize; 5] = [usize::MAX, 1, 2, 3, 7];

fn read_in_steps(decoder: &mut Decoder, bytes: &[u8], step: usize) -> Seen {
    read(decoder, bytes.chunks(step.min(bytes.len().max(1))))
}
