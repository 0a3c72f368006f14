//! Where the events of somebody else's stream end.

use memchr::memchr2;

/// Follows an event stream without keeping it: only where its blocks end, and which fields
/// the present one has.
#[derive(Debug, Default)]
pub(crate) struct BlockScan {
    /// The first bytes of the current line: enough to tell the fields apart.
    line: [u8; LONGEST],
    line_len: usize,
    /// The last line ended in CR, so an LF that comes next is part of its end.
    after_cr: bool,
    fields: Fields,
}

/// `retry:`
const LONGEST: usize = 6;

/// The fields of a block that matter to others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) any: bool,
    pub(crate) data: bool,
    pub(crate) id: bool,
}

impl BlockScan {
    /// Reads the next chunk. `blank` is called for each blank line: with the offset of the
    /// line, the offset behind it, and the fields of the block that it ends, if any.
    pub(crate) fn feed(&mut self, chunk: &[u8], mut blank: impl FnMut(usize, usize, Fields)) {
        let mut at = 0;
        while at < chunk.len() {
            if std::mem::take(&mut self.after_cr) && chunk[at] == b'\n' {
                at += 1;
                continue;
            }
            let Some(len) = memchr2(b'\r', b'\n', &chunk[at..]) else {
                self.extend(&chunk[at..]);
                return;
            };
            self.extend(&chunk[at..at + len]);
            let end = at + len;
            self.after_cr = chunk[end] == b'\r';
            if self.line_len > 0 {
                self.end_line();
            } else {
                let crlf = chunk[end..].starts_with(b"\r\n");
                let fields = std::mem::take(&mut self.fields);
                blank(at, end + 1 + usize::from(crlf), fields);
            }
            at = end + 1;
        }
    }

    /// Whether no event is under way, so that a comment may stand here.
    pub(crate) fn is_between_events(&self) -> bool {
        self.line_len == 0 && !self.fields.any
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = &mut self.line[self.line_len.min(LONGEST)..];
        let len = bytes.len().min(room.len());
        room[..len].copy_from_slice(&bytes[..len]);
        self.line_len += bytes.len();
    }

    fn end_line(&mut self) {
        let line = &self.line[..self.line_len.min(LONGEST)];
        let is = |name: &[u8]| line == name || (line.starts_with(name) && line[name.len()] == b':');
        // A reconnection time counts at once, so it may stand between two events.
        self.fields.any |= line[0] != b':' && !is(b"retry");
        self.fields.data |= is(b"data");
        self.fields.id |= is(b"id");
        self.line_len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stream with `|` before each blank line that ends an event, cut everywhere.
    #[track_caller]
    fn check(stream: &str, expected: &str) {
        for cut in 0..=stream.len() {
            let mut scan = BlockScan::default();
            let mut marked = String::new();
            for chunk in [&stream[..cut], &stream[cut..]] {
                let mut from = 0;
                scan.feed(chunk.as_bytes(), |at, _, fields| {
                    if !fields.any {
                        return;
                    }
                    marked += &chunk[from..at];
                    marked += if fields.data { "D" } else { "" };
                    marked += if fields.id { "I" } else { "" };
                    marked += "|";
                    from = at;
                });
                marked += &chunk[from..];
            }
            assert_eq!(marked, expected, "cut at {cut}");
        }
    }

    #[test]
    fn blocks_end_at_blank_lines_of_any_kind() {
        check("data: a\n\n", "data: a\nD|\n");
        check("data: a\r\n\r\nid\n\n", "data: a\r\nD|\r\nid\nI|\n");
        check(
            "data\rid:1\r\rdatax: 1\r\r",
            "data\rid:1\rDI|\r\ndatax: 1\r|\r"
                .replace("\r\n", "\r")
                .as_str(),
        );
    }

    #[test]
    fn comments_hints_and_empty_lines_are_no_block() {
        check("retry: 5\n:\n\nretryx\n\n", "retry: 5\n:\n\nretryx\n|\n");
        check(
            ":\n\n\n: data: x\n\nidx\n\n",
            ":\n\n\n: data: x\n\nidx\n|\n",
        );
    }
}
