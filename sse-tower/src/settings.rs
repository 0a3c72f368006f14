//! What is written around the events of a stream, and who decides it.

use std::time::Duration;

use sse_core::Block;

use crate::ids::Ids;
use crate::keep_alive::KeepAlive;
use crate::retry::Retry;
use crate::shutdown::Drain;

/// The settings of one stream; what is `None` may still be filled in from further out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// `Some(None)` is a decision too: no keep-alive.
    pub(crate) keep_alive: Option<Option<KeepAlive>>,
    pub(crate) retry: Option<Retry>,
    pub(crate) ids: Option<Ids>,
    pub(crate) end_marker: Option<bool>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) drain: Option<Drain>,
    /// The hint for clients that are sent away.
    pub(crate) reconnect: Option<Retry>,
    /// The last event at a shutdown.
    pub(crate) goodbye: Option<Block>,
}

impl Settings {
    /// Takes from `outer` what is still open here.
    pub(crate) fn fill(&mut self, outer: &Self) {
        fn take<T: Clone>(mine: &mut Option<T>, outer: &Option<T>) {
            if mine.is_none() {
                mine.clone_from(outer);
            }
        }
        take(&mut self.keep_alive, &outer.keep_alive);
        take(&mut self.retry, &outer.retry);
        take(&mut self.ids, &outer.ids);
        take(&mut self.end_marker, &outer.end_marker);
        take(&mut self.max_age, &outer.max_age);
        take(&mut self.drain, &outer.drain);
        take(&mut self.reconnect, &outer.reconnect);
        take(&mut self.goodbye, &outer.goodbye);
    }

    /// The keep-alive in force: 15 s unless somebody decided otherwise.
    pub(crate) fn keep_alive(&self) -> Option<KeepAlive> {
        self.keep_alive
            .clone()
            .unwrap_or_else(|| Some(KeepAlive::default()))
    }
}
