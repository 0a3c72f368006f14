//! Pages that are read, not called: each is compiled and asserts what it says.

#[doc = include_str!("dialects.md")]
pub mod dialects {}
