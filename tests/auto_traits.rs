//! What may be sent to other threads and shared between them; that it compiles is the test.

use sse_core::log::{Log, Reader};
use sse_tower::client::{
    Backoff, ConnectionError, EventSource, EventSourceBuilder, EventSourceError, Http,
};
use sse_tower::testing::{SseTest, SseTestRequest};
use sse_tower::{
    Block, Cursor, Decoder, Emitter, Event, EventBuffer, EventId, EventName, Hub, Jobs, KeepAlive,
    LastEventId, Progress, ProgressReporter, ProgressStream, RawEvent, Resume, ResumeLayer,
    Retention, Retry, ScopedRunKey, Shutdown, Sse, SseLayer, Subscription, Topic,
};

fn are_sent<T: Send + 'static>() {}

fn are_shared<T: Send + Sync + 'static>() {}

#[test]
fn values_and_handles_are_shared() {
    are_shared::<(Event, EventBuffer, EventId, EventName, RawEvent<'static>)>();
    are_shared::<(Block, Cursor, Decoder, Log, Retention)>();
    are_shared::<(
        KeepAlive,
        LastEventId<u64>,
        Resume<u64>,
        Retry,
        ScopedRunKey,
    )>();
    are_shared::<(SseLayer, ResumeLayer, Shutdown)>();
    are_shared::<(Topic<Event>, Hub<String, Event>)>();
    are_shared::<(Progress<u8>, ProgressReporter<u8>, Jobs<String, u8>)>();
    are_shared::<(Http, Backoff, ConnectionError, EventSourceError)>();
}

#[test]
fn streams_and_requests_are_sent() {
    are_sent::<(Sse<Event>, Emitter<Event>, Subscription<Event>, Reader)>();
    are_sent::<ProgressStream<u8>>();
    are_sent::<(
        EventSource<RawEvent<'static>>,
        EventSourceBuilder<RawEvent<'static>>,
    )>();
    are_sent::<(
        SseTest<RawEvent<'static>>,
        SseTestRequest<RawEvent<'static>>,
    )>();
}
