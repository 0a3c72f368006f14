//! Topics: published once, followed by many, and come back to without a hole.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod closed;
mod combined;
mod hub;
mod lag;
mod places;
mod publishing;
mod resuming;
mod sealed;

use std::time::Duration;

use common::Reader;
use sse_tower::{Cursor, Resume, Retention, Sse, SseEvent, Subscription, Topic};

#[derive(SseEvent, Clone, Debug)]
enum Feed {
    Added(u32),
    /// Only the newest counts.
    #[sse(replay = "latest")]
    Load {
        #[sse(key)]
        host: &'static str,
        percent: u32,
    },
    /// For those who are here.
    #[sse(replay = "never")]
    Typing(&'static str),
    Snapshot(Vec<u32>),
    Lost(Option<u64>),
    #[sse(terminal)]
    Over,
}

fn topic(events: usize) -> Topic<Feed> {
    Topic::new(Retention::events(events))
}

fn reader(subscription: Subscription<Feed>) -> Reader {
    Reader::of(Sse::from(subscription))
}

/// `event: added` with the cursor of `topic` at `seq`.
fn added(topic: &Topic<Feed>, seq: u64, n: u32) -> String {
    let epoch = topic.head().epoch();
    format!("event: added\nid: {epoch}.{seq}\ndata: {n}\n\n")
}

fn at(topic: &Topic<Feed>, seq: u64) -> Resume<Cursor> {
    Resume::After(Cursor::new(topic.head().epoch(), seq))
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
