//! What is written around the events of a stream, and who decides it.

use std::ops::Deref;
use std::sync::Arc;
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
    fn fill(&mut self, outer: &Self) {
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
    pub(crate) fn keep_alive(&self) -> Option<&KeepAlive> {
        static DEFAULT: KeepAlive = KeepAlive::DEFAULT;
        match &self.keep_alive {
            Some(decided) => decided.as_ref(),
            None => Some(&DEFAULT),
        }
    }
}

/// Settings that are shared until somebody changes them: those of most streams are those of
/// their layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedSettings(Option<Arc<Settings>>);

impl SharedSettings {
    /// To decide something.
    pub(crate) fn change(&mut self) -> &mut Settings {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    /// Takes from `outer` what is still open here.
    pub(crate) fn fill(&mut self, outer: &Self) {
        match (&self.0, &outer.0) {
            (_, None) => {}
            (None, Some(_)) => self.clone_from(outer),
            (Some(_), Some(outer)) => self.change().fill(outer),
        }
    }
}

impl Deref for SharedSettings {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        static UNDECIDED: Settings = Settings {
            keep_alive: None,
            retry: None,
            ids: None,
            end_marker: None,
            max_age: None,
            drain: None,
            reconnect: None,
            goodbye: None,
        };
        self.0.as_deref().unwrap_or(&UNDECIDED)
    }
}
