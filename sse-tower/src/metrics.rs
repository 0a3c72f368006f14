//! `Metrics`: the streams of a layer as metrics.

use metrics::{counter, gauge, histogram};

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
/// | `sse_lag_events` | histogram | | events of a topic that waited for a client when it took the next |
///
/// A client that takes nothing is in no histogram: [`Topic::slowest`](crate::Topic::slowest)
/// knows of it.
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

    fn waited(&self, events: u64) {
        // More than 2^53 of them would be rounded.
        histogram!("sse_lag_events").record(events as f64);
    }

    fn closed(&self, closed: &Closed) {
        gauge!("sse_streams_open").decrement(1);
        counter!("sse_streams_closed_total", "reason" => closed.reason.as_str()).increment(1);
    }
}
