//! Frames: what is copied, kept and counted of them.

use super::*;

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

#[tokio::test]
async fn endless_empty_frames_let_others_run() {
    let empty = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::new()));
    let response = event_stream(Body::from_stream(empty));
    let mut reader = Reader::of(through(&SseLayer::new(), response).await);
    assert_eq!(reader.frame().now_or_never().unwrap(), ":\n");
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
