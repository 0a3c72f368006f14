//! The log: what readers are given, and what it costs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod append;
mod cost;
mod cursor;
mod ends;
mod properties;
mod readers;
mod retention;

use std::borrow::Cow;
use std::time::Instant;

use sse_core::log::{Log, Read, Reader};
use sse_core::{Cursor, EncodeError, EventWriter, Keep, Retention, SseEvent};

/// An event whose keeping a test chooses.
#[derive(Clone, Debug)]
enum Note {
    All(String),
    Latest(&'static str, String),
    Never(String),
}

impl Note {
    fn text(&self) -> &str {
        let (Self::All(text) | Self::Latest(_, text) | Self::Never(text)) = self;
        text
    }
}

impl SseEvent for Note {
    fn event_name(&self) -> Option<&str> {
        None
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.data(self.text());
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

fn all(text: impl Into<String>) -> Note {
    Note::All(text.into())
}

fn latest(key: &'static str, text: impl Into<String>) -> Note {
    Note::Latest(key, text.into())
}

fn never(text: impl Into<String>) -> Note {
    Note::Never(text.into())
}

/// A log of the epoch 7.
fn log() -> Log {
    Log::new(7, Retention::default())
}

fn at(seq: u64) -> Cursor {
    Cursor::new(7, seq)
}

#[track_caller]
fn append(log: &Log, notes: &[Note]) {
    for note in notes {
        log.append(note, Instant::now()).unwrap();
    }
}

/// The bytes of the next block.
#[track_caller]
fn block(reader: &mut Reader) -> String {
    match reader.next_ready() {
        Some(Read::Block(block)) => String::from_utf8(block.bytes().to_vec()).unwrap(),
        other => panic!("no block, but {other:?}"),
    }
}

/// The data of everything that is ready, in the order of reading.
#[track_caller]
fn texts(reader: &mut Reader) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(Read::Block(block)) = reader.next_ready() {
        let bytes = String::from_utf8(block.bytes().to_vec()).unwrap();
        texts.extend(
            bytes
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .map(str::to_owned),
        );
    }
    texts
}
