//! Bytes become text.

use std::mem;

/// Decodes UTF-8 that is cut anywhere; what is none becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// The beginning of a character whose end has not arrived.
    begun: [u8; 4],
    len: usize,
}

impl Utf8 {
    /// Appends `bytes` to `text`.
    pub(super) fn decode(&mut self, mut bytes: &[u8], text: &mut String) {
        if self.len > 0 {
            bytes = self.complete(bytes, text);
        }
        let (bytes, begun) = bytes.split_at(whole(bytes));
        if !begun.is_empty() {
            self.begun[..begun.len()].copy_from_slice(begun);
            self.len = begun.len();
        }
        // The usual case, and much faster than looking for mistakes.
        match simdutf8::basic::from_utf8(bytes) {
            Ok(all) => append(text, all),
            Err(_) => decode_lossy(bytes, text),
        }
    }

    /// What was begun is not completed.
    pub(super) fn end(&mut self, text: &mut String) {
        if mem::take(&mut self.len) > 0 {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Goes on with the character that was begun; returns what comes after it.
    fn complete<'a>(&mut self, bytes: &'a [u8], text: &mut String) -> &'a [u8] {
        for (at, &byte) in bytes.iter().enumerate() {
            self.begun[self.len] = byte;
            let character = &self.begun[..=self.len];
            if let Ok(character) = str::from_utf8(character) {
                text.push_str(character);
                self.len = 0;
                return &bytes[at + 1..];
            }
            if !is_begun(character) {
                // This byte is no part of it.
                text.push(char::REPLACEMENT_CHARACTER);
                self.len = 0;
                return &bytes[at..];
            }
            self.len += 1;
        }
        &[]
    }
}

/// How many bytes there are before a character that is cut at their end.
#[inline]
fn whole(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(3);
    match bytes[last..].iter().rposition(|&byte| byte >= 0xc0) {
        Some(at) if is_begun(&bytes[last + at..]) => last + at,
        _ => bytes.len(),
    }
}

fn decode_lossy(bytes: &[u8], text: &mut String) {
    for piece in bytes.utf8_chunks() {
        append(text, piece.valid());
        if !piece.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// Appends in pieces that are copied without `rep movsb`, which takes ten times as long on some
/// processors if source and target stand in their pages a few bytes apart.
#[inline]
pub(super) fn append(text: &mut String, mut more: &str) {
    const PIECE: usize = 2048;

    text.reserve(more.len());
    while more.len() > PIECE {
        let mut end = PIECE;
        while !more.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, rest) = more.split_at(end);
        text.push_str(piece);
        more = rest;
    }
    text.push_str(more);
}

/// Whether more bytes could make a character of these, which are none yet.
fn is_begun(bytes: &[u8]) -> bool {
    str::from_utf8(bytes)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        let (mut utf8, mut text) = (Utf8::default(), String::new());
        for piece in pieces {
            utf8.decode(piece, &mut text);
        }
        text
    }

    #[test]
    fn it_does_not_matter_where_bytes_are_cut() {
        let cases: [&[u8]; 8] = [
            "aé豆😀\u{feff}".as_bytes(),
            b"\xff\xfea\x80",
            b"\xe2\x82a\xe2\x82\xe2\x82\xac",
            b"\xf0\x9f\x98a\xf0\x9f\xf0\x9f\x98\x80",
            b"\xc0\xaf\xe0\x80\xaf\xed\xa0\x80\xf4\x90\x80\x80",
            b"\xf0\x9f\x98\n\xf0\n",
            b"\xc3\xc3\xa9\xc3",
            b"",
        ];
        for case in cases {
            // What may still become a character at the end is held back.
            let whole = decoded([case]);
            let lossy = String::from_utf8_lossy(case);
            assert!(lossy.strip_suffix('\u{fffd}').is_some_and(|s| s == whole) || lossy == whole);
            assert_eq!(decoded(case.chunks(1)), whole);
            for at in 0..case.len() {
                assert_eq!(
                    decoded([&case[..at], &[], &case[at..]]),
                    whole,
                    "{case:?} at {at}"
                );
            }
        }
    }
}
