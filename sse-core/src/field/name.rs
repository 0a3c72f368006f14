//! `EventName`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::FieldError;
use super::check::{check_name, has_any, has_reserved_prefix};

/// The value of an `event:` field.
///
/// Never contains a line break, so writing one cannot start another field (HTML §9.2.6).
/// Never empty either: to a client an empty name means `message`, so a listener for it would never run.
///
/// # Examples
///
/// ```
/// use sse_core::EventName;
///
/// const TICK: EventName = EventName::from_static("tick");
/// assert_eq!(TICK.as_str(), "tick");
/// assert_eq!(
///     EventName::new("a\nid: 7").unwrap_err().to_string(),
///     "the `event` field cannot contain a line break",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventName(Cow<'static, str>);

impl EventName {
    /// Wraps `name` after checking it.
    ///
    /// # Errors
    ///
    /// Returns a [`FieldError`] naming the rule if `name` is empty, contains `\r` or `\n`,
    /// or starts with the prefix `sse-tower:`, which is reserved for the layer.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, FieldError> {
        let name = name.into();
        check_name(&name)?;
        Ok(Self(name))
    }

    /// Wraps a literal; in a `const` a bad one does not compile.
    ///
    /// # Panics
    ///
    /// Panics where [`new`](Self::new) returns an error.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty(), "an event name cannot be empty");
        assert!(
            !has_any(bytes, b"\r\n"),
            "an event name cannot contain a line break"
        );
        assert!(
            !has_reserved_prefix(bytes),
            "the prefix `sse-tower:` is reserved for the layer"
        );
        Self(Cow::Borrowed(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<EventName> for Cow<'static, str> {
    fn from(name: EventName) -> Self {
        name.0
    }
}

impl AsRef<str> for EventName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventName {
    type Err = FieldError;

    fn from_str(name: &str) -> Result<Self, FieldError> {
        Self::new(name.to_owned())
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
