//! `Metrics`: the streams of a layer as metrics.

use metrics::{counter, gauge};

use crate::life::Closed;
use crate::observe::Observe;

/// Records the streams of a layer through the `metrics` facade. Feature `metrics`.
///
/// | name | kind | labels | |
/// |---|---|---|---|
/// | `sse_streams_open` | gauge | | streams that are being sent |
/// | `sse_streams_opened_total` | counter | | |
/// | `sse_streams_closed_total` | counter | `reason` | [`CloseReason::as_str`](crate::CloseReason::as_str) |
/// | `sse_events_total` | counter | | events handed to the server |
/// | `sse_bytes_total` | counter | | bytes handed to the server |
///
/// # Examples
///
/// ```
/// use sse_tower::{Metrics, SseLayer};
///
/// let layer = SseLayer::new().observe(Metrics::new());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics(());

impl Metrics {
    /// Records with the names above.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Observe for Metrics {
    fn opened(&self) {
        gauge!("sse_streams_open").increment(1);
        counter!("sse_streams_opened_total").increment(1);
    }

    fn sent(&self, events: u64, bytes: u64) {
        counter!("sse_events_total").increment(events);
        counter!("sse_bytes_total").increment(bytes);
    }

    fn closed(&self, closed: &Closed) {
        gauge!("sse_streams_open").decrement(1);
        counter!("sse_streams_closed_total", "reason" => closed.reason.as_str()).increment(1);
    }
}
