//! Bytes in, events out.

mod data;
mod field;
mod limits;
mod lines;
mod long;
#[cfg(test)]
mod tests;
mod text;

use std::mem;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use self::data::{Data, Payload};
use self::field::{Field, parse_millis};
pub use self::limits::{LimitError, Limits};
use self::lines::{Line, Lines};
use self::long::{LONG, LongLine};
use crate::raw::{RawEvent, Text};

/// Reads an event stream, a chunk at a time (HTML §9.2.6).
///
/// It does no I/O: [`push`](Self::push) what arrived, then take events until there are none.
/// The chunks may be cut anywhere, also inside a character or between CR and LF. Bytes that
/// are not UTF-8 become U+FFFD, unknown fields and comments are skipped, and an event whose
/// empty line has not arrived when the stream ends is never reported: there is no error but
/// a [limit](Limits). The time taken is linear in the bytes, however they are cut.
///
/// # Examples
///
/// ```
/// use sse_core::Decoder;
///
/// let mut decoder = Decoder::new();
/// decoder.push(b"event: tick\nid: 7\nda");
/// assert!(decoder.next_event()?.is_none());
///
/// decoder.push(b"ta: 12:00\n\n");
/// let event = decoder.next_event()?.expect("the empty line is in");
/// assert_eq!((event.event(), event.data()), ("tick", "12:00"));
///
/// // After a lost connection, this is where to go on.
/// decoder.reconnect();
/// assert_eq!(decoder.last_event_id(), "7");
/// # Ok::<(), sse_core::LimitError>(())
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    lines: Lines,
    limits: Limits,
    data: Data,
    /// A `data` line so long that its value is collected where the payload goes.
    long: Option<LongLine>,
    event: PartialEvent,
    /// The id of the block being read, if it has one; a blank line commits it.
    id: String,
    last_event_id: String,
    retry: Option<u64>,
    /// Over a limit: the stream has ended.
    failed: bool,
}

/// The fields of the event being read, but for its payload.
#[derive(Debug, Default)]
struct PartialEvent {
    name: String,
    has_id: bool,
    retry: Option<u64>,
    /// Reported; the next call starts a new one.
    reported: bool,
}

impl Decoder {
    /// Creates a decoder with the default [`Limits`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Starts with the id that an earlier connection ended with.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = id.into();
        self
    }

    /// Hands over the next bytes of the stream.
    ///
    /// They wait in the decoder until [`next_event`](Self::next_event) has read them, so take
    /// all events before pushing again. After a limit was hit they are dropped.
    pub fn push(&mut self, chunk: impl AsRef<[u8]>) {
        if self.failed {
            return;
        }
        self.start_if_reported();
        let mut chunk = chunk.as_ref();
        if let Some(line) = &mut self.long
            && !line.ended
        {
            let value = self.data.buffer();
            let before = value.len();
            let behind = self.lines.follow(chunk, value);
            line.len += value.len() - before;
            let Some(behind) = behind else {
                return;
            };
            line.ended = true;
            chunk = behind;
        }
        let data = &mut self.data;
        self.lines.push(chunk, |read| data.leave(read));
    }

    /// Takes the next event, or `None` if its end has not arrived yet.
    ///
    /// # Errors
    ///
    /// Returns a [`LimitError`] once, when a line or an event is larger than allowed; after
    /// that the stream is over and every call returns `None`.
    pub fn next_event(&mut self) -> Result<Option<RawEvent<'_>>, LimitError> {
        if self.failed {
            return Ok(None);
        }
        self.start_if_reported();
        if self.long.is_some() {
            self.check_long_line()?;
            if !self.end_long_line() {
                return Ok(None);
            }
        }
        loop {
            let line = match self.lines.next_line() {
                Line::Whole(line) => line,
                Line::Part(len) if len > self.limits.line => {
                    let part = self.lines.part();
                    return Err(self.fail_in(part));
                }
                Line::Part(len) => {
                    if len >= LONG {
                        self.begin_long_line();
                        self.check_long_line()?;
                    }
                    return Ok(None);
                }
            };
            if line.len() > self.limits.line {
                return Err(self.fail_in(line));
            }
            if line.is_empty() {
                if self.end_block() {
                    return Ok(Some(self.report()));
                }
            } else {
                self.field(line);
                if self.data.len() > self.limits.event {
                    return Err(self.fail(self.limits.event_error()));
                }
            }
        }
    }

    /// The last event id: what a client sends as `Last-Event-ID` if the connection ends now.
    ///
    /// An `id` counts from the empty line of its block on, also if the block has no data.
    /// Empty if there was none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The last reconnection time that the stream asked for, from the moment its line is in.
    ///
    /// More than 64 bits of milliseconds become the largest value.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.retry.map(Duration::from_millis)
    }

    /// Starts over for a new connection: unread bytes and the unfinished event are gone, the
    /// last event id and the retry time stay.
    pub fn reconnect(&mut self) {
        self.lines = Lines::default();
        self.data = Data::default();
        self.long = None;
        self.event = PartialEvent::default();
        self.failed = false;
    }

    fn start_if_reported(&mut self) {
        if self.event.reported {
            self.reset_block();
        }
    }

    fn reset_block(&mut self) {
        self.data.clear();
        self.event.name.clear();
        self.event.has_id = false;
        self.event.retry = None;
        self.event.reported = false;
    }

    #[inline]
    fn field(&mut self, line: Range<usize>) {
        let Some((field, at)) = Field::of(self.lines.bytes(line.clone())) else {
            return;
        };
        let value = line.start + at..line.end;
        match field {
            Field::Data => self.data.line(value, &mut self.lines, &self.limits),
            Field::Event => {
                self.event.name.clear();
                self.event.name.push_str(&self.lines.text()[value]);
            }
            Field::Id => {
                let value = &self.lines.text()[value];
                if memchr::memchr(0, value.as_bytes()).is_none() {
                    self.id.clear();
                    self.id.push_str(value);
                    self.event.has_id = true;
                }
            }
            Field::Retry => {
                if let Some(millis) = parse_millis(self.lines.bytes(value)) {
                    self.retry = Some(millis);
                    self.event.retry = Some(millis);
                }
            }
        }
    }

    /// Commits the id; returns whether there is an event to report.
    fn end_block(&mut self) -> bool {
        if self.event.has_id {
            mem::swap(&mut self.last_event_id, &mut self.id);
        }
        // A single empty `data` line is an event, none is not.
        self.event.reported = !self.data.is_none();
        if !self.event.reported {
            self.reset_block();
        }
        self.event.reported
    }

    fn report(&mut self) -> RawEvent<'_> {
        let (name, id) = (&*self.event.name, &*self.last_event_id);
        RawEvent {
            text: match self.data.finish(&self.lines) {
                Payload::Borrowed(data) => Text::Borrowed { name, data, id },
                Payload::Lent(data) => Text::Lent {
                    name,
                    data: AssertUnwindSafe(data),
                    id,
                },
            },
            has_id: self.event.has_id,
            retry: self.event.retry,
        }
    }

    fn fail(&mut self, error: LimitError) -> LimitError {
        self.failed = true;
        self.lines = Lines::default();
        self.data = Data::default();
        self.long = None;
        error
    }
}
