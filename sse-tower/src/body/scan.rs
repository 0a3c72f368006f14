//! Where the events of somebody else's stream end.

use std::mem;

use memchr::memchr2;

/// Follows an event stream without keeping it: only where its blocks end, and which fields
/// the present one has.
#[derive(Debug, Default)]
pub(crate) struct BlockScan {
    /// The first bytes of a line that began in an earlier chunk: enough to tell the fields
    /// apart, and all of an id that is not too long.
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

/// What clients can send back.
const LONGEST_ID: usize = 8 * 1024;

/// `id: `, and one byte that makes its value too long.
const LONGEST_LINE: usize = 4 + LONGEST_ID + 1;

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
        // Most chunks end with one.
        if *at == chunk.len() {
            return None;
        }
        self.find_blank(chunk, at)
    }

    fn find_blank(&mut self, chunk: &[u8], at: &mut usize) -> Option<Blank> {
        let mut begin = *at;
        if self.after_cr || !self.line.is_empty() {
            begin += self.end_of_last_chunk(&chunk[begin..]);
        }
        while let Some(rest) = chunk.get(begin..)
            && let Some(first) = rest.first()
        {
            if is_line_end(first) {
                *at = begin + self.line_break(rest);
                let fields = mem::take(&mut self.fields);
                if fields.id {
                    mem::swap(&mut self.id, &mut self.last_id);
                }
                return Some(Blank { at: begin, fields });
            }
            let Some(len) = line_end(rest) else {
                self.hold(rest);
                break;
            };
            self.add(&rest[..len]);
            begin += len + self.line_break(&rest[len..]);
        }
        *at = chunk.len();
        None
    }

    /// The CR that the chunk ended with is not passed on, so an LF that follows it ends a line
    /// of its own.
    pub(crate) fn forget_cr(&mut self) {
        self.after_cr = false;
    }

    /// What comes next begins a block: the rest of the chunk was dropped, or ended with a blank
    /// line.
    pub(crate) fn begin_block(&mut self) {
        self.line.clear();
        self.after_cr = false;
        self.fields = Fields::default();
    }

    /// Whether no event is under way, so that a comment may stand here.
    pub(crate) fn is_between_events(&self) -> bool {
        !self.is_in_line() && !self.fields.any
    }

    /// Whether a line has begun and is not ended.
    pub(crate) fn is_in_line(&self) -> bool {
        !self.line.is_empty()
    }

    /// The last id there was, unless no client could send it back.
    pub(crate) fn last_id(&self) -> Option<&str> {
        str::from_utf8(&self.last_id).ok()
    }

    /// Ends the line that the last chunk left; returns how much of `chunk` belongs to it.
    // Inlined, this and `add_other` cost the loop that calls them a tenth of its speed.
    #[inline(never)]
    fn end_of_last_chunk(&mut self, chunk: &[u8]) -> usize {
        if mem::take(&mut self.after_cr) {
            return usize::from(chunk.starts_with(b"\n"));
        }
        let Some(len) = memchr2(b'\r', b'\n', chunk) else {
            self.hold(chunk);
            return chunk.len();
        };
        self.hold(&chunk[..len]);
        let line = mem::take(&mut self.line);
        self.add(&line);
        self.line = line;
        self.line.clear();
        len + self.line_break(&chunk[len..])
    }

    /// The length of the line break that `rest` begins with.
    fn line_break(&mut self, rest: &[u8]) -> usize {
        match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r'] => {
                self.after_cr = true;
                1
            }
            _ => 1,
        }
    }

    fn hold(&mut self, part: &[u8]) {
        // Most of a long line is no name and no id.
        if self.line.len() >= LONGEST_NAME && !self.line.starts_with(b"id") {
            return;
        }
        let (name, value) =
            part.split_at(part.len().min(LONGEST_NAME.saturating_sub(self.line.len())));
        self.line.extend_from_slice(name);
        if self.line.starts_with(b"id") {
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&value[..value.len().min(room)]);
        }
    }

    fn add(&mut self, line: &[u8]) {
        // One comparison for what most lines are.
        if line.starts_with(b"data:") {
            self.fields.any = true;
            self.fields.data = true;
        } else {
            self.add_other(line);
        }
    }

    #[inline(never)]
    fn add_other(&mut self, line: &[u8]) {
        match line {
            // A reconnection time counts at once, so it may stand between two events.
            [b':', ..] | b"retry" | [b'r', b'e', b't', b'r', b'y', b':', ..] => return,
            b"data" => self.fields.data = true,
            b"id" | [b'i', b'd', b':', ..] => {
                self.fields.id |= self.set_id(line);
            }
            _ => {}
        }
        self.fields.any = true;
    }

    /// Returns whether clients take it. One that is too long counts as empty.
    #[cold]
    fn set_id(&mut self, line: &[u8]) -> bool {
        let value = line.get(3..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // First, because the rest of one that is too long may not be known.
        if value.len() > LONGEST_ID {
            self.id.clear();
            return true;
        }
        let taken = !value.contains(&0);
        if taken {
            self.id.clear();
            self.id.extend_from_slice(value);
        }
        taken
    }
}

/// Where the first line of `bytes` ends.
///
/// Most lines are short, and to call `memchr2` costs more than to look through one of them.
#[inline(always)]
fn line_end(bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 128;
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let mut rest = bytes;
    // A few vector instructions, which tell only that there is one in the block.
    while let Some((block, behind)) = rest.split_first_chunk::<32>() {
        if block.iter().fold(false, |any, byte| any | (*byte < 14)) {
            break;
        }
        rest = behind;
        if bytes.len() - rest.len() == SHORT {
            return far_line_end(bytes, rest);
        }
    }
    while let Some((word, behind)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // Its lowest bit marks the first byte below 14.
        let below = word.wrapping_sub(ONES * 14) & !word & (ONES * 0x80);
        if below != 0 {
            let at = below.trailing_zeros() as usize / 8;
            if is_line_end(&rest[at]) {
                return Some(bytes.len() - rest.len() + at);
            }
            return far_line_end(bytes, rest);
        }
        rest = behind;
    }
    let at = rest.iter().position(is_line_end)?;
    Some(bytes.len() - rest.len() + at)
}

#[inline(never)]
fn far_line_end(bytes: &[u8], rest: &[u8]) -> Option<usize> {
    memchr2(b'\r', b'\n', rest).map(|at| bytes.len() - rest.len() + at)
}

fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
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

    #[test]
    fn lines_of_any_length_and_content_end_at_their_end() {
        for len in 0..300 {
            for mut line in [vec![b'a'; len], vec![0xff; len], vec![0; len]] {
                // Below CR and LF, and between them.
                if let Some(byte) = line.get_mut(len / 2) {
                    *byte = b"\t\x0b\x0c\0"[len % 4];
                }
                assert_eq!(line_end(&line), None, "{line:?}");
                for end in ["\n", "\r", "\n\n", "\r\na\n", "\rdata: of the next\n\n"] {
                    let bytes = [&line, end.as_bytes()].concat();
                    assert_eq!(line_end(&bytes), Some(len), "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn the_fields_of_long_lines_are_seen_too() {
        let long = "x\t".repeat(100);
        check(
            &format!("event: {long}\ndata: {long}\r\n: {long}\r\n\r\nid: {long}\rdata\r\r: {long}"),
            &format!(
                "event: {long}\ndata: {long}\r\n: {long}\r\nD|\r\nid: {long}\rdata\rDI|\r: {long}"
            ),
        );
    }
}
