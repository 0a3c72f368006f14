//! Which responses are looked after, and how layers share them.

use super::*;

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
