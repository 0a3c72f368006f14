//! The text of an event, wherever it is.

use std::mem;
use std::panic::AssertUnwindSafe;

/// The name, the payload and the last event id; what is absent is empty.
pub(crate) enum Text<'a> {
    Borrowed {
        name: &'a str,
        data: &'a str,
        id: &'a str,
    },
    /// A large payload in a buffer of its own: an event that is to outlive the decoder takes it
    /// along. A buffer that was taken is an empty one, whoever unwinds.
    Lent {
        name: &'a str,
        data: AssertUnwindSafe<&'a mut String>,
        id: &'a str,
    },
    /// Payload, name and id, one behind the other: to own an event takes one allocation.
    Owned {
        text: String,
        data: usize,
        name: usize,
    },
}

impl Text<'_> {
    #[inline]
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Borrowed { name, .. } | Self::Lent { name, .. } => name,
            Self::Owned { text, data, name } => &text[*data..*data + *name],
        }
    }

    #[inline]
    pub(crate) fn data(&self) -> &str {
        match self {
            Self::Borrowed { data, .. } => data,
            Self::Lent { data, .. } => data,
            Self::Owned { text, data, .. } => &text[..*data],
        }
    }

    #[inline]
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Borrowed { id, .. } | Self::Lent { id, .. } => id,
            Self::Owned { text, data, name } => &text[*data + *name..],
        }
    }

    #[inline]
    pub(crate) fn into_owned(self) -> Text<'static> {
        match self {
            Self::Borrowed { name, data, id } => copy(name, data, id),
            Self::Lent { name, data, id } => behind(mem::take(data.0), name, id),
            Self::Owned { text, data, name } => Text::Owned { text, data, name },
        }
    }
}

impl Clone for Text<'_> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed { name, data, id } => Self::Borrowed { name, data, id },
            Self::Lent { .. } | Self::Owned { .. } => copy(self.name(), self.data(), self.id()),
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), self.data(), self.id()) == (other.name(), other.data(), other.id())
    }
}

impl Eq for Text<'_> {}

#[inline]
fn copy(name: &str, data: &str, id: &str) -> Text<'static> {
    // Most events have neither.
    if name.is_empty() && id.is_empty() {
        let (text, data, name) = (data.to_owned(), data.len(), 0);
        return Text::Owned { text, data, name };
    }
    let mut text = String::with_capacity(data.len() + name.len() + id.len());
    text.push_str(data);
    behind(text, name, id)
}

#[inline]
fn behind(mut text: String, name: &str, id: &str) -> Text<'static> {
    let data = text.len();
    text.reserve_exact(name.len() + id.len());
    text.push_str(name);
    text.push_str(id);
    let name = name.len();
    Text::Owned { text, data, name }
}
