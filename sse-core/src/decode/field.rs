//! A line becomes a field.

/// The fields that mean something.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Data,
    Event,
    Id,
    Retry,
}

impl Field {
    /// The field of a line, and where its value begins.
    #[inline(always)]
    pub(super) fn of(line: &[u8]) -> Option<(Self, usize)> {
        let (field, name) = match line {
            [b'd', b'a', b't', b'a', ..] => (Self::Data, 4),
            [b'e', b'v', b'e', b'n', b't', ..] => (Self::Event, 5),
            [b'i', b'd', ..] => (Self::Id, 2),
            [b'r', b'e', b't', b'r', b'y', ..] => (Self::Retry, 5),
            _ => return None,
        };
        let value = match &line[name..] {
            // No colon, no value.
            [] => 0,
            [b':', b' ', ..] => 2,
            [b':', ..] => 1,
            _ => return None,
        };
        Some((field, name + value))
    }
}

/// ASCII digits only; a value beyond 64 bits becomes the largest.
pub(super) fn parse_millis(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |millis, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(millis.saturating_mul(10).saturating_add(digit))
    })
}
