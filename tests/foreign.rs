//! `SseLayer` around bodies that are not ours: added to between events, never inside one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response, sse};
use bytes::Bytes;
use common::Reader;
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sse_tower::{CloseReason, Closed, Decoder, Event, Ids, KeepAlive, Retry, Shutdown, SseLayer};
use sse_tower_tests::cut;
use tokio::sync::mpsc;
use tokio::time::{self, Instant};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// Sends `response` through `layer`.
async fn through(layer: &SseLayer, response: impl IntoResponse) -> Response {
    let response = response.into_response();
    let mut response = Some(response);
    let service = service_fn(move |_: Request<Body>| {
        let response = response.take().expect("one request");
        async move { Ok::<_, Infallible>(response) }
    });
    let response = layer
        .layer(service)
        .oneshot(Request::new(Body::empty()))
        .await;
    response.expect("infallible").map(Body::new)
}

/// A layer that sends clients away for two seconds.
fn ending_layer() -> SseLayer {
    SseLayer::new().reconnect(Retry::fixed(Duration::from_secs(2)))
}

/// What the layer writes when it ends a stream.
const AWAY: &str = "retry: 2000\n\n";

fn event_stream(body: Body) -> Response {
    ([("content-type", "text/event-stream")], body).into_response()
}

/// A body that arrives in these chunks, with nothing in between.
fn chunks<'a>(chunks: impl IntoIterator<Item = &'a str>) -> Response {
    let chunks: Vec<_> = chunks
        .into_iter()
        .map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk.as_bytes())))
        .collect();
    event_stream(Body::from_stream(stream::iter(chunks)))
}

/// A body fed by the test.
fn channel() -> (mpsc::UnboundedSender<&'static str>, Response) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let bytes = UnboundedReceiverStream::new(receiver).map(Ok::<&str, Infallible>);
    (sender, event_stream(Body::from_stream(bytes)))
}

/// What goes out when these chunks come in.
fn sent(layer: &SseLayer, parts: Vec<&str>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async { Reader::of(through(layer, chunks(parts)).await).rest().await })
}

/// The bytes after the layer, for every cut of `stream` into two chunks and into single bytes.
#[track_caller]
fn check(layer: &SseLayer, stream: &str, expected: &str) {
    let cuts = (0..=stream.len()).filter(|cut| stream.is_char_boundary(*cut));
    for cut in cuts {
        assert_eq!(
            sent(layer, vec![&stream[..cut], &stream[cut..]]),
            expected,
            "cut at {cut}"
        );
    }
    if stream.is_ascii() {
        let bytes = (0..stream.len()).map(|at| &stream[at..=at]).collect();
        assert_eq!(sent(layer, bytes), expected, "byte by byte");
    }
}

proptest! {
    #[test]
    fn what_goes_out_does_not_depend_on_how_it_came_in(
        pieces in prop::collection::vec(piece(), 0..25),
        cuts in prop::collection::vec(any::<Index>(), 0..12),
        hint in any::<bool>(),
        ids in any::<bool>(),
    ) {
        let stream = pieces.concat();
        let mut layer = SseLayer::new();
        if hint {
            layer = layer.retry(Retry::fixed(Duration::from_secs(2)));
        }
        if ids {
            layer = layer.ids(Ids::sequence());
        }
        let mut offsets: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        offsets.sort_unstable();
        let parts = cut(stream.as_bytes(), &offsets);
        let parts = parts.iter().map(|part| str::from_utf8(part).unwrap()).collect();
        let whole = sent(&layer, vec![&stream]);
        prop_assert_eq!(&sent(&layer, parts), &whole);
        if !hint && !ids {
            prop_assert_eq!(whole, stream);
        }
    }
}

/// Pieces of a stream; the layer looks at lines in other ways as they grow.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\r\n\r\n",
        "data",
        "data: x",
        "data: x\n\n",
        "event: token\n",
        "id: 5\n",
        "retry: 5",
        ": c",
        "\t",
    ];
    prop_oneof![
        9 => select(PIECES).prop_map(String::from),
        1 => (0..1600usize).prop_map(|len| "x".repeat(len)),
    ]
}

#[test]
fn with_nothing_to_add_bytes_stay_as_they_are() {
    for stream in ["", "data: a\n\n", ": x\r\ndata: a\r\r", "data: unfinished"] {
        check(&SseLayer::new(), stream, stream);
    }
}

#[test]
fn the_hint_is_the_first_line() {
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(2)));
    check(&layer, "data: a\n\n", "retry: 2000\ndata: a\n\n");
    check(&layer, "\u{feff}data: a\n\n", "retry: 2000\ndata: a\n\n");
    check(&layer, "", "retry: 2000\n\n");
    check(&layer, ": nothing\n", "retry: 2000\n: nothing\n\n");
    // It is never alone in its block, because some clients drop such a block.
    check(
        &layer,
        ": a prelude\n\n\ndata: a\n\n\n",
        "retry: 2000\n: a prelude\ndata: a\n\n\n",
    );
    check(
        &layer,
        "\r\n: a prelude\r\n\r\n\rdata: a\r\n\r\n",
        "retry: 2000\n: a prelude\r\ndata: a\r\n\r\n",
    );
    check(&layer, "id: 1\n\n", "retry: 2000\nid: 1\n\n");
    check(&layer, "data: unfinished", "retry: 2000\ndata: unfinished");
}

#[test]
fn a_byte_order_mark_counts_at_the_start_only() {
    check(
        &SseLayer::new(),
        "\u{feff}data: \u{feff}a\n\n",
        "data: \u{feff}a\n\n",
    );
}

#[tokio::test]
async fn a_byte_order_mark_may_be_split_and_half_a_mark_is_none() {
    let layer = SseLayer::new();
    let mark = [&b"\xEF"[..], b"\xBB", b"\xBFdata: a\n\n"];
    let half = [&b"\xEF"[..], b"\xBB", b"data: a\n\n"];
    let ids = [&b"\xEF"[..], b"\xBB", b"data: a\n\ndata: b\n\n"];
    let end = [&b"\xEF"[..], b"\xBB"];
    let with_ids = layer.clone().ids(Ids::sequence());
    for (layer, parts, expected) in [
        (&layer, &mark[..], &b"data: a\n\n"[..]),
        (&layer, &half, b"\xEF\xBBdata: a\n\n"),
        // Its first line is no field that we know.
        (&with_ids, &ids, b"\xEF\xBBdata: a\n\ndata: b\nid: 1\n\n"),
        (&layer, &end, b"\xEF\xBB"),
    ] {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok::<_, Infallible>(Bytes::copy_from_slice(part)))
            .collect();
        let response = through(layer, event_stream(Body::from_stream(stream::iter(parts)))).await;
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            expected
        );
    }
}

#[test]
fn ids_are_put_into_events_that_have_data_and_no_id() {
    let layer = SseLayer::new().ids(Ids::sequence());
    check(
        &layer,
        "data: a\n\n: x\n\nevent: b\n\nretry: 5\n\ndata\n\n",
        "data: a\nid: 1\n\n: x\n\nevent: b\n\nretry: 5\n\ndata\nid: 2\n\n",
    );
    check(
        &layer,
        "data: a\r\n\r\ndata: b\r\r",
        "data: a\r\nid: 1\n\r\ndata: b\rid: 2\n\r",
    );
    check(
        &layer,
        "data: a\n\ndata: unfinished\n",
        "data: a\nid: 1\n\ndata: unfinished\n",
    );
}

#[test]
fn the_first_id_of_its_own_switches_ids_off() {
    let layer = SseLayer::new().ids(Ids::sequence());
    check(
        &layer,
        "data: a\n\nid: x\ndata: b\n\ndata: c\n\n",
        "data: a\nid: 1\n\nid: x\ndata: b\n\ndata: c\n\n",
    );
}

#[test]
fn ids_stay_in_their_places_whatever_the_size_of_the_events() {
    let layer = SseLayer::new().ids(Ids::sequence());
    let long = "x".repeat(1500);
    check(
        &layer,
        &format!("data: a\n\ndata: {long}\n\ndata: b\n\n: c\n"),
        &format!("data: a\nid: 1\n\ndata: {long}\nid: 2\n\ndata: b\nid: 3\n\n: c\n"),
    );
}

#[tokio::test(start_paused = true)]
async fn short_events_with_ids_travel_together_and_long_ones_are_not_copied() {
    let layer = SseLayer::new().ids(Ids::sequence());
    let mut reader = Reader::of(through(&layer, chunks(["data: a\n\n: x\ndata: b\n\n"])).await);
    assert_eq!(
        reader.frame().await,
        "data: a\nid: 1\n\n: x\ndata: b\nid: 2\n\n"
    );

    let long = Bytes::from(format!("data: {}\n\n", "x".repeat(64 << 10)));
    let body = Body::from_stream(stream::iter([Ok::<_, Infallible>(long.clone())]));
    let mut reader = Reader::of(through(&layer, event_stream(body)).await);
    let frame = reader.next().await.unwrap().unwrap();
    assert_eq!(
        (frame.as_ptr(), frame.len()),
        (long.as_ptr(), long.len() - 1)
    );
    assert_eq!(reader.frame().await, "id: 1\n\n");

    let many = "data: a\n\n".repeat(10_000);
    let mut reader = Reader::of(through(&layer, chunks([&many[..]])).await);
    assert!(reader.frame().await.len() < 16 << 10, "frames stay small");
}

#[test]
fn no_allocation_per_frame() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let frame = Bytes::from("data: Hello\n\n".to_owned());
    for layer in [SseLayer::new(), SseLayer::new().ids(Ids::shared())] {
        let frame = frame.clone();
        let frames = stream::repeat_with(move || Ok::<_, Infallible>(frame.clone()));
        let response = through(&layer, event_stream(Body::from_stream(frames)));
        let mut reader = Reader::of(response.now_or_never().unwrap());
        let mut read = |n| {
            for _ in 0..n {
                reader.next().now_or_never().unwrap().unwrap().unwrap();
            }
        };
        read(10);
        assert_eq!(allocation_counter::measure(|| read(100)).count_total, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_holds_no_buffer() {
    let layer = SseLayer::new().ids(Ids::sequence());
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    assert_eq!(reader.frame().await, ":\n");
    let events: &str = "data: Hello\n\n".repeat(1_000).leak();
    let held = allocation_counter::measure(|| {
        sender.send(events).unwrap();
        let mut read = 0;
        while let Some(frame) = reader.next().now_or_never() {
            read += frame.unwrap().unwrap().len();
        }
        assert!(read > events.len());
    });
    assert!(
        held.bytes_current < 2048,
        "{} bytes are still held",
        held.bytes_current
    );
}

#[tokio::test(start_paused = true)]
async fn a_comment_never_stands_inside_an_event() {
    let layer = SseLayer::new().keep_alive(KeepAlive::every(Duration::from_secs(1)));
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    assert_eq!(reader.frame().now_or_never().expect("at once"), ":\n");
    assert_eq!(reader.frame().await, ":\n");

    sender.send("data: half").unwrap();
    assert_eq!(reader.frame().await, "data: half");
    assert!(
        time::timeout(Duration::from_secs(60), reader.frame())
            .await
            .is_err()
    );
    sender.send(" and half\n").unwrap();
    assert_eq!(reader.frame().await, " and half\n");
    assert!(
        time::timeout(Duration::from_secs(60), reader.frame())
            .await
            .is_err()
    );
    sender.send("\n").unwrap();
    assert_eq!(reader.frame().await, "\n");
    assert_eq!(reader.frame().await, ":\n");
}

#[tokio::test(start_paused = true)]
async fn a_comment_follows_an_event_however_it_is_cut() {
    let stream = "event: x\r\ndata: a\rid: 7\ndata: b\n\n";
    for observed in [false, true] {
        for cut in 1..stream.len() {
            let mut layer = SseLayer::new();
            if observed {
                layer = layer.observe(|_: &Closed| ());
            }
            let (sender, response) = channel();
            let mut reader = Reader::of(through(&layer, response).await);
            for part in [&stream[..cut], &stream[cut..]] {
                sender.send(part).unwrap();
                assert_eq!(reader.frame().await, part);
            }
            let silent = time::timeout(Duration::from_secs(30), reader.frame());
            assert_eq!(silent.await.expect("a keep-alive"), ":\n", "cut at {cut}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn frames_are_not_copied() {
    let chunk = Bytes::from_static(b"data: a\n\ndata: b\n\n");
    let body = Body::from_stream(stream::iter([Ok::<_, Infallible>(chunk.clone())]));
    let mut reader = Reader::of(through(&SseLayer::new(), event_stream(body)).await);
    let frame = reader.next().await.unwrap().unwrap();
    assert_eq!((frame.as_ptr(), frame.len()), (chunk.as_ptr(), chunk.len()));
}

#[tokio::test(start_paused = true)]
async fn frames_are_not_copied_once_there_is_nothing_more_to_add() {
    let layer = SseLayer::new()
        .retry(Retry::fixed(Duration::from_secs(2)))
        .ids(Ids::sequence());
    let chunks = [
        "data: a\n\nid: x\ndata: b\n\n",
        "data: c\n\n: and ha",
        "lf a line\rdata: d\r\n",
        "\r\n",
    ];
    let chunks = chunks.map(|chunk| Bytes::from_static(chunk.as_bytes()));
    let body = Body::from_stream(stream::iter(chunks.clone().map(Ok::<_, Infallible>)));
    let mut reader = Reader::of(through(&layer, event_stream(body)).await);
    assert_eq!(reader.frame().await, "retry: 2000\n");
    let both = "data: a\nid: 1\n\nid: x\ndata: b\n\n";
    assert_eq!(reader.frame().await, both);
    for chunk in &chunks[1..] {
        let frame = reader.next().await.unwrap().unwrap();
        assert_eq!((frame.as_ptr(), frame.len()), (chunk.as_ptr(), chunk.len()));
    }
}

#[tokio::test]
async fn the_events_of_a_stream_are_counted_whether_they_gain_something_or_not() {
    let stream = "data: a\n\n: x\n\nevent: b\n\ndata: c\r\rid: 7\ndata\n\ndata: d\n\ndata: e\n";
    for layer in [SseLayer::new(), SseLayer::new().ids(Ids::sequence())] {
        for cut in 0..=stream.len() {
            let (sender, mut told) = mpsc::unbounded_channel();
            let layer = layer
                .clone()
                .observe(move |closed: &Closed| sender.send(closed.clone()).unwrap());
            let parts = chunks([&stream[..cut], &stream[cut..]]);
            let sent = Reader::of(through(&layer, parts).await).rest().await;
            let closed = told.recv().await.unwrap();
            assert_eq!((closed.events, closed.bytes), (4, sent.len() as u64));
            assert_eq!(closed.last_id.unwrap().as_str(), "7");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_passes_and_is_the_last() {
    let chunks = [
        Ok(Bytes::from("data: a\n\n")),
        Err("cut"),
        Ok(Bytes::from("never")),
    ];
    let body = Body::from_stream(stream::iter(chunks));
    let mut body = through(&SseLayer::new(), event_stream(body))
        .await
        .into_body();
    assert!(body.frame().await.unwrap().unwrap().is_data());
    assert!(body.frame().await.unwrap().is_err());
    assert!(body.frame().await.is_none());
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_the_end_of_the_event() {
    let layer = ending_layer();
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    sender.send("data: half").unwrap();
    assert_eq!(reader.frame().await, "data: half");
    assert_eq!(layer.open_streams(), 1);
    layer.end_streams();
    assert!(
        time::timeout(Duration::from_millis(900), reader.frame())
            .await
            .is_err()
    );
    sender.send("\n\ndata: next").unwrap();
    assert_eq!(reader.frame().await, "\n\n");
    assert_eq!(reader.frame().await, AWAY);
    assert!(reader.next().await.is_none());
    drop(reader);
    assert_eq!(layer.open_streams(), 0);
}

const SECOND: Duration = Duration::from_secs(1);

type Ends = fn(SseLayer) -> SseLayer;

/// The ways to ask the streams of a layer to end after a second.
const ENDS: [(CloseReason, Ends); 3] = [
    (CloseReason::MaxAge, |layer| layer.max_age(SECOND)),
    (CloseReason::Shutdown, |layer| {
        let same = layer.clone();
        tokio::spawn(time::sleep(SECOND).map(move |()| same.end_streams()));
        layer
    }),
    (CloseReason::Shutdown, |layer| {
        let stop = Shutdown::new();
        let layer = layer.shutdown(&stop);
        tokio::spawn(time::sleep(SECOND).map(move |()| stop.begin()));
        layer
    }),
];

#[tokio::test(start_paused = true)]
async fn an_event_that_stalls_holds_the_end_up_for_a_moment_only() {
    const HINT: &str = "retry: 2000\n";
    for (half, added) in [
        ("data: par", "\nretry: 2000\n"),
        ("id: 2\ndata: part\n", HINT),
        ("data: part\r", HINT),
        ("data: part\r\n", HINT),
        ("id: 2\ndata", "\nretry: 2000\n"),
    ] {
        for (reason, ends) in ENDS {
            let (sender, mut told) = mpsc::unbounded_channel();
            let layer = ends(ending_layer())
                .goodbye(&Event::new().data("bye"))
                .unwrap()
                .observe(move |closed: &Closed| sender.send(closed.clone()).unwrap());
            let (sender, response) = channel();
            sender.send("id: 1\ndata: whole\n\n").unwrap();
            sender.send(half).unwrap();
            let rest = Reader::of(through(&layer, response).await).rest();
            let rest = time::timeout(Duration::from_secs(10), rest).await;
            let rest = rest.expect("the stream ends");
            assert_eq!(rest, format!("id: 1\ndata: whole\n\n{half}{added}"));

            let mut decoder = Decoder::new();
            decoder.push(rest);
            let event = decoder.next_event().unwrap().unwrap();
            assert_eq!(event.data(), "whole");
            assert!(decoder.next_event().unwrap().is_none(), "half an event");

            let closed = told.recv().await.unwrap();
            assert_eq!((closed.reason, closed.events), (reason, 1));
            assert_eq!(closed.last_id.unwrap().as_str(), "1");
            assert!(sender.is_closed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_without_an_end_holds_the_end_up_for_a_moment_only() {
    // Time passes, and still the body is always ready: the timer never has its turn.
    let lines = stream::repeat_with(|| {
        let _ = time::advance(Duration::from_millis(50)).now_or_never();
        Ok::<_, Infallible>(Bytes::from_static(b"data: more\n"))
    });
    let layer = ending_layer();
    let mut reader = Reader::of(through(&layer, event_stream(Body::from_stream(lines))).await);
    assert_eq!(reader.frame().await, "data: more\n");
    layer.end_streams();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next().now_or_never().expect("always ready") {
        frames.push(frame.unwrap());
        assert!(frames.len() < 1000, "it goes on");
    }
    assert_eq!(frames.pop().unwrap(), "retry: 2000\n");
}

#[tokio::test(start_paused = true)]
async fn the_last_id_is_known_when_the_next_event_is_cut_off() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let layer = ending_layer().observe(move |closed: &Closed| sender.send(closed.clone()).unwrap());
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    sender.send("id: 7\ndata: half").unwrap();
    assert_eq!(reader.frame().await, "id: 7\ndata: half");
    layer.end_streams();
    sender.send("\n\nid: 8\ndata: next").unwrap();
    assert_eq!(reader.rest().await, format!("\n\n{AWAY}"));
    let closed = told.recv().await.unwrap();
    assert_eq!(closed.last_id.unwrap().as_str(), "7");
}

#[tokio::test]
async fn the_last_id_is_one_that_clients_take() {
    let kept = "x".repeat(8 * 1024);
    for space in ["", " "] {
        for (id, expected) in [
            // Clients ignore it.
            ("a\0b", "1"),
            ("\0", "1"),
            (&kept[..], &kept[..]),
            // No request could carry it.
            (&format!("{kept}x"), ""),
            (&format!("{kept}xx\0"), ""),
        ] {
            let stream = format!("id: 1\ndata: a\n\nid:{space}{id}\ndata: b\n\n");
            let from = stream.find("id:").unwrap() + 15;
            let middle = stream.len() / 2;
            for cut in (from..from + 12)
                .chain(middle..middle + 3)
                .chain(stream.len() - 14..=stream.len())
            {
                let cut = cut.min(stream.len());
                let (sender, mut told) = mpsc::unbounded_channel();
                let tell = move |closed: &Closed| sender.send(closed.clone()).unwrap();
                let parts = chunks([&stream[..cut], &stream[cut..]]);
                Reader::of(through(&SseLayer::new().observe(tell), parts).await)
                    .rest()
                    .await;
                let last_id = told.recv().await.unwrap().last_id;
                let last_id = last_id.as_ref().map_or("", |id| id.as_str());
                assert!(
                    last_id == expected,
                    "cut at {cut}: {} bytes for {}",
                    last_id.len(),
                    id.len()
                );
            }
        }
    }
}

#[test]
fn an_id_that_clients_ignore_is_none() {
    let layer = SseLayer::new().ids(Ids::sequence());
    check(
        &layer,
        "id: a\0b\ndata: a\n\nid: c\nid: \0\ndata: b\n\n",
        "id: a\0b\ndata: a\nid: 1\n\nid: c\nid: \0\ndata: b\n\n",
    );
}

#[tokio::test]
async fn the_last_id_of_a_stream_is_known_however_it_is_cut() {
    let stream = "id: 1\ndata: a\n\nid:two\r\ndata: b\r\n\r\nid\rdata: c\r\rid: drei\n\nid: 4\n";
    let ends = [
        ("data: a\n\n", "1"),
        ("data: b\r\n\r\n", "two"),
        ("data: c\r\r", ""),
        ("drei\n\n", "drei"),
        ("4\n", "drei"),
    ];
    for (end, expected) in ends {
        let len = stream.find(end).unwrap() + end.len();
        for cut in 0..=len {
            let (sender, mut told) = mpsc::unbounded_channel();
            let tell = move |closed: &Closed| sender.send(closed.clone()).unwrap();
            let parts = chunks([&stream[..cut], &stream[cut..len]]);
            Reader::of(through(&SseLayer::new().observe(tell), parts).await)
                .rest()
                .await;
            let last_id = told.recv().await.unwrap().last_id;
            let last_id = last_id.as_ref().map_or("", |id| id.as_str());
            assert_eq!(last_id, expected, "cut at {cut} of {:?}", &stream[..len]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_is_woken_to_end() {
    let layer = ending_layer();
    let (_sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    assert_eq!(reader.frame().await, ":\n");
    let waiting = tokio::spawn(reader.rest());
    tokio::task::yield_now().await;
    let asked = Instant::now();
    layer.end_streams();
    assert_eq!(waiting.await.unwrap(), AWAY);
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_hint_without_an_event_keeps_nothing_waiting() {
    let layer = ending_layer();
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    sender.send("retry: 2000\n").unwrap();
    assert_eq!(reader.frame().await, "retry: 2000\n");
    assert_eq!(reader.frame().await, ":\n", "silent");
    layer.end_streams();
    assert_eq!(reader.rest().await, AWAY);
}

#[tokio::test(start_paused = true)]
async fn an_event_starts_the_silence_anew() {
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&SseLayer::new(), response).await);
    assert_eq!(reader.frame().await, ":\n");
    assert!(
        time::timeout(Duration::from_secs(10), reader.frame())
            .await
            .is_err()
    );
    sender.send("data: a\n\n").unwrap();
    assert_eq!(reader.frame().await, "data: a\n\n");
    let start = Instant::now();
    assert_eq!(reader.frame().await, ":\n");
    assert!(start.elapsed() > Duration::from_secs(13));
}

#[tokio::test(start_paused = true)]
async fn the_end_falls_behind_the_whole_line_end() {
    let layer = ending_layer();
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    sender.send("data: a").unwrap();
    assert_eq!(reader.frame().await, "data: a");
    layer.end_streams();
    sender.send("\r\n\r\ndata: next").unwrap();
    assert_eq!(reader.frame().await, "\r\n\r\n");
    assert_eq!(reader.rest().await, AWAY);
}

#[tokio::test]
async fn endless_empty_frames_let_others_run() {
    let empty = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::new()));
    let response = event_stream(Body::from_stream(empty));
    let mut reader = Reader::of(through(&SseLayer::new(), response).await);
    assert!(reader.frame().now_or_never().is_none());
}

#[tokio::test]
async fn endless_blank_lines_behind_a_hint_let_others_run() {
    let blank = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(b"\n")));
    let response = event_stream(Body::from_stream(blank));
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(1)));
    let mut reader = Reader::of(through(&layer, response).await);
    assert_eq!(reader.frame().now_or_never().unwrap(), "retry: 1000\n");
    assert!(reader.frame().now_or_never().is_none());
}

#[tokio::test]
async fn nothing_follows_the_trailers() {
    let trailers = HeaderMap::from_iter([("x-t".parse().unwrap(), HeaderValue::from_static("1"))]);
    let frames = stream::iter([Ok::<Frame<Bytes>, Infallible>(Frame::trailers(trailers))]);
    let response = event_stream(Body::new(StreamBody::new(frames.chain(stream::pending()))));
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(1)));
    let mut body = through(&layer, response).await.into_body();
    let data = |frame: Frame<Bytes>| frame.into_data().unwrap();
    assert_eq!(data(body.frame().await.unwrap().unwrap()), "retry: 1000\n");
    assert_eq!(data(body.frame().await.unwrap().unwrap()), "\n");
    assert!(body.frame().await.unwrap().unwrap().is_trailers());
    assert!(body.frame().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn axums_own_response_gains_what_the_layer_gives() {
    let events = stream::iter([Ok::<_, Infallible>(
        sse::Event::default().event("tick").data("1"),
    )]);
    let before = sse::Sse::new(events.clone()).into_response();
    assert_eq!(before.headers()["cache-control"], "no-cache");
    let layer = SseLayer::new()
        .retry(Retry::fixed(Duration::from_secs(3)))
        .ids(Ids::sequence());
    let after = through(&layer, sse::Sse::new(events)).await;
    assert_eq!(
        after.headers()["cache-control"],
        "no-cache, no-store, no-transform"
    );
    assert_eq!(after.headers()["x-accel-buffering"], "no");

    assert_eq!(Reader::of(before).rest().await, "event: tick\ndata: 1\n\n");
    assert_eq!(
        Reader::of(after).rest().await,
        "retry: 3000\nevent: tick\ndata: 1\nid: 1\n\n"
    );
}

#[tokio::test(start_paused = true)]
async fn nested_layers_wrap_a_body_once_and_the_inner_one_decides() {
    let inner = SseLayer::new().retry(Retry::fixed(Duration::from_secs(1)));
    let outer = ending_layer()
        .retry(Retry::fixed(Duration::from_secs(9)))
        .keep_alive(KeepAlive::every(Duration::from_secs(5)).comment("outer"));
    let (sender, response) = channel();
    let response = through(&outer, through(&inner, response).await).await;
    assert_eq!((inner.open_streams(), outer.open_streams()), (1, 1));
    let mut reader = Reader::of(response);
    assert_eq!(reader.frame().await, "retry: 1000\n");
    assert_eq!(reader.frame().await, ": outer\n");
    sender.send("data: a\n\n").unwrap();
    assert_eq!(reader.frame().await, "data: a\n\n");
    outer.end_streams();
    assert_eq!(reader.rest().await, AWAY);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_event_stream_passes() {
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(1)));
    let json = (
        [
            ("content-type", "application/json"),
            ("content-length", "2"),
        ],
        "{}",
    );
    let json = through(&layer, json).await;
    assert_eq!(json.headers()["content-length"], "2");
    assert!(!json.headers().contains_key("x-accel-buffering"));
    assert_eq!(Reader::of(json).rest().await, "{}");

    let failed = (http::StatusCode::BAD_GATEWAY, chunks(["data: a\n\n"]));
    assert_eq!(
        Reader::of(through(&layer, failed).await).rest().await,
        "data: a\n\n"
    );
}

#[tokio::test(start_paused = true)]
async fn a_content_type_counts_whatever_its_case_and_parameters() {
    let layer = SseLayer::new();
    for content_type in [
        "Text/Event-Stream ; charset=utf-8",
        "text/event-stream; x=\"\u{e9}\"",
    ] {
        let headers = [("content-type", content_type), ("content-length", "9")];
        let response = through(&layer, (headers, "data: a\n\n")).await;
        assert_eq!(
            response.headers()["content-type"].as_bytes(),
            content_type.as_bytes()
        );
        assert!(!response.headers().contains_key("content-length"));
        assert_eq!(response.headers()["x-accel-buffering"], "no");
    }
}

#[tokio::test(start_paused = true)]
async fn an_encoded_body_gains_headers_only() {
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(1)));
    let mut response = event_stream(Body::from("zipped"));
    for encoding in ["identity", "gzip"] {
        let headers = response.headers_mut();
        headers.append("content-encoding", HeaderValue::from_static(encoding));
    }
    let response = through(&layer, response).await;
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    assert_eq!(Reader::of(response).rest().await, "zipped");
}
