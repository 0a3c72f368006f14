//! What an `EventSource` is doing.

use std::time::Duration;

use super::error::ConnectionError;

/// What an [`EventSource`](super::EventSource) is doing, and why.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct State<'a> {
    /// What it is doing.
    pub phase: Phase,
    /// The newest id; empty if there is none.
    pub last_event_id: &'a str,
    /// Why the last connection is over. `None` while there was none before, and after the
    /// stream has said itself that it is over.
    pub last_error: Option<&'a ConnectionError>,
}

/// The phases of an [`EventSource`](super::EventSource).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// A request is on its way, or will be at the first poll.
    Connecting,
    /// The server has answered with a stream.
    Open,
    /// There is no connection.
    Waiting {
        /// The time between the end of the last connection and the next one.
        delay: Duration,
    },
    /// Over for good.
    Closed,
}
