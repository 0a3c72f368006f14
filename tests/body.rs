//! The body of `Sse`: batches, ends, errors, silence.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use common::Reader;
use futures_util::stream::{self, StreamExt as _};
use futures_util::{FutureExt as _, Stream};
use http::Request;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use sse_tower::{
    Block, Event, EventWriter, Json, KeepAlive, Retry, Sse, SseEvent, SseEventExt as _, SseLayer,
};
use tokio::sync::mpsc;
use tokio::time::{self, Instant};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// A stream fed by the test.
fn channel() -> (
    mpsc::UnboundedSender<Event>,
    impl Stream<Item = Event> + Send + 'static,
) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, UnboundedReceiverStream::new(receiver))
}

fn data(text: &'static str) -> Event {
    Event::new().data(text)
}

/// Ends the stream behind it.
struct Last;

impl SseEvent for Last {
    fn event_name(&self) -> Option<&str> {
        Some("last")
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), sse_tower::EncodeError> {
        w.event("last")?;
        w.data("");
        Ok(())
    }

    fn is_terminal(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_are_ready_together_go_out_in_one_frame() {
    let (sender, events) = channel();
    let mut reader = Reader::of(Sse::new(events));
    sender.send(data("a")).unwrap();
    sender.send(data("b")).unwrap();
    assert_eq!(reader.frame().await, "data: a\n\ndata: b\n\n");

    assert!(
        reader.frame().now_or_never().is_none(),
        "nothing is made up"
    );
    sender.send(data("c")).unwrap();
    assert_eq!(reader.frame().await, "data: c\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_frame_has_8_kib_and_one_event_at_the_most() {
    let events = stream::repeat_with(|| Event::new().data("x".repeat(1000)));
    let mut reader = Reader::of(Sse::new(events));
    for _ in 0..3 {
        let frame = reader.frame().await;
        assert!(
            (8 * 1024..8 * 1024 + 1008).contains(&frame.len()),
            "{}",
            frame.len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_without_bytes_lets_others_run() {
    let silent = stream::repeat_with(Event::new).take(5000);
    let mut reader = Reader::of(Sse::new(silent.chain(stream::iter([data("a")]))));
    assert_eq!(reader.frame().now_or_never().as_deref(), Some(":\n"));
    assert!(reader.frame().now_or_never().is_none());
    let rest = time::timeout(Duration::from_secs(1), reader.frame());
    assert_eq!(rest.await.expect("it goes on by itself"), "data: a\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_ready_opens_with_a_comment() {
    let (sender, events) = channel();
    let mut reader = Reader::of(Sse::new(events));
    assert_eq!(reader.frame().now_or_never().unwrap(), ":\n");
    sender.send(data("a")).unwrap();
    assert_eq!(reader.frame().await, "data: a\n\n");
}

#[tokio::test(start_paused = true)]
async fn the_retry_hint_stands_in_the_block_of_the_first_event() {
    let hint = Retry::fixed(Duration::from_secs(2));
    let ready = Sse::new(stream::iter([data("a")])).retry(hint.clone());
    assert_eq!(Reader::of(ready).rest().await, "retry: 2000\ndata: a\n\n");

    let (sender, events) = channel();
    let mut reader = Reader::of(Sse::new(events).retry(hint.clone()));
    assert_eq!(reader.frame().now_or_never().unwrap(), "retry: 2000\n");
    sender.send(data("a")).unwrap();
    assert_eq!(reader.frame().await, "data: a\n\n");

    let empty = Sse::new(stream::empty::<Event>()).retry(hint);
    assert_eq!(Reader::of(empty).rest().await, "retry: 2000\n\n");
}

#[test]
fn a_hint_is_drawn_within_its_bounds_and_never_odd() {
    let (lo, hi) = (Duration::from_millis(200), Duration::from_millis(300));
    for retry in [Retry::between(lo, hi), Retry::between(hi, lo)] {
        for _ in 0..100 {
            let sse = Sse::new(stream::empty::<Event>()).retry(retry.clone());
            let bytes = Reader::of(sse).rest().now_or_never().unwrap();
            let millis: u64 = bytes["retry: ".len()..].trim_end().parse().unwrap();
            assert!((200..=300).contains(&millis), "{millis}");
        }
    }
    for (delay, written) in [
        (Duration::ZERO, "retry: 1\n\n"),
        (Duration::MAX, "retry: 2147483647\n\n"),
    ] {
        let sse = Sse::new(stream::empty::<Event>()).retry(Retry::fixed(delay));
        assert_eq!(Reader::of(sse).rest().now_or_never().unwrap(), written);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_broken_after_15_seconds_give_or_take_a_tenth() {
    let (sender, events) = channel();
    let mut reader = Reader::of(Sse::new(events));
    assert_eq!(reader.frame().await, ":\n");
    let mut seen = Vec::new();
    for _ in 0..50 {
        let start = Instant::now();
        assert_eq!(reader.frame().await, ":\n");
        let silence = start.elapsed().as_secs_f64();
        assert!((13.4..=16.6).contains(&silence), "{silence}");
        seen.push(start.elapsed().as_millis());
    }
    seen.dedup();
    assert!(
        seen.len() > 25,
        "streams opened together do not stay in step"
    );
    // An event starts the silence anew, whatever the timer had left.
    time::sleep(Duration::from_secs(10)).await;
    sender.send(data("a")).unwrap();
    assert_eq!(reader.frame().await, "data: a\n\n");
    let start = Instant::now();
    assert_eq!(reader.frame().await, ":\n");
    assert!(start.elapsed().as_secs_f64() > 13.4);
}

#[tokio::test(start_paused = true)]
async fn keep_alive_can_be_changed_and_turned_off() {
    let keep_alive = KeepAlive::every(Duration::from_secs(1)).comment("a\nb");
    let mut reader = Reader::of(Sse::new(stream::pending::<Event>()).keep_alive(keep_alive));
    assert_eq!(reader.frame().await, ":\n");
    assert_eq!(reader.frame().await, ": a\n: b\n");

    let mut reader = Reader::of(Sse::new(stream::pending::<Event>()).no_keep_alive());
    assert_eq!(reader.frame().await, ":\n");
    let day = time::timeout(Duration::from_secs(24 * 60 * 60), reader.frame());
    assert!(day.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn odd_intervals_neither_panic_nor_spin() {
    let forever = KeepAlive::every(Duration::MAX);
    let mut reader = Reader::of(Sse::new(stream::pending::<Event>()).keep_alive(forever));
    assert_eq!(reader.frame().await, ":\n");
    assert!(
        time::timeout(Duration::from_secs(60 * 60), reader.frame())
            .await
            .is_err()
    );

    let never = KeepAlive::every(Duration::ZERO);
    let mut reader = Reader::of(Sse::new(stream::pending::<Event>()).keep_alive(never));
    assert_eq!(reader.frame().await, ":\n");
    assert!(reader.frame().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_after_a_terminal_event() {
    let events: [Box<dyn SseEvent + Send>; 3] =
        [Box::new(data("a")), Box::new(Last), Box::new(data("never"))];
    let mut reader = Reader::of(Sse::new(stream::iter(events)));
    assert_eq!(reader.frame().await, "data: a\n\nevent: last\ndata:\n\n");
    assert!(reader.body.is_end_stream());
    assert_eq!(reader.body.size_hint().exact(), Some(0));
    for _ in 0..3 {
        assert!(reader.next().await.is_none(), "polled again after the end");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_aborts_the_body_behind_the_events_before_it() {
    let items = [
        Ok(data("a")),
        Err("the database password is 1234"),
        Ok(data("never")),
    ];
    let mut reader = Reader::of(Sse::new(stream::iter(items)));
    assert_eq!(reader.frame().await, "data: a\n\n");
    assert!(!reader.body.is_end_stream());
    assert!(
        reader.next().await.unwrap().is_err(),
        "a clean end would look like success"
    );
    assert!(reader.next().await.is_none());
    assert!(reader.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_encoded_leaves_no_bytes_and_aborts() {
    let bad = Event::named("ok").id("1\ndata: forged").data("x");
    let mut reader = Reader::of(Sse::new(stream::iter([data("a"), bad, data("never")])));
    assert_eq!(reader.frame().await, "data: a\n\n");
    assert!(reader.next().await.unwrap().is_err());
    assert!(reader.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_stream_is_dropped_with_the_body() {
    struct OnDrop(Arc<AtomicBool>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = OnDrop(Arc::clone(&dropped));
    let events = stream::pending::<Event>().map(move |event| {
        let _held = &guard;
        event
    });
    let mut reader = Reader::of(Sse::new(events));
    assert_eq!(reader.frame().await, ":\n");
    assert!(!dropped.load(Ordering::Relaxed));
    drop(reader);
    assert!(dropped.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn blocks_are_sent_without_a_copy() {
    let block = Block::encode(&Event::new().id(7).data("x")).unwrap();
    let events: Vec<Box<dyn SseEvent + Send>> = vec![
        Box::new(data("a")),
        Box::new(block.clone()),
        Box::new(data("b")),
    ];
    let mut reader = Reader::of(Sse::new(stream::iter(events)));
    assert_eq!(reader.frame().await, "data: a\n\n");
    let frame = reader.next().await.unwrap().unwrap();
    assert_eq!(frame, block.bytes());
    assert_eq!(frame.as_ptr(), block.bytes().as_ptr());
    assert_eq!(reader.frame().await, "data: b\n\n");
}

#[tokio::test(start_paused = true)]
async fn one_type_holds_every_stream_and_every_option() {
    fn build(fast: bool) -> Sse<Json<u8>> {
        if fast {
            return Sse::new(stream::iter([Json(1)]));
        }
        let slow = stream::iter([Ok::<_, Infallible>(Json(2))]);
        Sse::new(slow)
            .no_keep_alive()
            .retry(Retry::fixed(Duration::from_secs(1)))
    }
    assert_eq!(Reader::of(build(true)).rest().await, "data: 1\n\n");
    assert_eq!(
        Reader::of(build(false)).rest().await,
        "retry: 1000\ndata: 2\n\n"
    );
}

#[tokio::test(start_paused = true)]
async fn what_surrounds_an_event_gives_way_to_what_it_writes() {
    let events = [
        data("a")
            .with_id(sse_tower::EventId::from(1))
            .with_retry(Duration::from_secs(3)),
        data("b").id(5).with_id(sse_tower::EventId::from(2)),
    ];
    let bytes = Reader::of(Sse::new(stream::iter(events))).rest().await;
    assert_eq!(bytes, "id: 1\nretry: 3000\ndata: a\n\nid: 5\ndata: b\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_bare_response_has_its_headers() {
    use axum::response::IntoResponse as _;

    let response = Sse::new(stream::empty::<Event>()).into_response();
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache, no-store, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(!headers.contains_key("connection"));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "");
}

#[tokio::test(start_paused = true)]
async fn a_pending_stream_is_polled_when_it_wakes() {
    let (sender, events) = channel();
    let mut reader = Reader::of(Sse::new(events));
    assert_eq!(reader.frame().await, ":\n");
    let waiting = tokio::spawn(async move { reader.frame().await });
    tokio::task::yield_now().await;
    sender.send(data("a")).unwrap();
    assert_eq!(waiting.await.unwrap(), "data: a\n\n");
}

#[tokio::test(start_paused = true)]
async fn the_events_can_be_taken_out_before_the_body_begins() {
    use axum::response::IntoResponse as _;
    use sse_tower::native::Control;

    let events: Vec<Box<dyn SseEvent + Send>> = vec![
        Box::new(data("a").id(1)),
        Box::new(Event::new()),
        Box::new(Last),
    ];
    let sse = Sse::new(stream::iter(events)).retry(Retry::fixed(Duration::from_secs(1)));
    let response = sse.into_response();
    let control = response
        .extensions()
        .get::<Control>()
        .expect("a stream of ours")
        .clone();
    let blocks = control.take_blocks().expect("not begun yet");
    let blocks: Vec<Block> = blocks.map(|block| block.unwrap()).collect().await;
    let bytes: Vec<_> = blocks.iter().map(|block| &block.bytes()[..]).collect();
    assert_eq!(
        bytes,
        [&b"id: 1\ndata: a\n\n"[..], b"event: last\ndata:\n\n"]
    );
    let events: Vec<_> = blocks
        .iter()
        .map(|block| (block.events(), block.is_terminal()))
        .collect();
    assert_eq!(events, [(1, false), (1, true)]);
    assert_eq!(blocks[0].last_id().map(|id| id.as_str()), Some("1"));

    assert!(control.take_blocks().is_none(), "taken once");
    assert_eq!(Reader::of(response).rest().await, "");
}

#[tokio::test(start_paused = true)]
async fn an_empty_block_is_no_activity() {
    let empty = Block::encode(&Event::new()).unwrap();
    let ticks = stream::unfold(empty, |empty| async move {
        time::sleep(Duration::from_secs(5)).await;
        Some((empty.clone(), empty))
    });
    let mut reader = Reader::of(Sse::new(ticks));
    assert_eq!(reader.frame().await, ":\n", "opened");
    let start = Instant::now();
    assert_eq!(reader.frame().await, ":\n");
    assert!(
        start.elapsed() < Duration::from_secs(17),
        "silent all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_says_it_a_terminal_event_is_the_last() {
    /// Encoded before somebody thought of its end.
    struct Marked(Block);
    impl SseEvent for Marked {
        fn event_name(&self) -> Option<&str> {
            None
        }
        fn encode(&self, w: &mut EventWriter) -> Result<(), sse_tower::EncodeError> {
            self.0.encode(w)
        }
        fn is_terminal(&self) -> bool {
            true
        }
        fn block(&self) -> Option<Block> {
            Some(self.0.clone())
        }
    }
    let block = Block::encode(&data("a")).unwrap();
    let marked = [Marked(block.clone()), Marked(block)];
    assert_eq!(
        Reader::of(Sse::new(stream::iter(marked))).rest().await,
        "data: a\n\n"
    );

    let wrapped = [Last, Last].map(|last| last.with_retry(Duration::from_secs(1)));
    let bytes = Reader::of(Sse::new(stream::iter(wrapped))).rest().await;
    assert_eq!(bytes, "event: last\nretry: 1000\ndata:\n\n");
}

#[tokio::test(start_paused = true)]
async fn the_end_event_of_another_layer_ends_the_stream_here_too() {
    let mut upstream = sse_tower::EventBuffer::new();
    upstream.write(&data("a")).unwrap();
    upstream.end_stream();
    upstream.write(&data("never")).unwrap();
    let mut decoder = sse_tower::Decoder::new();
    decoder.push(upstream.take());
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event().unwrap() {
        events.push(event.into_owned());
    }
    assert_eq!(events.len(), 3);
    assert_eq!(
        Reader::of(Sse::new(stream::iter(events))).rest().await,
        "data: a\n\n"
    );
}

#[test]
fn a_quiet_stream_gives_a_large_buffer_back() {
    let large = "x".repeat(10 << 20);
    let events = [Event::new().data(large), data("y")];
    let events = stream::iter(events).chain(stream::pending());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let mut reader = Reader::of(Sse::new(events));
    let mut read = 0;
    let held = allocation_counter::measure(|| {
        while let Some(frame) = reader.next().now_or_never() {
            read += frame.unwrap().unwrap().len();
        }
    });
    assert!(read > 10 << 20);
    assert!(
        held.bytes_current < 16 * 1024,
        "{} bytes are still held",
        held.bytes_current
    );
}

#[derive(SseEvent)]
enum Token {
    Token {
        #[sse(id)]
        n: u64,
        text: &'static str,
    },
}

#[test]
fn no_allocation_per_event_once_the_buffer_has_grown() {
    use axum::response::IntoResponse as _;

    fn respond() -> axum::response::Response {
        let mut n = 0;
        let events = stream::repeat_with(move || {
            n += 1;
            Token::Token { n, text: "Hello" }
        });
        Sse::new(events).into_response()
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let service = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(respond()));
    let layered = SseLayer::new()
        .layer(service)
        .oneshot(Request::new(Body::empty()));
    let layered = layered.now_or_never().unwrap().unwrap().map(Body::new);
    for (name, response) in [("alone", respond()), ("under the layer", layered)] {
        let mut reader = Reader::of(response);
        let mut frames = |n| {
            for _ in 0..n {
                reader.next().now_or_never().unwrap().unwrap().unwrap();
            }
        };
        frames(10);
        let count = allocation_counter::measure(|| frames(100)).count_total;
        assert_eq!(count, 0, "{name}");
    }
}
