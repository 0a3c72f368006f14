//! Chunks become lines.

use std::ops::Range;

use memchr::memchr2;

/// Bytes that have arrived and the position of the first line that was not read yet.
///
/// One buffer holds the payload of the event that is being read, as one piece at its start,
/// and behind it the bytes that have not been read. Lines end at LF, CR or CRLF. A CR ends
/// its line at once, so that an event is out before the byte after it; if that byte is
/// LF, it belongs to the same line end.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buf: Vec<u8>,
    /// The payload so far.
    kept: Range<usize>,
    /// Start of the first unread line.
    next: usize,
    /// How far the unread line was searched for its end.
    searched: usize,
    /// The last line ended in CR, so an LF that comes next is part of its end.
    after_cr: bool,
    /// The first bytes are no byte order mark, or it was skipped.
    past_bom: bool,
}

/// What [`Lines::next_line`] found.
pub(super) enum Line {
    /// The bytes of a line without its end.
    Whole(Range<usize>),
    /// The line goes on in the next chunk; this much of it is here.
    Part(usize),
}

impl Lines {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.make_room();
        self.buf.extend_from_slice(chunk);
    }

    pub(super) fn next_line(&mut self) -> Line {
        self.skip_bom();
        if self.after_cr && self.next < self.buf.len() {
            self.after_cr = false;
            if self.buf[self.next] == b'\n' {
                self.next += 1;
            }
        }
        self.searched = self.searched.max(self.next);
        if !self.past_bom {
            // Maybe a byte order mark, which is no part of the line.
            return Line::Part(0);
        }
        let Some(at) = memchr2(b'\r', b'\n', &self.buf[self.searched..]) else {
            self.searched = self.buf.len();
            return Line::Part(self.buf.len() - self.next);
        };
        let end = self.searched + at;
        let line = self.next..end;
        self.after_cr = self.buf[end] == b'\r';
        self.next = end + 1;
        self.searched = self.next;
        Line::Whole(line)
    }

    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buf[range]
    }

    /// Appends the bytes at `value` to the payload, behind an LF if it has a line already.
    ///
    /// The payload moves over bytes that were read before: a line is longer than its value
    /// by its name or its end, so there is always room for the LF.
    pub(super) fn keep(&mut self, value: Range<usize>, first: bool) {
        if first {
            self.kept = value;
            return;
        }
        self.buf[self.kept.end] = b'\n';
        let at = self.kept.end + 1;
        let len = value.len();
        self.buf.copy_within(value, at);
        self.kept.end = at + len;
    }

    pub(super) fn kept(&self) -> &[u8] {
        &self.buf[self.kept.clone()]
    }

    pub(super) fn kept_len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn forget_kept(&mut self) {
        self.kept = self.next..self.next;
    }

    /// Drops what was read once it is more than half of the buffer, so that a byte is moved
    /// once per doubling at the most, and comments that never end take no memory.
    fn make_room(&mut self) {
        let dead = self.next - self.kept.len();
        if dead <= self.buf.len() / 2 {
            return;
        }
        if self.kept.start != 0 {
            self.buf.copy_within(self.kept.clone(), 0);
            self.kept = 0..self.kept.len();
        }
        let next = self.kept.end;
        self.buf.copy_within(self.next.., next);
        self.buf.truncate(self.buf.len() - (self.next - next));
        self.searched = self.searched.max(self.next) - (self.next - next);
        self.next = next;
    }

    fn skip_bom(&mut self) {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.past_bom {
            return;
        }
        let start = &self.buf[self.next..];
        if start.starts_with(MARK) {
            self.next += MARK.len();
            self.past_bom = true;
        } else if !MARK.starts_with(start) {
            self.past_bom = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps `data` as the payload, then reads `chunk` over and over; returns the bytes taken.
    fn memory_after(data: &str, chunk: &str, times: usize) -> usize {
        let mut lines = Lines::default();
        lines.push(format!("{data}\n").as_bytes());
        if let Line::Whole(line) = lines.next_line() {
            lines.keep(line, true);
        }
        for _ in 0..times {
            lines.push(chunk.as_bytes());
            while let Line::Whole(_) = lines.next_line() {}
            assert_eq!(lines.kept(), data.as_bytes());
        }
        lines.buf.capacity()
    }

    #[test]
    fn comments_inside_an_unfinished_event_take_no_memory() {
        assert!(memory_after("kept", ":\n", 100_000) <= 64);
        assert!(memory_after("kept", "\r", 100_000) <= 64);
        assert!(memory_after(&"k".repeat(1000), ": a comment\r\n", 100_000) <= 8_192);
        assert!(memory_after("", &": a comment\r\n".repeat(100), 10_000) <= 8_192);
    }

    #[test]
    fn no_byte_is_searched_twice() {
        let mut lines = Lines::default();
        lines.push(b"first: line\ndata: ");
        for _ in 0..1000 {
            while let Line::Whole(_) = lines.next_line() {}
            assert_eq!(lines.searched, lines.buf.len());
            lines.push(&[b'x'; 64]);
            assert_eq!(lines.searched, lines.buf.len() - 64);
        }
    }
}
