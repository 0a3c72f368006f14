//! Pages that are read, not called: each is compiled and asserts what it says.

#[doc = include_str!("dialects.md")]
pub mod dialects {}

#[doc = include_str!("ending.md")]
pub mod ending {}

#[cfg(feature = "client")]
#[doc = include_str!("following.md")]
pub mod following {}

#[doc = include_str!("from_axum.md")]
pub mod from_axum {}

#[doc = include_str!("llm.md")]
pub mod llm {}
#[doc = include_str!("progress.md")]
pub mod progress {}

#[doc = include_str!("proxies.md")]
pub mod proxies {}

#[doc = include_str!("resuming.md")]
pub mod resuming {}
