//! Progress: the newest state of a job, told to whoever looks, and its end.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/mod.rs"]
mod common;

mod cost;
mod ends;
mod jobs;
mod late;
mod numbers;
mod pace;
mod tasks;
mod wire;
mod wraps;

use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use sse_tower::{Progress, ProgressStream};
use tokio::time;

/// The next event, which must be ready.
#[track_caller]
fn now<T: Clone>(stream: &mut ProgressStream<T>) -> Progress<T> {
    let event = stream.next().now_or_never().expect("an event is ready");
    event.expect("the stream goes on")
}

/// Nothing is ready.
#[track_caller]
fn nothing<T: Clone + std::fmt::Debug>(stream: &mut ProgressStream<T>) {
    if let Some(event) = stream.next().now_or_never() {
        panic!("nothing is due, but there is {event:?}");
    }
}

/// The position of an update.
#[track_caller]
fn position<T: std::fmt::Debug>(event: Progress<T>) -> u64 {
    match event {
        Progress::Update { position, .. } => position,
        event => panic!("{event:?} is no update"),
    }
}

async fn pass(milliseconds: u64) {
    time::advance(Duration::from_millis(milliseconds)).await;
}
