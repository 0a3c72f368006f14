//! JSON objects with a tag among their keys.
//!
//! The tag is taken out while the text is read, so nothing is buffered, no number loses
//! digits, and a payload that denies unknown fields does not see it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::map_key::MapKey;

type Json<T> = Result<T, serde_json::Error>;

/// The text under `key`, if `json` is an object that has one.
pub(super) fn find(json: &str, key: &str) -> Option<String> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_str(json);
    // An error is that of who leaves early, or the payload's own, which its reader will report.
    let _ = reader.deserialize_map(Find {
        key,
        found: &mut found,
    });
    found
}

/// The object without `key`.
pub(super) fn without<T: DeserializeOwned>(json: &str, key: &'static str) -> Json<T> {
    whole(json, |reader| {
        reader.deserialize_map(Without {
            key,
            value: PhantomData,
        })
    })
}

/// An object of a tag and the content beside it.
#[derive(Clone, Copy, Debug)]
pub struct Adjacent {
    /// The key of the tag.
    pub key: &'static str,
    /// The key of the content.
    pub content: &'static str,
    /// Whether another key is an error.
    pub deny: bool,
}

/// What is under `content`, beside the tag under `key`.
pub(super) fn content<T: DeserializeOwned>(json: &str, adjacent: Adjacent) -> Json<T> {
    whole(json, |reader| {
        reader.deserialize_map(Content {
            adjacent,
            value: PhantomData,
        })
    })
}

fn whole<'j, T>(
    json: &'j str,
    read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::StrRead<'j>>) -> Json<T>,
) -> Json<T> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

struct Find<'a> {
    key: &'a str,
    found: &'a mut Option<String>,
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            if key == self.key {
                let Key(tag) = map.next_value()?;
                *self.found = Some(tag.into_owned());
                break;
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

struct Without<T> {
    key: &'static str,
    value: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Without<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the tag `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(Tagless {
            map,
            key: self.key,
            seen: false,
        })
    }
}

struct Content<T> {
    adjacent: Adjacent,
    value: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Content<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an object with `{}` and `{}`",
            self.adjacent.key, self.adjacent.content
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let Adjacent {
            key: tag,
            content,
            deny,
        } = self.adjacent;
        let (mut value, mut tagged) = (None, false);
        while let Some(Key(key)) = map.next_key()? {
            if key == content {
                if value.replace(map.next_value()?).is_some() {
                    return Err(A::Error::duplicate_field(content));
                }
            } else if key == tag {
                if std::mem::replace(&mut tagged, true) {
                    return Err(A::Error::duplicate_field(tag));
                }
                map.next_value::<IgnoredAny>()?;
            } else if !deny {
                map.next_value::<IgnoredAny>()?;
            } else {
                return Err(A::Error::custom(format_args!(
                    "unknown field `{key}`, expected `{tag}` or `{content}`"
                )));
            }
        }
        match value {
            Some(value) => Ok(value),
            None => T::deserialize(Missing(content, PhantomData)),
        }
    }
}

/// Content that is not there, which serde takes for a value of an `Option` and nothing else.
struct Missing<E>(&'static str, PhantomData<E>);

impl<'de, E: serde::de::Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// The key of an object, or its tag; borrowed if it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;

        impl<'de> Visitor<'de> for Borrow {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrow)
    }
}

/// An object that hides one of its keys.
struct Tagless<A> {
    map: A,
    key: &'static str,
    seen: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Tagless<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        loop {
            let Some(Key(key)) = self.map.next_key()? else {
                return Ok(None);
            };
            if key == self.key {
                if std::mem::replace(&mut self.seen, true) {
                    return Err(A::Error::duplicate_field(self.key));
                }
                self.map.next_value::<IgnoredAny>()?;
                continue;
            }
            return seed.deserialize(MapKey::new(key)).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Tagless<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        MapAccessDeserializer::new(self).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, A::Error> {
        while let Some(IgnoredAny) = self.next_key()? {
            self.next_value::<IgnoredAny>()?;
        }
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.deserialize_unit(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map struct identifier ignored_any
    }
}
