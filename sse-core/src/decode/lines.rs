//! Chunks become lines.

use std::ops::Range;

use memchr::memchr2;

use super::Limits;
use super::text::Utf8;

/// Text that has arrived and the position of the first line that was not read yet.
///
/// Lines end at LF, CR or CRLF. A CR ends its line at once, so that an event is out before the
/// byte after it; if that byte is LF, it belongs to the same line end.
#[derive(Debug, Default)]
pub(super) struct Lines {
    utf8: Utf8,
    text: String,
    /// Start of the first unread line.
    next: usize,
    /// How far the unread line was searched for its end.
    searched: usize,
    /// The last line ended in CR, so an LF that comes next is part of its end.
    after_cr: bool,
    /// The first character is no byte order mark, or it was skipped.
    past_bom: bool,
}

/// What [`Lines::next_line`] found.
pub(super) enum Line {
    /// A line without its end.
    Whole(Range<usize>),
    /// The line goes on in the next chunk; this many bytes of it are here.
    Part(usize),
}

impl Lines {
    /// Takes more text. Lines that were read may go: `leave` sees them a last time.
    ///
    /// They go once they are more than half of what is there, so that a byte is moved once per
    /// doubling at the most, and comments that never end take no memory.
    pub(super) fn push(&mut self, chunk: &[u8], leave: impl FnOnce(&str)) {
        if self.next > self.text.len() / 2 {
            leave(&self.text[..self.next]);
            self.text.drain(..self.next);
            self.searched = self.searched.max(self.next) - self.next;
            self.next = 0;
        }
        self.utf8.decode(chunk, &mut self.text);
    }

    #[inline]
    pub(super) fn next_line(&mut self) -> Line {
        if self.after_cr || !self.past_bom {
            self.begin();
        }
        let bytes = self.text.as_bytes();
        // The line that ends every event is found without a search.
        let end = if bytes.get(self.next) == Some(&b'\n') {
            self.next
        } else {
            let from = self.searched.max(self.next);
            let Some(at) = memchr2(b'\r', b'\n', &bytes[from..]) else {
                self.searched = bytes.len();
                return Line::Part(bytes.len() - self.next);
            };
            from + at
        };
        let line = self.next..end;
        self.after_cr = bytes[end] == b'\r';
        self.next = end + 1;
        Line::Whole(line)
    }

    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.text.as_bytes()[range]
    }

    #[inline]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line whose end has not arrived.
    pub(super) fn part(&self) -> Range<usize> {
        self.next..self.text.len()
    }

    /// Forgets the text: all of it was read, or taken elsewhere.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        (self.next, self.searched) = (0, 0);
    }

    /// Appends to `value` what `chunk` brings of the line that [`clear`](Self::clear) left
    /// unfinished; returns what comes behind its end, if that has arrived.
    pub(super) fn follow<'a>(&mut self, chunk: &'a [u8], value: &mut String) -> Option<&'a [u8]> {
        let Some(end) = memchr2(b'\r', b'\n', chunk) else {
            self.utf8.decode(chunk, value);
            return None;
        };
        self.utf8.decode(&chunk[..end], value);
        self.utf8.end(value);
        self.after_cr = chunk[end] == b'\r';
        Some(&chunk[end + 1..])
    }

    /// Appends the values of the `data` lines that come next, with an LF behind each.
    ///
    /// A shortcut for text of many lines: it stops at whatever is not the usual.
    pub(super) fn join(&mut self, joined: &mut String, limits: &Limits) {
        // An LF behind that CR is still to be skipped, or not.
        if self.after_cr {
            return;
        }
        let bytes = self.text.as_bytes();
        while let Some(rest) = bytes[self.next..].strip_prefix(USUAL)
            && let Some(len) = line_end(rest)
            && rest[len] == b'\n'
            && USUAL.len() + len <= limits.line
        {
            let value = self.next + USUAL.len();
            self.next = value + len + 1;
            joined.push_str(&self.text[value..self.next]);
        }
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.text.capacity()
    }

    /// Skips what may stand before a line without being part of it.
    #[cold]
    fn begin(&mut self) {
        let Some(&first) = self.text.as_bytes().get(self.next) else {
            return;
        };
        if self.after_cr && first == b'\n' {
            self.next += 1;
        }
        if !self.past_bom && self.text.starts_with('\u{feff}') {
            self.next = '\u{feff}'.len_utf8();
        }
        self.after_cr = false;
        self.past_bom = true;
    }
}

const USUAL: &[u8] = b"data: ";

/// Finds CR or LF; for lines that are short, as those of a text are.
#[inline]
fn line_end(bytes: &[u8]) -> Option<usize> {
    /// As many blocks, until a call of `memchr` is the cheaper way.
    const NEAR: usize = 2;
    const EACH: u64 = u64::from_le_bytes([1; 8]);

    let (words, _) = bytes.as_chunks::<8>();
    let (blocks, _) = words.as_chunks::<4>();
    'near: for (block, words) in blocks.iter().take(NEAR).enumerate() {
        for (at, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            // The lowest bit that is set is that of the first byte below 14.
            let low = word.wrapping_sub(EACH * 14) & !word & (EACH * 128);
            if low != 0 {
                let at = block * 32 + at * 8 + low.trailing_zeros() as usize / 8;
                if matches!(bytes[at], b'\r' | b'\n') {
                    return Some(at);
                }
                break 'near;
            }
        }
    }
    memchr2(b'\r', b'\n', bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `chunk` over and over; returns the bytes taken.
    fn memory_after(chunk: &str, times: usize) -> usize {
        let mut lines = Lines::default();
        for _ in 0..times {
            lines.push(chunk.as_bytes(), |_| ());
            while let Line::Whole(_) = lines.next_line() {}
        }
        lines.text.capacity()
    }

    #[test]
    fn comments_that_never_end_take_no_memory() {
        assert!(memory_after(":\n", 100_000) <= 64);
        assert!(memory_after("\r", 100_000) <= 64);
        assert!(memory_after(": a comment\r\n", 100_000) <= 64);
        assert!(memory_after(&": a comment\r\n".repeat(100), 10_000) <= 8_192);
    }

    #[test]
    fn no_byte_is_searched_twice() {
        let mut lines = Lines::default();
        lines.push(b"first: line\ndata: ", |_| ());
        for _ in 0..1000 {
            while let Line::Whole(_) = lines.next_line() {}
            assert_eq!(lines.searched, lines.text.len());
            lines.push(&[b'x'; 64], |_| ());
            assert_eq!(lines.searched, lines.text.len() - 64);
        }
    }
}
