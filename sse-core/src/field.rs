//! The values that stand in fields: checked once, written freely.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use memchr::{memchr2, memchr3};

/// Names and ids with this prefix belong to the layer, which ends streams with them.
const RESERVED: &str = "sse-tower:";

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
    /// U+00FF, all clients lose blanks at its ends, and servers bound the size of a header.
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

/// The value of a `retry:` field: how long a client waits before it reconnects.
///
/// Any number of milliseconds that fits into 64 bits, as in the standard (HTML §9.2.6).
/// Real clients are narrower, which is what [`hint`](Self::hint) is for.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sse_core::RetryDelay;
///
/// assert_eq!(RetryDelay::from_millis(0).as_millis(), 0);
/// assert_eq!(RetryDelay::hint(Duration::ZERO).as_millis(), 1);
/// assert_eq!(RetryDelay::hint(Duration::MAX).as_millis(), 2_147_483_647);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetryDelay(u64);

impl RetryDelay {
    /// A delay of exactly `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// A delay that every client understands: `delay` clamped to 1..=2147483647 ms.
    ///
    /// Above that the timers of Node wrap to 1 ms, and 0 makes Chromium reconnect in 3 ms.
    #[must_use]
    pub const fn hint(delay: Duration) -> Self {
        let millis = delay.as_millis();
        if millis == 0 {
            Self(1)
        } else if millis > i32::MAX as u128 {
            Self(i32::MAX as u64)
        } else {
            Self(millis as u64)
        }
    }

    /// The delay in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl From<Duration> for RetryDelay {
    /// Takes whole milliseconds; what does not fit into 64 bits becomes the largest delay.
    fn from(delay: Duration) -> Self {
        Self(delay.as_millis().try_into().unwrap_or(u64::MAX))
    }
}

/// A value that cannot stand in a field, because a client would read something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    field: Field,
    rule: Rule,
}

/// The fields of an event that have rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The `event:` line.
    Event,
    /// The `id:` line.
    Id,
}

/// What a refused value violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// CR or LF would end the line and start another field.
    NoLineBreak,
    /// Clients ignore an id with NUL.
    NoNul,
    /// An empty event name means `message`.
    NotEmpty,
    /// The prefix `sse-tower:` belongs to the layer.
    Reserved,
    /// A portable id is visible ASCII.
    NotVisibleAscii,
    /// A portable id has at most 512 bytes.
    TooLong,
}

impl FieldError {
    pub(crate) fn new(field: Field, rule: Rule) -> Self {
        Self { field, rule }
    }

    /// The field whose value was refused.
    #[must_use]
    pub fn field(&self) -> Field {
        self.field
    }

    /// The rule that it violates.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self.field {
            Field::Event => "event",
            Field::Id => "id",
        };
        let rule = match self.rule {
            Rule::NoLineBreak => "cannot contain a line break",
            Rule::NoNul => "cannot contain NUL",
            Rule::NotEmpty => "cannot be empty",
            Rule::Reserved => "cannot start with `sse-tower:`, which is reserved for the layer",
            Rule::NotVisibleAscii => "is not visible ASCII, so some clients cannot send it back",
            Rule::TooLong => "is longer than 512 bytes, so some servers refuse it when it returns",
        };
        write!(f, "the `{field}` field {rule}")
    }
}

impl Error for FieldError {}

pub(crate) fn check_name(name: &str) -> Result<(), FieldError> {
    if name.is_empty() {
        return Err(FieldError::new(Field::Event, Rule::NotEmpty));
    }
    if memchr2(b'\r', b'\n', name.as_bytes()).is_some() {
        return Err(FieldError::new(Field::Event, Rule::NoLineBreak));
    }
    if has_reserved_prefix(name.as_bytes()) {
        return Err(FieldError::new(Field::Event, Rule::Reserved));
    }
    Ok(())
}

pub(crate) fn check_id(id: &str) -> Result<(), FieldError> {
    if let Some(at) = memchr3(b'\r', b'\n', 0, id.as_bytes()) {
        let nul = id.as_bytes()[at] == 0;
        let rule = if nul { Rule::NoNul } else { Rule::NoLineBreak };
        return Err(FieldError::new(Field::Id, rule));
    }
    if has_reserved_prefix(id.as_bytes()) {
        return Err(FieldError::new(Field::Id, Rule::Reserved));
    }
    Ok(())
}

pub(crate) fn is_reserved(value: &str) -> bool {
    has_reserved_prefix(value.as_bytes())
}

pub(crate) fn is_portable(id: &[u8]) -> bool {
    id.len() <= EventId::PORTABLE_LEN && id.iter().all(u8::is_ascii_graphic)
}

const fn has_any(bytes: &[u8], set: &[u8]) -> bool {
    let mut i = 0;
    while i < bytes.len() {
        let mut j = 0;
        while j < set.len() {
            if bytes[i] == set[j] {
                return true;
            }
            j += 1;
        }
        i += 1;
    }
    false
}

const fn has_reserved_prefix(bytes: &[u8]) -> bool {
    let prefix = RESERVED.as_bytes();
    if bytes.len() < prefix.len() {
        return false;
    }
    let mut i = 0;
    while i < prefix.len() {
        if bytes[i] != prefix[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn name_rule(name: &'static str, rule: Option<Rule>) {
        assert_eq!(EventName::new(name).err().map(|e| e.rule()), rule);
    }

    #[track_caller]
    fn id_rule(id: &'static str, rule: Option<Rule>) {
        assert_eq!(EventId::new(id).err().map(|e| e.rule()), rule);
    }

    #[test]
    fn names_are_one_line_and_never_empty() {
        name_rule("tick", None);
        name_rule("豆 腐: \0\u{2028}", None);
        name_rule("", Some(Rule::NotEmpty));
        for bad in ["\n", "\r", "a\r\nb", "a\rid: 1"] {
            name_rule(bad, Some(Rule::NoLineBreak));
        }
        name_rule("sse-tower:end", Some(Rule::Reserved));
        name_rule("sse-tower", None);
    }

    #[test]
    fn ids_are_one_line_without_nul() {
        id_rule("", None);
        id_rule("a b…", None);
        for bad in ["\n", "\r", "1\r\n2"] {
            id_rule(bad, Some(Rule::NoLineBreak));
        }
        id_rule("1\x002", Some(Rule::NoNul));
        id_rule("sse-tower:end", Some(Rule::Reserved));
    }

    #[test]
    fn portable_ids_survive_every_client() {
        assert!(EventId::portable("k".repeat(512)).is_ok());
        let rule = |id: String| EventId::portable(id).unwrap_err().rule();
        assert_eq!(rule("k".repeat(513)), Rule::TooLong);
        assert_eq!(rule(" 7".into()), Rule::NotVisibleAscii);
        assert_eq!(rule("é".into()), Rule::NotVisibleAscii);
    }

    #[test]
    fn equal_ids_are_equal_however_they_are_stored() {
        let owned = EventId::new(String::from("7")).unwrap();
        assert_eq!(owned, EventId::from_static("7"));
        assert_eq!(owned, EventId::from(7));
    }
}
