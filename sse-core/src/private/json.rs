//! JSON that derived code lays out itself: keys that are known, around values that are not.

use std::borrow::Cow;

use super::Payload;
use crate::encode_error::EncodeError;
use crate::write::{EventWriter, JsonWriter};

/// Writes a payload of which `write` makes up one JSON value.
///
/// # Errors
///
/// As `write`; nothing of the payload is left then.
pub fn json(
    w: &mut EventWriter,
    write: impl FnOnce(&mut JsonWriter<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    w.json_of(write)
}

/// Writes one value.
///
/// # Errors
///
/// As [`EventWriter::json`].
pub fn value<T: Payload + ?Sized>(out: &mut JsonWriter<'_>, value: &T) -> Result<(), EncodeError> {
    out.value(value)
}

/// A value whose type has the name of a text, a number or a truth value.
///
/// If it is what its name says, it is written without serde. Types of users may have such names,
/// and their traits any function: hence the name of `__write`.
#[derive(Debug)]
pub struct Named<'a, T: ?Sized>(pub &'a T);

/// Inherent functions come first, so this is for what is not what its name says.
///
/// The bound is on the function, so that a missing one is reported as that of [`Payload`].
#[expect(missing_docs, reason = "as `value`")]
pub trait OtherNamed {
    type Value: ?Sized;

    fn __write(&self, out: &mut JsonWriter<'_>) -> Result<(), EncodeError>
    where
        Self::Value: Payload;
}

impl<T: ?Sized> OtherNamed for Named<'_, T> {
    type Value = T;

    fn __write(&self, out: &mut JsonWriter<'_>) -> Result<(), EncodeError>
    where
        T: Payload,
    {
        out.value(self.0)
    }
}

macro_rules! texts {
    ($($text:ty)*) => {$(
        #[expect(missing_docs, reason = "as `value`")]
        impl Named<'_, $text> {
            #[inline]
            pub fn __write(&self, out: &mut JsonWriter<'_>) -> Result<(), EncodeError> {
                out.text(self.0);
                Ok(())
            }
        }
    )*};
}

texts!(&str String Cow<'_, str> Box<str>);

macro_rules! integers {
    ($($integer:ty)*) => {$(
        #[expect(missing_docs, reason = "as `value`")]
        impl Named<'_, $integer> {
            #[inline]
            pub fn __write(&self, out: &mut JsonWriter<'_>) -> Result<(), EncodeError> {
                out.integer(*self.0);
                Ok(())
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

#[expect(missing_docs, reason = "as `value`")]
impl Named<'_, bool> {
    #[inline]
    pub fn __write(&self, out: &mut JsonWriter<'_>) -> Result<(), EncodeError> {
        out.put(if *self.0 { "true" } else { "false" });
        Ok(())
    }
}
