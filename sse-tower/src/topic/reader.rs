//! What a subscription reads.

use std::task::{Context, Poll};

use sse_core::Cursor;
use sse_core::log::{Read, Reader};

use super::durable::DurableReader;

/// What a subscription reads.
#[derive(Debug)]
pub(super) enum AnyReader {
    Log(Reader),
    Durable(Box<DurableReader>),
}

impl AnyReader {
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Read> {
        match self {
            Self::Log(reader) => reader.poll_next(cx),
            Self::Durable(reader) => reader.poll_next(cx),
        }
    }

    pub(super) fn cursor(&self) -> Cursor {
        match self {
            Self::Log(reader) => reader.cursor(),
            Self::Durable(reader) => reader.cursor(),
        }
    }

    pub(super) fn skip_to_latest(&mut self) {
        match self {
            Self::Log(reader) => {
                reader.skip_to_latest();
            }
            Self::Durable(reader) => reader.skip_to_latest(),
        }
    }

    /// Whether it reads a store.
    pub(super) fn is_behind(&self) -> bool {
        match self {
            Self::Log(_) => false,
            Self::Durable(reader) => reader.is_behind(),
        }
    }

    pub(super) fn take_waited(&mut self) -> Option<u64> {
        match self {
            Self::Log(reader) => reader.take_waited(),
            Self::Durable(reader) => reader.take_waited(),
        }
    }
}
