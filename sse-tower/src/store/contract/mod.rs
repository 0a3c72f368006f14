//! Tests that every store passes: what a [`DurableTopic`](crate::DurableTopic) relies on.
//!
//! [`event_store_contract!`](crate::event_store_contract) makes a test of each of these
//! functions. They panic where a store breaks its word.
//!
//! Each is given a place for a store, as an async closure: every call opens the store that is
//! there, the first time an empty one. What the call before returned was dropped by then.
//!
//! # Examples
//!
//! ```
//! # extern crate tokio;
//! mod memory {
//!     use sse_tower::store::MemoryStore;
//!
//!     fn place() -> impl AsyncFn() -> MemoryStore {
//!         let store = MemoryStore::new();
//!         async move || store.clone()
//!     }
//!
//!     sse_tower::event_store_contract!(place());
//! }
//! ```

mod append;
mod close;
mod read;
mod support;
mod topics;
mod trim;

pub use self::append::{
    an_append_that_was_given_up_is_whole_or_nowhere, an_entry_in_the_wrong_place_is_refused,
    many_appends_at_once_all_arrive, of_two_writers_one_is_refused,
    of_two_writers_that_go_on_all_is_there,
};
pub use self::close::{a_closed_topic_stays_closed, a_topic_is_closed_without_a_last_entry};
pub use self::read::{
    a_newer_entry_replaces_the_one_of_its_key, a_read_is_bounded, entries_come_back_as_they_were,
    what_a_reader_cannot_have_is_told,
};
pub use self::topics::{
    a_new_topic_is_empty, a_store_that_is_opened_again_is_the_same, topics_are_apart,
};
pub use self::trim::{
    trimming_counts_bytes, trimming_keeps_the_newest, trimming_looks_at_the_time,
};

/// Makes a `#[tokio::test]` of every function in [`store::contract`](crate::store::contract).
///
/// The argument is evaluated for each of them, and has to give a place of its own each time. It
/// takes the crate `tokio` with its feature `macros`. The module shows a use.
#[macro_export]
macro_rules! event_store_contract {
    ($place:expr) => {
        $crate::event_store_contract! { $place;
            a_new_topic_is_empty
            entries_come_back_as_they_were
            an_entry_in_the_wrong_place_is_refused
            of_two_writers_one_is_refused
            of_two_writers_that_go_on_all_is_there
            an_append_that_was_given_up_is_whole_or_nowhere
            many_appends_at_once_all_arrive
            a_read_is_bounded
            what_a_reader_cannot_have_is_told
            a_newer_entry_replaces_the_one_of_its_key
            trimming_keeps_the_newest
            trimming_counts_bytes
            trimming_looks_at_the_time
            a_closed_topic_stays_closed
            a_topic_is_closed_without_a_last_entry
            topics_are_apart
            a_store_that_is_opened_again_is_the_same
        }
    };
    ($place:expr; $($name:ident)*) => { $(
        #[::tokio::test]
        async fn $name() {
            $crate::store::contract::$name($place).await;
        }
    )* };
}
