//! Bytes in, events out.

mod data;
mod lines;
mod text;

use std::error::Error;
use std::fmt;
use std::mem;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use self::data::{Data, Payload};
use self::lines::{Line, Lines};
use self::text::append;
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

/// A line that is read as it arrives; all before it was read.
#[derive(Debug)]
struct LongLine {
    len: usize,
    ended: bool,
}

/// From how many bytes on an unfinished line is long.
const LONG: usize = 1024;

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
        if let Some(line) = &self.long {
            if line.len > self.limits.line {
                return Err(self.fail(true));
            }
            if !line.ended {
                return Ok(None);
            }
            self.long = None;
            self.data.buffer().push('\n');
            if self.data.len() > self.limits.event {
                return Err(self.fail(false));
            }
        }
        loop {
            let line = match self.lines.next_line() {
                Line::Whole(line) => line,
                Line::Part(len) if len > self.limits.line => return Err(self.fail(true)),
                Line::Part(len) => {
                    if len >= LONG {
                        self.begin_long();
                    }
                    return Ok(None);
                }
            };
            if line.len() > self.limits.line {
                return Err(self.fail(true));
            }
            if line.is_empty() {
                if self.end_block() {
                    return Ok(Some(self.report()));
                }
            } else {
                self.field(line);
                if self.data.len() > self.limits.event {
                    return Err(self.fail(false));
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

    /// Moves the line that has begun to where its value is wanted, if that is the payload.
    #[cold]
    fn begin_long(&mut self) {
        let line = self.lines.part();
        let text = &self.lines.text()[line.clone()];
        if let Some((Field::Data, at)) = Field::of(text.as_bytes()) {
            append(self.data.begin(&self.lines), &text[at..]);
            self.lines.clear();
            self.long = Some(LongLine {
                len: line.len(),
                ended: false,
            });
        }
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

    fn fail(&mut self, line: bool) -> LimitError {
        self.failed = true;
        self.lines = Lines::default();
        self.data = Data::default();
        self.long = None;
        if line {
            LimitError::Line {
                limit: self.limits.line,
            }
        } else {
            LimitError::Event {
                limit: self.limits.event,
            }
        }
    }
}

/// How much a [`Decoder`] keeps in memory before it gives up, in bytes.
///
/// # Examples
///
/// ```
/// use sse_core::{Decoder, LimitError, Limits};
///
/// let mut decoder = Decoder::new().with_limits(Limits::default().with_line(16));
/// decoder.push("data: more than sixteen bytes");
/// assert_eq!(decoder.next_event().unwrap_err(), LimitError::Line { limit: 16 });
/// assert_eq!(decoder.next_event(), Ok(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    line: usize,
    event: usize,
}

impl Limits {
    /// No limits, for peers that are trusted.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            line: usize::MAX,
            event: usize::MAX,
        }
    }

    /// The longest line, without its end. Default: 1 MiB.
    #[must_use]
    pub const fn with_line(mut self, bytes: usize) -> Self {
        self.line = bytes;
        self
    }

    /// The largest payload of one event, line breaks included. Default: 1 MiB.
    #[must_use]
    pub const fn with_event(mut self, bytes: usize) -> Self {
        self.event = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 1 << 20,
            event: 1 << 20,
        }
    }
}

/// The peer sent more than the [`Limits`] allow; the stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// A line is too long.
    Line {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
    /// The payload of an event is too large.
    Event {
        /// The most that is allowed, in bytes.
        limit: usize,
    },
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { limit } => write!(f, "a line is longer than {limit} bytes"),
            Self::Event { limit } => write!(f, "the data of an event exceeds {limit} bytes"),
        }
    }
}

impl Error for LimitError {}

/// The fields that mean something.
#[derive(Clone, Copy)]
enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl Field {
    /// The field of a line, and where its value begins.
    #[inline(always)]
    fn of(line: &[u8]) -> Option<(Self, usize)> {
        let (field, name) = match line {
            [b'd', b'a', b't', b'a', ..] => (Self::Data, 4),
            [b'e', b'v', b'e', b'n', b't', ..] => (Self::Event, 5),
            [b'i', b'd', ..] => (Self::Id, 2),
            [b'r', b'e', b't', b'r', b'y', ..] => (Self::Retry, 5),
            _ => return None,
        };
        let value = match &line[name..] {
            // No colon, no value.
            [] => 0,
            [b':', b' ', ..] => 2,
            [b':', ..] => 1,
            _ => return None,
        };
        Some((field, name + value))
    }
}

/// ASCII digits only; a value beyond 64 bits becomes the largest.
fn parse_millis(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |millis, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(millis.saturating_mul(10).saturating_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_inside_an_unfinished_event_take_no_memory() {
        let long = "k".repeat(1000);
        for (data, comment) in [
            ("kept", ":\n"),
            ("kept", ":\r"),
            (&*long, ": a comment\r\n"),
        ] {
            let mut decoder = Decoder::new();
            decoder.push(format!("data: {data}\n"));
            for _ in 0..10_000 {
                decoder.push(comment);
                assert_eq!(decoder.next_event(), Ok(None));
            }
            assert!(decoder.lines.memory() + decoder.data.memory() <= 8_192);
            decoder.push("data: more\n\n");
            let event = decoder.next_event().unwrap().unwrap();
            assert_eq!(event.data(), format!("{data}\nmore"));
        }
    }

    #[test]
    fn a_payload_survives_whatever_becomes_of_the_buffer() {
        let lines = ["one", "", "three: 3", "", "five"];
        let text: String = lines
            .iter()
            .map(|line| format!("data: {line}\n:\nx\n"))
            .collect();
        let text = text + "\n";
        for len in 1..=text.len() {
            let mut decoder = Decoder::new();
            let mut seen = Vec::new();
            for chunk in text.repeat(3).as_bytes().chunks(len) {
                decoder.push(chunk);
                while let Some(event) = decoder.next_event().unwrap() {
                    seen.push(event.data().to_owned());
                }
            }
            assert_eq!(
                seen,
                [lines.join("\n"), lines.join("\n"), lines.join("\n")],
                "{len}"
            );
        }
    }

    #[test]
    fn lines_of_any_kind_follow_one_another() {
        let long = "x".repeat(100);
        let values = ["one", "a\ttab", "", &*long, "five"];
        for kind in 0..3_usize.pow(5) {
            let ends: Vec<_> = (0..5)
                .map(|at| ["\n", "\r", "\r\n"][kind / 3_usize.pow(at) % 3])
                .collect();
            let lines = values.iter().zip(&ends);
            let lines = lines.map(|(value, end)| format!("data: {value}{end}"));
            // The same for the empty line: a CR and an LF would be one end.
            let text = lines.collect::<String>() + ends[4];
            for len in [1, 7, text.len()] {
                let mut decoder = Decoder::new();
                let mut seen = Vec::new();
                for chunk in text.repeat(2).as_bytes().chunks(len) {
                    decoder.push(chunk);
                    while let Some(event) = decoder.next_event().unwrap() {
                        seen.push(event.data().to_owned());
                    }
                }
                assert_eq!(
                    seen,
                    [values.join("\n"), values.join("\n")],
                    "{text:?} by {len}"
                );
            }
        }
    }

    #[test]
    fn every_line_of_a_payload_has_the_limit_of_a_line() {
        let limits = Limits::default().with_line(10);
        for before in 0..4 {
            let text = "data: a\n".repeat(before) + "data: 12345\ndata: b\n\n";
            let mut decoder = Decoder::new().with_limits(limits);
            decoder.push(text);
            assert_eq!(
                decoder.next_event(),
                Err(LimitError::Line { limit: 10 }),
                "{before}"
            );
        }
    }
}
