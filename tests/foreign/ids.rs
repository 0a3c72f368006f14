//! Ids for the events of others.

use super::*;

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
