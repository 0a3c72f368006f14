//! The payload of the event that is being read.

use std::mem;
use std::ops::Range;

use super::Limits;
use super::lines::Lines;

/// A payload of one short line stays where it arrived; several are joined, and a long one is
/// collected from its chunks.
#[derive(Debug, Default)]
pub(super) struct Data {
    place: Place,
    /// Every line with an LF behind it, the last one too.
    joined: String,
    /// Room to begin with: events that are as large as the last one may take the buffer along.
    room: usize,
}

#[derive(Debug, Default)]
enum Place {
    /// There is no `data` line yet, which is not the same as an empty one.
    #[default]
    None,
    Arrived(Range<usize>),
    Joined,
}

impl Data {
    /// Adds the value of a `data` line, which stands at `range` of `lines`, and maybe those
    /// behind it.
    #[inline]
    pub(super) fn line(&mut self, range: Range<usize>, lines: &mut Lines, limits: &Limits) {
        match &self.place {
            Place::None => {
                self.place = Place::Arrived(range);
                return;
            }
            Place::Arrived(_) => self.leave(lines.text()),
            Place::Joined => {}
        }
        self.joined.push_str(&lines.text()[range]);
        self.joined.push('\n');
        lines.join(&mut self.joined, limits);
    }

    /// The text that `read` holds is about to go.
    pub(super) fn leave(&mut self, read: &str) {
        if let Place::Arrived(range) = &self.place {
            let line = range.clone();
            self.join();
            self.joined.push_str(&read[line]);
            self.joined.push('\n');
        }
    }

    /// The buffer for the value of a `data` line that has begun; an LF goes behind its end.
    pub(super) fn begin(&mut self, lines: &Lines) -> &mut String {
        match &self.place {
            Place::None => self.join(),
            Place::Arrived(_) => self.leave(lines.text()),
            Place::Joined => {}
        }
        &mut self.joined
    }

    /// The same buffer as the line goes on.
    pub(super) fn buffer(&mut self) -> &mut String {
        &mut self.joined
    }

    fn join(&mut self) {
        self.joined.clear();
        self.joined.reserve(mem::take(&mut self.room));
        self.place = Place::Joined;
    }

    /// The payload, of an event that is complete.
    #[inline]
    pub(super) fn finish<'a>(&'a mut self, lines: &'a Lines) -> Payload<'a> {
        match &self.place {
            Place::None => Payload::Borrowed(""),
            Place::Arrived(range) => Payload::Borrowed(&lines.text()[range.clone()]),
            Place::Joined => {
                self.joined.pop();
                let len = self.joined.len();
                // What is mostly room is better copied.
                if len < LARGE || len < self.joined.capacity() / 2 {
                    return Payload::Borrowed(&self.joined);
                }
                self.room = len + len / 8;
                Payload::Lent(&mut self.joined)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.joined.capacity()
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.place = Place::None;
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        matches!(self.place, Place::None)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match &self.place {
            Place::None => 0,
            Place::Arrived(range) => range.len(),
            Place::Joined => self.joined.len() - 1,
        }
    }
}

/// Where the payload of a complete event is.
pub(super) enum Payload<'a> {
    Borrowed(&'a str),
    /// In a buffer that may be taken.
    Lent(&'a mut String),
}

/// From how many bytes on a buffer is rather given away than copied.
const LARGE: usize = 1024;
