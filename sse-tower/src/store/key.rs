//! The name of a topic in a store.

/// Names a topic in a store: one or more parts, each any bytes.
///
/// Two keys are equal if they have the same parts. They are not joined text, so no part can
/// be chosen to look like another key.
///
/// # Examples
///
/// ```
/// use sse_tower::store::TopicKey;
///
/// let key = TopicKey::from(("orders", "42"));
/// assert_eq!(key, TopicKey::new("orders").with("42"));
/// assert_ne!(key, TopicKey::new("orders42"));
/// assert_ne!(key, TopicKey::from(("order", "s42")));
/// assert_eq!(TopicKey::new(7_u64.to_be_bytes()).parts().next(), Some(&[0, 0, 0, 0, 0, 0, 0, 7][..]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicKey {
    /// Every part behind its length, eight bytes in big-endian order.
    encoded: Vec<u8>,
}

impl TopicKey {
    /// A key of one part.
    #[must_use]
    pub fn new(part: impl AsRef<[u8]>) -> Self {
        let encoded = Vec::new();
        Self { encoded }.with(part)
    }

    /// Adds a part.
    #[must_use]
    pub fn with(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        let len = part.len() as u64;
        self.encoded.extend_from_slice(&len.to_be_bytes());
        self.encoded.extend_from_slice(part);
        self
    }

    /// The parts.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.encoded[..];
        std::iter::from_fn(move || {
            let (len, behind) = rest.split_first_chunk()?;
            let (part, behind) = behind.split_at_checked(u64::from_be_bytes(*len) as usize)?;
            rest = behind;
            Some(part)
        })
    }

    /// All parts in one text of bytes, which no other key has: what a store may name it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.encoded
    }
}

impl From<&str> for TopicKey {
    fn from(part: &str) -> Self {
        Self::new(part)
    }
}

impl<A: AsRef<[u8]>, B: AsRef<[u8]>> From<(A, B)> for TopicKey {
    fn from((a, b): (A, B)) -> Self {
        Self::new(a).with(b)
    }
}

impl<A: AsRef<[u8]>, B: AsRef<[u8]>, C: AsRef<[u8]>> From<(A, B, C)> for TopicKey {
    fn from((a, b, c): (A, B, C)) -> Self {
        Self::new(a).with(b).with(c)
    }
}
