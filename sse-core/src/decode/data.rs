//! The payload of the event that is being read.

use std::ops::Range;

use super::Limits;
use super::lines::Lines;

/// A payload of one line stays where it arrived; several are joined.
#[derive(Debug, Default)]
pub(super) struct Data {
    place: Place,
    /// Every line with an LF behind it, the last one too.
    joined: String,
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
            Place::Arrived(first) => {
                let first = lines.text(first.clone());
                self.joined.clear();
                self.joined.push_str(first);
                self.joined.push('\n');
                self.place = Place::Joined;
            }
            Place::Joined => {}
        }
        self.joined.push_str(lines.text(range));
        self.joined.push('\n');
        lines.join(&mut self.joined, limits);
    }

    /// The text that `read` holds is about to go.
    pub(super) fn leave(&mut self, read: &str) {
        if let Place::Arrived(range) = &self.place {
            self.joined.clear();
            self.joined.push_str(&read[range.clone()]);
            self.joined.push('\n');
            self.place = Place::Joined;
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

    #[inline]
    pub(super) fn text<'a>(&'a self, lines: &'a Lines) -> &'a str {
        match &self.place {
            Place::None => "",
            Place::Arrived(range) => lines.text(range.clone()),
            Place::Joined => &self.joined[..self.joined.len() - 1],
        }
    }
}
