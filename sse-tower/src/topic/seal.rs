//! Sealed ids: a client can send back what it was sent, and nothing else.

use std::fmt::{self, Display};
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sse_core::EventId;

use super::Missed;
use crate::extract::Resume;

/// Half of the hash: 128 bits cannot be guessed, and ids go out with every event.
const TAG_LEN: usize = 16;

/// What the text of a sealed id may be at most, with its tag.
const MAX_LEN: usize = 512;

/// The keys that seal ids: one to seal with, and older ones whose seals are still taken.
///
/// A cursor is two numbers that any client can make up or take from another. Sealed, it is
/// bound to a topic and to whom it was sent: `{epoch}.{seq}.{tag}`, where the tag of 22
/// characters is the first half of an HMAC-SHA-256. Each subscriber then has bytes of its own,
/// so an event costs each of them a copy and a hash. A seal hides nothing: the numbers stay
/// readable.
///
/// To change the key, begin with [`accept`](Self::accept) of the new one everywhere, then seal
/// with it and accept the old one until no client of it is left.
///
/// # Examples
///
/// ```
/// use sse_tower::{Cursor, Json, Missed, Resume, Sealed, SealKeys, Subscription, Topic};
///
/// fn subscribe(
///     topic: &Topic<Json<u32>>,
///     keys: &SealKeys,
///     user: &str,
///     resume: Resume<Sealed>,
/// ) -> Result<Subscription<Json<u32>>, Missed> {
///     let seal = keys.seal("prices", user);
///     let resume: Resume<Cursor> = seal.open(resume)?;
///     Ok(topic.subscribe(resume)?.sealed(seal))
/// }
///
/// let keys = SealKeys::new([7; 32]);
/// let topic = Topic::new(sse_tower::Retention::events(16));
/// let id = keys.seal("prices", "ann").id(topic.head());
/// let after = |id: &str| Resume::After(id.parse().expect("it looks sealed"));
/// assert!(subscribe(&topic, &keys, "ann", after(id.as_str())).is_ok());
/// let other = subscribe(&topic, &keys, "bob", after(id.as_str()));
/// assert!(matches!(other, Err(Missed::Forged)));
/// ```
#[derive(Clone)]
pub struct SealKeys {
    /// The first one seals.
    keys: Vec<[u8; 32]>,
}

impl SealKeys {
    /// Seals with `key`: 32 random bytes that every process of the service has.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { keys: vec![key] }
    }

    /// Takes seals of `key` as well.
    #[must_use]
    pub fn accept(mut self, key: [u8; 32]) -> Self {
        self.keys.push(key);
        self
    }

    /// The seal of the ids that `principal` is sent from `topic`.
    ///
    /// Both are names that mean the same in every process and at every time: the path of the
    /// topic, and the user's number rather than the session's.
    #[must_use]
    pub fn seal(&self, topic: impl AsRef<[u8]>, principal: impl AsRef<[u8]>) -> Seal {
        let bind = |key: &[u8; 32]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
            for name in [
                b"sse-tower id".as_slice(),
                topic.as_ref(),
                principal.as_ref(),
            ] {
                // With its length, or `("ab", "c")` would be `("a", "bc")`.
                mac.update(&(name.len() as u64).to_le_bytes());
                mac.update(name);
            }
            mac
        };
        Seal {
            macs: self.keys.iter().map(bind).collect(),
        }
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKeys({} keys)", self.keys.len())
    }
}

/// Seals the ids of one topic for one principal; made by [`SealKeys::seal`].
#[derive(Clone)]
pub struct Seal {
    macs: Vec<Hmac<Sha256>>,
}

impl Seal {
    /// What stands in a sealed id.
    ///
    /// # Errors
    ///
    /// Returns [`Missed::Forged`] if none of the keys made the seal for this topic and
    /// principal, and [`Missed::Unreadable`] if what was sealed is no `T`.
    pub fn open<T: FromStr>(&self, resume: Resume<Sealed>) -> Result<Resume<T>, Missed> {
        let sealed = match resume {
            Resume::After(sealed) => sealed,
            Resume::Fresh => return Ok(Resume::Fresh),
            Resume::Unreadable(raw) => return Ok(Resume::Unreadable(raw)),
        };
        let is_ours = |mac: &Hmac<Sha256>| {
            let mac = mac.clone().chain_update(sealed.text.as_bytes());
            // In a time that does not depend on how much of the tag is right.
            mac.verify_truncated_left(&sealed.tag).is_ok()
        };
        if !self.macs.iter().any(is_ours) {
            return Err(Missed::Forged);
        }
        let id = sealed.text.parse().map_err(|_| Missed::Unreadable)?;
        Ok(Resume::After(id))
    }

    /// Seals an id.
    ///
    /// What cannot be an id, because it holds a line break or NUL, becomes one with nothing in
    /// front of its tag, which does not open as a cursor. One of more than 489 bytes is too long
    /// to be opened.
    #[must_use]
    pub fn id(&self, id: impl Display) -> EventId {
        let sealed = |mut text: String| {
            let mac = self.macs[0].clone().chain_update(text.as_bytes());
            text.push('.');
            BASE64_URL_SAFE_NO_PAD
                .encode_string(&mac.finalize().into_bytes()[..TAG_LEN], &mut text);
            EventId::new(text)
        };
        sealed(id.to_string())
            .or_else(|_| sealed(String::new()))
            .expect("a dot and base64 are an id")
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// An id with its seal, which nobody has looked at yet: [`Seal::open`] does.
///
/// It reads any text of at most 512 bytes that ends in a dot and a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    text: String,
    tag: [u8; TAG_LEN],
}

impl FromStr for Sealed {
    type Err = SealedError;

    fn from_str(text: &str) -> Result<Self, SealedError> {
        if text.len() > MAX_LEN {
            return Err(SealedError);
        }
        let (text, tag) = text.rsplit_once('.').ok_or(SealedError)?;
        // Strict, so that one id has one text: no padding, and no bits behind the last byte.
        let tag = BASE64_URL_SAFE_NO_PAD
            .decode(tag)
            .map_err(|_| SealedError)?;
        Ok(Self {
            text: text.to_owned(),
            tag: tag.try_into().map_err(|_| SealedError)?,
        })
    }
}

/// A text that is no sealed id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedError;

impl Display for SealedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed id is a text of at most 512 bytes that ends in a dot and a tag of 22 characters")
    }
}

impl std::error::Error for SealedError {}
