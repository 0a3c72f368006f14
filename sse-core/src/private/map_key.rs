//! The key of an object as serde_json reads it, for those that were looked at before.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// A number or a `bool` as a key is in quotes; a newtype and `Some` are what they hold.
pub(super) struct MapKey<'de, E> {
    key: Cow<'de, str>,
    error: PhantomData<E>,
}

impl<'de, E: Error> MapKey<'de, E> {
    pub(super) fn new(key: Cow<'de, str>) -> Self {
        let error = PhantomData;
        Self { key, error }
    }

    fn number<V: Visitor<'de>>(
        self,
        read: impl FnOnce(&mut Number<'_>) -> Result<V::Value, serde_json::Error>,
    ) -> Result<V::Value, E> {
        // Whitespace would be none of the reader's business.
        let bytes = self.key.as_bytes();
        let digits = matches!(bytes.first(), Some(b'0'..=b'9' | b'-'))
            && bytes.last().is_some_and(u8::is_ascii_digit);
        if !digits {
            return Err(E::custom(
                "invalid value: expected key to be a number in quotes",
            ));
        }
        let mut reader = serde_json::Deserializer::from_reader(bytes);
        let value = read(&mut reader).map_err(E::custom)?;
        reader.end().map_err(E::custom)?;
        Ok(value)
    }
}

/// A reader that lends nothing, so that it may be gone before what it has read.
type Number<'a> = serde_json::Deserializer<serde_json::de::IoRead<&'a [u8]>>;

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
            self.number::<V>(|reader| reader.$method(visitor))
        }
    )*};
}

impl<'de, E: Error> Deserializer<'de> for MapKey<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.key {
            Cow::Borrowed(key) => visitor.visit_borrowed_str(key),
            Cow::Owned(key) => visitor.visit_string(key),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match &*self.key {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            key => Err(E::invalid_type(Unexpected::Str(key), &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        match self.key {
            Cow::Borrowed(key) => {
                BorrowedStrDeserializer::new(key).deserialize_enum(name, variants, visitor)
            }
            Cow::Owned(key) => StrDeserializer::new(&key).deserialize_enum(name, variants, visitor),
        }
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}
