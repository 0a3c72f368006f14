//! JSON whose shape the derive knows: only the values in it are left to write.

use serde::Serialize;

use super::EventWriter;
use super::data::Raw;
use crate::encode_error::EncodeError;

/// A payload of JSON, piece by piece.
#[derive(Debug)]
pub struct JsonWriter<'a>(Raw<'a>);

impl EventWriter {
    /// Writes one JSON value, which the calls in `write` make up.
    pub(crate) fn json_of(
        &mut self,
        write: impl FnOnce(&mut JsonWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.payload(|out| write(&mut JsonWriter(out)))
    }
}

impl JsonWriter<'_> {
    /// Writes what is JSON already: keys, and what stands between values.
    #[inline]
    pub fn put(&mut self, json: &'static str) {
        self.0.put(json.as_bytes());
    }

    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.0.json(value)
    }

    #[inline]
    pub(crate) fn integer(&mut self, value: impl itoa::Integer) {
        self.0.put(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Writes a string, byte for byte as serde_json does.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.reserve(text.len() + 2);
        self.0.put(b"\"");
        let text = text.as_bytes();
        let mut written = 0;
        for (n, block) in text.chunks(BLOCK).enumerate() {
            if is_clean(block) {
                continue;
            }
            for (at, byte) in (n * BLOCK..).zip(block) {
                if is_escaped(*byte) {
                    self.0.put(&text[written..at]);
                    self.escape(*byte);
                    written = at + 1;
                }
            }
        }
        self.0.put(&text[written..]);
        self.0.put(b"\"");
    }

    fn escape(&mut self, byte: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let letter = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0c => b'f',
            _ => {
                let [high, low] = [byte >> 4, byte & 15].map(|digit| HEX[usize::from(digit)]);
                return self.0.put(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        };
        self.0.put(&[b'\\', letter]);
    }
}

/// How many bytes are compared in one go, without a branch.
const BLOCK: usize = 32;

/// Whether it is a whole block, as most are, with nothing to escape, as most have.
fn is_clean(block: &[u8]) -> bool {
    let whole = block.first_chunk::<BLOCK>();
    whole.is_some_and(|block| {
        !block
            .iter()
            .fold(false, |any, byte| any | is_escaped(*byte))
    })
}

fn is_escaped(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}
