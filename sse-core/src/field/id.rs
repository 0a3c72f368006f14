//! `EventId`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::check::{check_id, has_any, has_reserved_prefix, is_portable};
use super::{Field, FieldError, Rule};

/// The value of an `id:` field: where a client that lost its connection stood.
///
/// Never contains a line break, nor NUL, because clients ignore an id with one (HTML §9.2.6).
/// The empty id is allowed: it makes the client forget the one it has.
/// Cloning is cheap.
///
/// # Examples
///
/// ```
/// use sse_core::EventId;
///
/// assert_eq!(EventId::new("42")?.as_str(), "42");
/// assert!(EventId::new("4\0").is_err());
/// assert!(EventId::portable("豆").is_err());
/// # Ok::<(), sse_core::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventId(Text);

/// Ids are kept beside the events of a log and handed to every reader, so a copy is a counter.
#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl EventId {
    /// The longest id that [`portable`](Self::portable) accepts, in bytes.
    pub const PORTABLE_LEN: usize = 512;

    /// Wraps `id` after checking it.
    ///
    /// # Errors
    ///
    /// Returns a [`FieldError`] naming the rule if `id` contains `\r`, `\n` or NUL,
    /// or starts with the prefix `sse-tower:`, which is reserved for the layer.
    pub fn new(id: impl Into<Cow<'static, str>>) -> Result<Self, FieldError> {
        let id = id.into();
        check_id(&id)?;
        Ok(Self(match id {
            Cow::Borrowed(id) => Text::Static(id),
            Cow::Owned(id) => Text::Shared(id.into()),
        }))
    }

    /// Wraps `id` if every client can send it back: visible ASCII, at most 512 bytes.
    ///
    /// Several Node clients stop reconnecting for good after an id with a character above
    /// U+00FF, all clients lose blanks at its ends, and servers bound the size of a header. hyper,
    /// and with it axum, answers 400 to a header with a control character, after which a browser
    /// does not come back.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and if a byte is not visible ASCII or `id` is too long.
    pub fn portable(id: impl Into<Cow<'static, str>>) -> Result<Self, FieldError> {
        let id = Self::new(id)?;
        if id.as_str().len() > Self::PORTABLE_LEN {
            return Err(FieldError::new(Field::Id, Rule::TooLong));
        }
        if !id.is_portable() {
            return Err(FieldError::new(Field::Id, Rule::NotVisibleAscii));
        }
        Ok(id)
    }

    /// Wraps a literal; in a `const` a bad one does not compile.
    ///
    /// # Panics
    ///
    /// Panics where [`new`](Self::new) returns an error.
    #[must_use]
    pub const fn from_static(id: &'static str) -> Self {
        let bytes = id.as_bytes();
        assert!(
            !has_any(bytes, b"\r\n\0"),
            "an event id cannot contain a line break or NUL"
        );
        assert!(
            !has_reserved_prefix(bytes),
            "the prefix `sse-tower:` is reserved for the layer"
        );
        Self(Text::Static(id))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(id) => id,
            Text::Shared(id) => id,
        }
    }

    /// Whether every client can send the id back, as [`portable`](Self::portable) demands.
    #[must_use]
    pub fn is_portable(&self) -> bool {
        is_portable(self.as_str().as_bytes())
    }
}

impl From<u64> for EventId {
    fn from(id: u64) -> Self {
        Self(Text::Shared(itoa::Buffer::new().format(id).into()))
    }
}

impl AsRef<str> for EventId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for EventId {
    type Err = FieldError;

    fn from_str(id: &str) -> Result<Self, FieldError> {
        Self::new(id.to_owned())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventId").field(&self.as_str()).finish()
    }
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
