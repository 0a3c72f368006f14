//! Stores of topics, and the topics on them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod aging;
mod around;
mod behind;
mod broken;
mod chaos;
mod chat;
mod contract;
mod durable;
mod files;
mod kill;
mod moody;
mod slow;

#[path = "../../examples/chat/main.rs"]
#[expect(dead_code, reason = "it is a program")]
mod example_chat;

use std::borrow::Cow;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{FutureExt, StreamExt};
use sse_tower::store::EventStore;
use sse_tower::{
    Cursor, DurableTopic, EncodeError, EventWriter, Keep, Retention, SseEvent, Subscription,
};

/// An event whose keeping a test chooses.
#[derive(Clone, Debug)]
enum Note {
    All(String),
    Latest(&'static str, String),
    Never(String),
}

impl SseEvent for Note {
    fn event_name(&self) -> Option<&str> {
        None
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        let (Self::All(text) | Self::Latest(_, text) | Self::Never(text)) = self;
        w.data(text);
        Ok(())
    }

    fn keep(&self) -> Keep<'_> {
        match self {
            Self::All(_) => Keep::All,
            Self::Latest(key, _) => Keep::Latest {
                kind: "note",
                key: Cow::Borrowed(key),
            },
            Self::Never(_) => Keep::Never,
        }
    }
}

fn note(text: impl Into<String>) -> Note {
    Note::All(text.into())
}

/// A topic of which the store keeps everything and the ring ten events.
async fn open(store: impl EventStore) -> DurableTopic<Note> {
    open_keeping(store, Retention::events(100_000).bytes(1 << 30)).await
}

async fn open_keeping(store: impl EventStore, retention: Retention) -> DurableTopic<Note> {
    let ring = Retention::events(10);
    let topic = DurableTopic::open_with_ring(store, "notes", retention, ring).await;
    topic.unwrap()
}

/// Publishes `count` notes, each with its number as the text.
async fn publish(topic: &DurableTopic<Note>, count: u64) -> Vec<Cursor> {
    let mut cursors = Vec::new();
    for _ in 0..count {
        let number = topic.head().seq() + 1;
        let cursor = topic.publish(note(number.to_string())).await;
        cursors.push(cursor.unwrap().unwrap());
    }
    cursors
}

/// The data of the next block.
async fn next_texts(subscription: &mut Subscription<Note>) -> Option<Vec<String>> {
    let block = subscription.next().await?.unwrap();
    let bytes = String::from_utf8(block.bytes().to_vec()).unwrap();
    let data = bytes.lines().filter_map(|line| line.strip_prefix("data: "));
    Some(data.map(str::to_owned).collect())
}

/// Reads until this many events are there.
async fn texts(subscription: &mut Subscription<Note>, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(next_texts(subscription).await.unwrap());
    }
    all
}

/// Asserts that a subscription waits.
#[track_caller]
fn assert_waits(subscription: &mut Subscription<Note>) {
    assert!(subscription.next().now_or_never().is_none());
}

fn numbers(range: impl Iterator<Item = u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// A path for a file, which is removed with this value.
struct TempPath(PathBuf);

impl TempPath {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("sse-tower-{}-{n}.redb", process::id())))
    }
}

impl Drop for TempPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
