//! How the stream of another ends, by itself and by the layer.

use super::*;

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
