//! The rules, for values that are known when it is compiled and for others.

use memchr::{memchr2, memchr3};

use super::{EventId, Field, FieldError, Rule};

/// Names and ids with this prefix belong to the layer, which ends streams with them.
const RESERVED: &str = "sse-tower:";

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

pub(super) const fn has_any(bytes: &[u8], set: &[u8]) -> bool {
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

pub(super) const fn has_reserved_prefix(bytes: &[u8]) -> bool {
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
