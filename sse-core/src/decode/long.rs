//! A long `data` line, which is read as it arrives.

use std::ops::Range;

use super::Decoder;
use super::field::Field;
use super::limits::LimitError;
use super::text::append;

/// A line of which all that came before was read.
#[derive(Debug)]
pub(super) struct LongLine {
    pub(super) len: usize,
    pub(super) ended: bool,
    longest: usize,
    error: LimitError,
}

/// From how many bytes on an unfinished line is long.
pub(super) const LONG: usize = 1024;

impl Decoder {
    /// Moves the line that has begun to where its value is wanted, if that is the payload.
    #[cold]
    pub(super) fn begin_long_line(&mut self) {
        let line = self.lines.part();
        let text = &self.lines.text()[line.clone()];
        if let Some((Field::Data, value)) = Field::of(text.as_bytes()) {
            let (longest, error) = self.longest(value);
            append(self.data.begin(&self.lines), &text[value..]);
            self.lines.clear();
            self.long = Some(LongLine {
                len: line.len(),
                ended: false,
                longest,
                error,
            });
        }
    }

    /// Fails if it is too long, whether it has ended or not.
    pub(super) fn check_long_line(&mut self) -> Result<(), LimitError> {
        match &self.long {
            Some(line) if line.len > line.longest => {
                let error = line.error;
                Err(self.fail(error))
            }
            _ => Ok(()),
        }
    }

    /// Adds it to the payload if it has ended; returns whether that is so.
    pub(super) fn end_long_line(&mut self) -> bool {
        let ended = self.long.take_if(|line| line.ended).is_some();
        if ended {
            self.data.buffer().push('\n');
        }
        ended
    }

    /// Fails in a line that is longer than any may be, by the limit that it went over first.
    #[cold]
    pub(super) fn fail_in(&mut self, line: Range<usize>) -> LimitError {
        let error = match Field::of(self.lines.bytes(line)) {
            Some((Field::Data, value)) => self.longest(value).1,
            _ => self.limits.line_error(),
        };
        self.fail(error)
    }

    /// The longest that a `data` line may be here whose value begins at `value`, and what a longer
    /// one is.
    fn longest(&self, value: usize) -> (usize, LimitError) {
        let limits = &self.limits;
        let before = if self.data.is_none() {
            0
        } else {
            self.data.len() + 1
        };
        let by_event = value.saturating_add(limits.event.saturating_sub(before));
        if limits.line <= by_event {
            (limits.line, limits.line_error())
        } else {
            (by_event, limits.event_error())
        }
    }
}
