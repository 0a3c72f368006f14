//! `Cursors`: a place in several topics.

use std::error::Error;
use std::fmt::{self, Display};
use std::str::FromStr;

use sse_core::Cursor;

use super::combined::Combined;
use crate::extract::Resume;

/// Places in several topics, by the labels of a [`Combined`].
///
/// As text they are `label=cursor`, separated by commas: the `id` of its events.
///
/// # Examples
///
/// ```
/// use sse_tower::{Cursor, Cursors};
///
/// let cursors: Cursors = "chat=17.9,load=17.5".parse()?;
/// assert_eq!(cursors.get("load"), Some(Cursor::new(17, 5)));
/// assert_eq!(cursors.to_string(), "chat=17.9,load=17.5");
/// # Ok::<(), sse_tower::CursorsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursors(pub(super) Vec<(String, Cursor)>);

impl Cursors {
    /// The place in the topic with this label, if the client knows it.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<Cursor> {
        let found = self.0.iter().find(|(known, _)| known == label);
        found.map(|(_, cursor)| *cursor)
    }

    /// Grows with every place, of which a client may have made up some.
    pub(super) fn sum(&self) -> u64 {
        let seqs = self.0.iter().map(|(_, cursor)| cursor.seq());
        seqs.fold(0, u64::saturating_add)
    }
}

impl Display for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (label, cursor)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{label}={cursor}")?;
        }
        Ok(())
    }
}

impl FromStr for Cursors {
    type Err = CursorsError;

    fn from_str(text: &str) -> Result<Self, CursorsError> {
        let mut cursors = Self(Vec::new());
        for part in text.split(',') {
            let (label, cursor) = part.split_once('=').ok_or(CursorsError)?;
            let known = cursors.get(label).is_some();
            if !is_label(label) || known || cursors.0.len() == Combined::MOST {
                return Err(CursorsError);
            }
            let cursor = cursor.parse().map_err(|_| CursorsError)?;
            cursors.0.push((label.to_owned(), cursor));
        }
        Ok(cursors)
    }
}

impl Resume<Cursors> {
    /// Where to go on in the topic with this label of a [`Combined`].
    #[must_use]
    pub fn of(&self, label: &str) -> Resume<Cursor> {
        match self {
            Self::Fresh => Resume::Fresh,
            Self::After(cursors) => cursors.get(label).map_or(Resume::Fresh, Resume::After),
            Self::Unreadable(raw) => Resume::Unreadable(raw.clone()),
        }
    }
}

/// A text that is no list of cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorsError;

impl Display for CursorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cursors of several topics are at most 8 of `label=epoch.seq`, with commas between them")
    }
}

impl Error for CursorsError {}

pub(super) fn is_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=16).contains(&label.len()) && label.bytes().all(plain)
}
