//! What the generated enums are made of.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use sse_core::{Decoder, FromSseEvent, RawEvent, SseEvent};

use crate::generated::{Sample, Wire, json};

/// Any value, as far as JSON can carry it.
pub(crate) trait Any {
    fn any(rng: &mut Rng) -> Self;
}

pub(crate) fn any<T: Any>(rng: &mut Rng) -> T {
    T::any(rng)
}

pub(crate) fn absent<T: Default>(_: &mut Rng) -> T {
    T::default()
}

/// What is hard for somebody on the way: JSON, lines, UTF-8, the names of our own keys.
const LETTERS: [char; 16] = [
    'a', 'K', '7', ' ', ':', '"', '\\', '\n', '\r', '\0', '{', ']', 'é', '\u{2028}', '\u{feff}',
    '🦀',
];

fn letters(rng: &mut Rng, forbidden: &[char]) -> String {
    let letters = (0..rng.usize(..7)).map(|_| LETTERS[rng.usize(..LETTERS.len())]);
    letters
        .filter(|letter| !forbidden.contains(letter))
        .collect()
}

impl Any for String {
    fn any(rng: &mut Rng) -> Self {
        letters(rng, &[])
    }
}

impl Any for Cow<'static, str> {
    fn any(rng: &mut Rng) -> Self {
        Cow::Owned(any(rng))
    }
}

macro_rules! any {
    ($($ty:ty => $value:expr;)*) => {$(
        impl Any for $ty {
            fn any(rng: &mut Rng) -> Self {
                let value: fn(&mut Rng) -> Self = $value;
                value(rng)
            }
        }
    )*};
}

any! {
    u8 => |rng| rng.u8(..);
    u32 => |rng| rng.u32(..);
    bool => |rng| rng.bool();
    f64 => |rng| f64::from(rng.i32(..)) / 8.0;
    (u8, char) => |rng| (rng.u8(..), rng.char(..));
    Option<u16> => |rng| rng.bool().then(|| rng.u16(..));
    Option<String> => |rng| rng.bool().then(|| any(rng));
    Vec<String> => |rng| (0..rng.usize(..3)).map(|_| any(rng)).collect();
    BTreeMap<String, String> => |rng| (0..rng.usize(..3)).map(|i| (format!("k{i}{}", letters(rng, &[])), any(rng))).collect();
    BTreeMap<Key, u8> => |rng| (0..rng.usize(..3)).map(|_| (Key(rng.i64(..)), any(rng))).collect();
    Inner => |rng| Inner { big: rng.i128(..), list: any(rng), choice: any(rng) };
    Option<Inner> => |rng| rng.bool().then(|| any(rng));
    Choice => |rng| match rng.u8(..3) {
        0 => Choice::Unit,
        1 => Choice::Newtype(rng.char(..)),
        _ => Choice::Struct { a: rng.u64(..) },
    };
    Flat => |rng| Flat { flat_a: any(rng), flat_b: any(rng) };
    Nested => |rng| Nested::sample(rng.usize(..Nested::VARIANTS), rng);
    Box<Nested> => |rng| Box::new(any(rng));
    RawEvent<'static> => |rng| {
        let mut decoder = Decoder::new();
        let id = if rng.bool() { "id: 1\n" } else { "" };
        let retry = if rng.bool() { "retry: 7\n" } else { "" };
        decoder.push(format!("event: later-{}\n{id}{retry}data: a\ndata:  b\n\n", rng.u8(..)));
        decoder.next_event().unwrap().unwrap().into_owned()
    };
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(i64);

#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub(crate) struct Inner {
    big: i128,
    list: Vec<String>,
    choice: Choice,
}

#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub(crate) enum Choice {
    #[default]
    Unit,
    Newtype(char),
    Struct {
        a: u64,
    },
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct Flat {
    flat_a: u8,
    flat_b: Option<String>,
}

#[derive(SseEvent, FromSseEvent, Clone, Debug, PartialEq)]
#[sse(prefix = "nested-")]
pub(crate) enum Nested {
    Payload(Inner),
    #[sse(terminal)]
    End,
}

impl Sample for Nested {
    const SOURCE: &'static str = "Nested";
    const VARIANTS: usize = 2;

    fn sample(variant: usize, rng: &mut Rng) -> Self {
        match variant {
            0 => Self::Payload(any(rng)),
            _ => Self::End,
        }
    }

    fn wire(&self) -> Wire {
        match self {
            Self::Payload(inner) => Wire::event(json(inner)).name("nested-payload"),
            Self::End => Wire::event("{}".into()).name("nested-end").terminal(),
        }
    }
}

/// Numbers in a text.
pub(crate) mod digits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A type with a text form of its own.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct Ticket(u32);

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T-{}", self.0)
    }
}

impl FromStr for Ticket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text
            .strip_prefix("T-")
            .and_then(|number| number.parse().ok());
        number
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no ticket"))
    }
}

/// A value whose text survives: a carriage return is read as a line feed, as the format has it.
pub(crate) trait Text: Sized {
    fn text(rng: &mut Rng) -> Self;
}

pub(crate) fn text<T: Text>(rng: &mut Rng) -> T {
    T::text(rng)
}

/// Neither empty, nor JSON, nor a literal of ours.
pub(crate) fn some_text(rng: &mut Rng) -> String {
    format!("t{}", text::<String>(rng))
}

macro_rules! text {
    ($($ty:ty => $value:expr;)*) => {$(
        impl Text for $ty {
            fn text(rng: &mut Rng) -> Self {
                let value: fn(&mut Rng) -> Self = $value;
                value(rng)
            }
        }
    )*};
}

text! {
    String => |rng| letters(rng, &['\r']);
    u64 => |rng| rng.u64(..);
    f64 => |rng| any(rng);
    Ticket => |rng| Ticket(rng.u32(..));
    Inner => |rng| any(rng);
    Option<String> => |rng| rng.bool().then(|| text(rng));
    Option<u64> => |rng| rng.bool().then(|| rng.u64(..));
    Option<Inner> => |rng| any(rng);
}

/// A value whose text is one line.
pub(crate) trait Id: Sized {
    fn id(rng: &mut Rng) -> Self;
}

pub(crate) fn id<T: Id>(rng: &mut Rng) -> T {
    T::id(rng)
}

macro_rules! ids {
    ($($ty:ty => $value:expr;)*) => {$(
        impl Id for $ty {
            fn id(rng: &mut Rng) -> Self {
                let value: fn(&mut Rng) -> Self = $value;
                value(rng)
            }
        }

        impl Id for Option<$ty> {
            fn id(rng: &mut Rng) -> Self {
                rng.bool().then(|| id(rng))
            }
        }
    )*};
}

ids! {
    u64 => |rng| rng.u64(..);
    u32 => |rng| rng.u32(..);
    i32 => |rng| rng.i32(..);
    String => |rng| letters(rng, &['\r', '\n', '\0']);
    Ticket => |rng| Ticket(rng.u32(..));
}

pub(crate) fn retry<T: From<Duration>>(rng: &mut Rng) -> T {
    Duration::from_millis(rng.u64(1..=2_147_483_647)).into()
}

pub(crate) fn name<T: FromStr<Err: fmt::Debug>>(rng: &mut Rng) -> T {
    format!("row-{}", letters(rng, &['\r', '\n']))
        .parse()
        .unwrap()
}
