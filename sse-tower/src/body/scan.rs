//! Where the events of somebody else's stream end.

use std::mem;

use memchr::memchr2;

/// Follows an event stream without keeping it: only where its blocks end, and which fields
/// the present one has.
#[derive(Debug, Default)]
pub(crate) struct BlockScan {
    /// The first bytes of a line that began in an earlier chunk: enough to tell the fields
    /// apart, and all of an id.
    line: Vec<u8>,
    /// The value of the last id line of the present block.
    id: Vec<u8>,
    /// The last id of the blocks before it.
    last_id: Vec<u8>,
    /// The last line ended in CR, so an LF that comes next is part of its end.
    after_cr: bool,
    fields: Fields,
}

/// `retry:`
const LONGEST_NAME: usize = 6;

/// `id: ` and what clients can send back.
const LONGEST_ID: usize = 4 + 8 * 1024;

/// A blank line, which ends a block if it has any fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blank {
    /// Where the line begins in the chunk; it may end behind it.
    pub(crate) at: usize,
    pub(crate) fields: Fields,
}

/// The fields of a block that matter to others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) any: bool,
    pub(crate) data: bool,
    pub(crate) id: bool,
}

impl BlockScan {
    /// Reads `chunk` from `at` on, up to behind its next blank line.
    #[inline]
    pub(crate) fn next_blank(&mut self, chunk: &[u8], at: &mut usize) -> Option<Blank> {
        loop {
            let begin = *at;
            let rest = &chunk[begin..];
            let first = *rest.first()?;
            if first == b'\n' && mem::take(&mut self.after_cr) {
                *at += 1;
                continue;
            }
            if first <= b'\r' && self.line.is_empty() && matches!(first, b'\r' | b'\n') {
                let crlf = rest.starts_with(b"\r\n");
                self.after_cr = first == b'\r' && !crlf;
                *at += 1 + usize::from(crlf);
                let fields = mem::take(&mut self.fields);
                if fields.id {
                    mem::swap(&mut self.id, &mut self.last_id);
                }
                return Some(Blank { at: begin, fields });
            }
            let Some(len) = memchr2(b'\r', b'\n', rest) else {
                self.after_cr = false;
                self.hold(rest);
                *at = chunk.len();
                return None;
            };
            self.end_line(&rest[..len]);
            self.after_cr = rest[len] == b'\r';
            *at += len + 1;
        }
    }

    /// Whether no event is under way, so that a comment may stand here.
    pub(crate) fn is_between_events(&self) -> bool {
        self.line.is_empty() && !self.fields.any
    }

    /// The last id there was, unless no client could send it back.
    pub(crate) fn last_id(&self) -> Option<&str> {
        str::from_utf8(&self.last_id).ok()
    }

    fn hold(&mut self, part: &[u8]) {
        let (name, value) =
            part.split_at(part.len().min(LONGEST_NAME.saturating_sub(self.line.len())));
        self.line.extend_from_slice(name);
        if self.line.starts_with(b"id") {
            let room = LONGEST_ID.saturating_sub(self.line.len());
            self.line.extend_from_slice(&value[..value.len().min(room)]);
        }
    }

    fn end_line(&mut self, rest: &[u8]) {
        if self.line.is_empty() {
            self.add(rest);
        } else {
            self.hold(rest);
            let line = mem::take(&mut self.line);
            self.add(&line);
            self.line = line;
            self.line.clear();
        }
    }

    fn add(&mut self, line: &[u8]) {
        if self.fields.add(line) {
            let value = line.get(3..).unwrap_or_default();
            let value = value.strip_prefix(b" ").unwrap_or(value);
            self.id.clear();
            self.id
                .extend_from_slice(&value[..value.len().min(LONGEST_ID)]);
        }
    }
}

impl Fields {
    /// Returns whether `line` is an id.
    fn add(&mut self, line: &[u8]) -> bool {
        let mut id = false;
        match line {
            // A reconnection time counts at once, so it may stand between two events.
            [b':', ..] | b"retry" | [b'r', b'e', b't', b'r', b'y', b':', ..] => return false,
            b"data" | [b'd', b'a', b't', b'a', b':', ..] => self.data = true,
            b"id" | [b'i', b'd', b':', ..] => id = true,
            _ => {}
        }
        self.any = true;
        self.id |= id;
        id
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
                let (mut from, mut at) = (0, 0);
                while let Some(blank) = scan.next_blank(chunk.as_bytes(), &mut at) {
                    let fields = blank.fields;
                    if fields.any {
                        marked += &chunk[from..blank.at];
                        marked += if fields.data { "D" } else { "" };
                        marked += if fields.id { "I" } else { "" };
                        marked += "|";
                        from = blank.at;
                    }
                }
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
