//! Payloads become lines.

use std::fmt::{self, Display, Write as _};
use std::io;

use bytes::BytesMut;
use memchr::memchr2;
use serde::Serialize;

use super::EventWriter;
use crate::encode_error::{Cause, EncodeError};

impl EventWriter {
    /// Writes `text` as the payload: one `data: ` line per line of text.
    ///
    /// CR, LF and CRLF all end a line, and clients join the lines with LF. A text that ends
    /// with a line break keeps it, and an empty text is the one line `data:`, so that the
    /// event fires. A second call adds more lines to the same payload.
    pub fn data(&mut self, text: &str) {
        self.begin_data();
        self.end_data();
        if text.is_empty() {
            self.put(b"data:\n");
            return;
        }
        // Enough for lines of 80 bytes and more, which is most text.
        self.buf.reserve(text.len() + text.len() / 12 + 8);
        for line in lines(text) {
            self.put(b"data: ");
            self.put(line.as_bytes());
            self.put(b"\n");
        }
    }

    /// Writes what `value` displays as the payload, as [`data`](Self::data) does.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` fails to format itself.
    pub fn text(&mut self, value: impl Display) -> Result<(), EncodeError> {
        self.payload(|out| out.display(value))
    }

    /// Writes `value` as JSON, straight into the buffer.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` cannot be serialized, such as a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.payload(|out| out.json(value))
    }

    /// Writes what `value` displays as `key value` lines of the payload.
    pub(crate) fn text_lines(&mut self, key: &str, value: impl Display) -> Result<(), EncodeError> {
        self.key_value(key, |out| out.display(value))
    }

    /// Writes `value` as JSON as a `key value` line of the payload.
    pub(crate) fn json_lines<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.key_value(key, |out| out.json(value))
    }

    /// Writes a payload in one piece and splits it only where that is needed.
    ///
    /// Almost every payload is one line: one pass finds that out, and only a line break,
    /// which JSON has in raw values alone, costs a copy.
    fn payload(
        &mut self,
        write: impl FnOnce(&mut Raw<'_>) -> Result<(), Cause>,
    ) -> Result<(), EncodeError> {
        self.begin_data();
        let line = self.buf.len();
        self.put(b"data: ");
        let text = self.buf.len();
        if let Err(cause) = write(&mut Raw(&mut self.buf)) {
            self.buf.truncate(line);
            return Err(EncodeError(cause));
        }
        self.end_data();
        if self.buf.len() == text {
            self.buf.truncate(line);
            self.put(b"data:\n");
        } else if memchr2(b'\r', b'\n', &self.buf[text..]).is_some() {
            self.split_lines(line, text, |out, _| out.extend_from_slice(b"data: "));
        } else {
            self.put(b"\n");
        }
        Ok(())
    }

    /// Writes a value that has its key before each line.
    fn key_value(
        &mut self,
        key: &str,
        write: impl FnOnce(&mut Raw<'_>) -> Result<(), Cause>,
    ) -> Result<(), EncodeError> {
        self.begin_data();
        let line = self.buf.len();
        if let Err(cause) = write(&mut Raw(&mut self.buf)) {
            self.buf.truncate(line);
            return Err(EncodeError(cause));
        }
        self.end_data();
        self.split_lines(line, line, |out, _| {
            for part in ["data: ", key, " "] {
                out.extend_from_slice(part.as_bytes());
            }
        });
        Ok(())
    }

    fn begin_data(&mut self) {
        self.end_head();
        if let Some(delay) = self.spare.retry.take() {
            self.put_retry(delay);
        }
    }

    fn end_data(&mut self) {
        self.written.data = true;
        self.written.field = true;
    }

    /// Puts the lines of the text that begins at `text` where `line` is, each behind what
    /// `begin` writes, which is told whether the line is empty.
    ///
    /// They are written behind the text first, so that the buffer is all the room they need.
    pub(super) fn split_lines(
        &mut self,
        line: usize,
        text: usize,
        begin: impl Fn(&mut BytesMut, bool),
    ) {
        let buf = &mut self.buf;
        let end = buf.len();
        let mut rest = text..end;
        loop {
            let line = &buf[rest.clone()];
            let len = memchr2(b'\r', b'\n', line).unwrap_or(line.len());
            let line_break = if line[len..].starts_with(b"\r\n") {
                2
            } else {
                1
            };
            begin(buf, len == 0);
            let copy = buf.len();
            buf.resize(copy + len, 0);
            buf.copy_within(rest.start..rest.start + len, copy);
            buf.extend_from_slice(b"\n");
            if rest.len() == len {
                break;
            }
            rest.start += len + line_break;
        }
        buf.copy_within(end.., line);
        buf.truncate(line + buf.len() - end);
    }
}

/// Text and JSON go into the buffer as they are.
pub(super) struct Raw<'a>(pub(super) &'a mut BytesMut);

impl Raw<'_> {
    fn display(&mut self, value: impl Display) -> Result<(), Cause> {
        write!(self, "{value}").map_err(|_| Cause::Display("data"))
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cause> {
        serde_json::to_writer(self, value).map_err(Cause::Json)
    }
}

impl fmt::Write for Raw<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl io::Write for Raw<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines of `text`, at least one; CR, LF and CRLF separate them, so a trailing line
/// break leaves an empty last line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = memchr2(b'\r', b'\n', text.as_bytes()) else {
            rest = None;
            return Some(text);
        };
        let crlf = text.as_bytes()[at..].starts_with(b"\r\n");
        rest = Some(&text[at + 1 + usize::from(crlf)..]);
        Some(&text[..at])
    })
}
