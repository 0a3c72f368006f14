//! Payloads become lines.

use std::fmt::{self, Display, Write as _};
use std::io;

use bytes::BytesMut;
use memchr::{memchr2, memrchr2};
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
        for line in lines(text.as_bytes()) {
            self.put(b"data: ");
            self.put(line);
            self.put(b"\n");
        }
    }

    /// Writes what `value` displays as the payload, as [`data`](Self::data) does.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` fails to format itself.
    pub fn text(&mut self, value: impl Display) -> Result<(), EncodeError> {
        self.payload(|mut out| out.display(value))
    }

    /// Writes `value` as JSON, straight into the buffer.
    ///
    /// # Errors
    ///
    /// Returns an error if `value` cannot be serialized, such as a map whose keys are no strings.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.payload(|mut out| out.json(value))
    }

    /// Writes what `value` displays as `key value` lines of the payload.
    pub(crate) fn text_lines(&mut self, key: &str, value: impl Display) -> Result<(), EncodeError> {
        self.key_value(key, |mut out| out.display(value))
    }

    /// Writes `value` as JSON as a `key value` line of the payload.
    pub(crate) fn json_lines<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.key_value(key, |mut out| out.json(value))
    }

    /// Writes a payload in one piece and splits it only where that is needed.
    ///
    /// Almost every payload is one line: one pass finds that out, and only a line break,
    /// which JSON has in raw values alone, costs a copy.
    pub(super) fn payload(
        &mut self,
        write: impl FnOnce(Raw<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let line = self.begin_payload();
        let done = write(Raw(&mut self.buf));
        self.end_payload(line, done)
    }

    /// Returns where its first line begins. What does not depend on the value is apart, so that
    /// it is there once for all types.
    fn begin_payload(&mut self) -> usize {
        self.begin_data();
        let line = self.buf.len();
        self.put(DATA);
        line
    }

    fn end_payload(
        &mut self,
        line: usize,
        done: Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        if done.is_err() {
            self.buf.truncate(line);
            return done;
        }
        self.end_data();
        let text = line + DATA.len();
        if self.buf.len() == text {
            self.buf.truncate(line);
            self.put(b"data:\n");
        } else if memchr2(b'\r', b'\n', &self.buf[text..]).is_some() {
            self.split_lines(line, text, &["data: "], &["data: "]);
        } else {
            self.put(b"\n");
        }
        Ok(())
    }

    /// Writes a value that has its key before each line.
    fn key_value(
        &mut self,
        key: &str,
        write: impl FnOnce(Raw<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.begin_data();
        let line = self.buf.len();
        if let Err(error) = write(Raw(&mut self.buf)) {
            self.buf.truncate(line);
            return Err(error);
        }
        self.end_data();
        let prefix = ["data: ", key, " "];
        self.split_lines(line, line, &prefix, &prefix);
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

    /// Puts the lines of the text that begins at `text` where `line` is, each behind `prefix`,
    /// or behind `bare` if it is empty.
    ///
    /// The text moves apart in the buffer, so that this takes no room of its own.
    pub(super) fn split_lines(&mut self, line: usize, text: usize, prefix: &[&str], bare: &[&str]) {
        let buf = &mut self.buf;
        let of = |empty: bool| if empty { bare } else { prefix };
        let mut len = 0;
        for line in lines(&buf[text..]) {
            let prefix = of(line.is_empty()).iter().map(|part| part.len());
            len += prefix.sum::<usize>() + line.len() + 1;
        }
        let mut rest = buf.len();
        let mut to = line + len;
        buf.resize(to, 0);
        // From the last line to the first: each ends up behind where it was, so none is
        // written over before it has moved.
        loop {
            let line_break = memrchr2(b'\r', b'\n', &buf[text..rest]).map(|at| text + at);
            let start = line_break.map_or(text, |at| at + 1);
            let crlf = line_break.is_some_and(|at| buf[text..=at].ends_with(b"\r\n"));
            let len = rest - start;
            to -= len + 1;
            buf.copy_within(start..rest, to);
            buf[to + len] = b'\n';
            for part in of(len == 0).iter().rev() {
                to -= part.len();
                buf[to..to + part.len()].copy_from_slice(part.as_bytes());
            }
            let Some(line_break) = line_break else {
                break;
            };
            rest = line_break - usize::from(crlf);
        }
    }
}

const DATA: &[u8] = b"data: ";

/// Text and JSON go into the buffer as they are.
#[derive(Debug)]
pub(super) struct Raw<'a>(pub(super) &'a mut BytesMut);

impl Raw<'_> {
    fn display(&mut self, value: impl Display) -> Result<(), EncodeError> {
        write!(self, "{value}").map_err(|_| EncodeError(Cause::Display("data")))
    }

    pub(super) fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        serde_json::to_writer(self, value).map_err(|error| EncodeError(Cause::Json(error)))
    }

    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn reserve(&mut self, len: usize) {
        self.0.reserve(len);
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
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = memchr2(b'\r', b'\n', text) else {
            rest = None;
            return Some(text);
        };
        let crlf = text[at..].starts_with(b"\r\n");
        rest = Some(&text[at + 1 + usize::from(crlf)..]);
        Some(&text[..at])
    })
}
