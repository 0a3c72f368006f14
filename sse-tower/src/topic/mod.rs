//! Topics: events that are published once and sent to whoever follows.
//!
//! A [`Topic`] is a [log](sse_core::log) with a type. Publishing encodes an event once, gives
//! it an id, its [`Cursor`](sse_core::Cursor), and wakes those who wait. A [`Subscription`] is a
//! place in that log, never a queue: a client that comes back with the id it has seen reads on
//! from there, and one that stalls costs nothing but what it misses.
//!
//! A [`DurableTopic`] outlives its process: its events are in a [store](crate::store) first.
//!
//! A [`Hub`] is topics by key, such as the rooms of a chat. [`Combined`] is several topics on one
//! connection.

mod combine_error;
mod combined;
mod cursors;
mod durable;
mod edit;
mod hub;
mod lag;
mod missed;
mod reader;
#[cfg(feature = "sealed")]
mod seal;
mod subscription;
#[expect(clippy::module_inception, reason = "the type of the module")]
mod topic;

pub use self::combine_error::CombineError;
pub use self::combined::Combined;
pub use self::cursors::{Cursors, CursorsError};
pub use self::durable::{DurableError, DurableTopic};
pub use self::hub::Hub;
pub use self::lag::{Lag, Lagged};
pub use self::missed::{Missed, TopicClosed};
#[cfg(feature = "sealed")]
pub use self::seal::{Seal, SealKeys, Sealed, SealedError};
pub use self::subscription::Subscription;
pub use self::topic::Topic;
pub(crate) use self::topic::new_epoch;
