//! Why a value is refused.

use std::error::Error;
use std::fmt;

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
