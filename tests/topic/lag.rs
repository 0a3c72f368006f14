//! Subscribers that fall behind.

use std::ops::RangeInclusive;

use futures_util::StreamExt as _;
use sse_tower::{CloseReason, Lag};
use tokio::sync::oneshot;
use tokio::time;

use super::*;

/// A subscriber that has read one event and then misses three of the next five.
fn lagging(lag: Option<Lag>) -> (Topic<Feed>, Reader, oneshot::Receiver<CloseReason>) {
    let topic = topic(2);
    let mut subscription = topic.live();
    if let Some(lag) = lag {
        subscription = subscription.lag(lag);
    }
    let (sender, reason) = oneshot::channel();
    let sse = Sse::from(subscription).on_close(|closed| {
        let _: Result<(), _> = sender.send(closed.reason);
    });
    topic.publish_all((1..=5).map(Feed::Added)).unwrap();
    let reader = Reader::of(sse);
    (topic, reader, reason)
}

#[tokio::test]
async fn by_default_the_stream_ends_and_the_client_comes_back() {
    let (_topic, mut reader, reason) = lagging(None);
    let frame = reader.next().await.unwrap();
    assert!(frame.is_err(), "a clean end would look complete: {frame:?}");
    assert!(reader.next().await.is_none());
    drop(reader);
    assert_eq!(reason.await.unwrap(), CloseReason::Lagged);
}

#[tokio::test]
async fn it_may_be_told_what_it_missed_and_go_on() {
    let tell = Lag::tell(|gap| Feed::Lost(gap.lost()));
    let (topic, mut reader, _) = lagging(Some(tell));
    assert_eq!(reader.frame().await, "event: lost\ndata: 3\n\n");
    let rest = added(&topic, 4, 4) + &added(&topic, 5, 5);
    assert_eq!(reader.frame().await, rest);
}

#[tokio::test]
async fn what_is_told_of_a_gap_passes_every_filter() {
    let topic = topic(2);
    let tell = Lag::tell(|gap| Feed::Lost(gap.lost()));
    let nothing = topic.live().lag(tell).filter(|_| false);
    topic.publish_all((1..=5).map(Feed::Added)).unwrap();
    let mut reader = reader(nothing);
    assert_eq!(reader.frame().await, "event: lost\ndata: 3\n\n");
}

#[tokio::test(start_paused = true)]
async fn it_may_go_on_with_the_newest() {
    let (topic, mut reader, _) = lagging(Some(Lag::skip_to_latest()));
    assert_eq!(reader.frame().await, added(&topic, 5, 5));
    topic.publish(Feed::Added(6)).unwrap();
    assert_eq!(reader.frame().await, added(&topic, 6, 6));
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_holds_nobody_up() {
    let topic = topic(4);
    let _stalled = topic.live();
    let mut reading = topic.live();
    for n in 1..=1000 {
        topic.publish(Feed::Added(n)).unwrap();
        let block = reading.next().await.unwrap().unwrap();
        assert_eq!(block.bytes(), &added(&topic, n.into(), n));
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_sees_how_far_the_slowest_is_behind() {
    let topic = Topic::<Feed>::new(Retention::events(4));
    assert_eq!(topic.slowest(), None);
    let stalled = topic.live();
    let mut reading = topic.live();
    let slowest = || {
        let behind = topic.slowest().unwrap();
        (behind.events, behind.bytes, behind.age)
    };
    assert_eq!(slowest(), (0, 0, secs(0)));
    topic.publish(Feed::Added(1)).unwrap();
    time::advance(secs(1)).await;
    topic.publish_all((2..=3).map(Feed::Added)).unwrap();
    time::advance(secs(1)).await;
    reading.next().await.unwrap().unwrap();
    let bytes = |seqs: RangeInclusive<u64>| -> u64 {
        seqs.map(|seq| added(&topic, seq, 1).len() as u64).sum()
    };
    assert_eq!(slowest(), (3, bytes(1..=3), secs(2)));
    topic.publish_all((4..=6).map(Feed::Added)).unwrap();
    assert_eq!(
        slowest(),
        (6, bytes(3..=6), secs(1)),
        "two of them are gone"
    );
    drop(stalled);
    assert_eq!(slowest(), (3, bytes(4..=6), secs(0)));
    drop(reading);
    assert_eq!(topic.slowest(), None);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_sees_who_lags_although_nobody_polls_their_streams() {
    let topic = Topic::<Feed>::new(Retention::events(2).age(secs(60)));
    let stalled = reader(topic.live());
    let behind = reader(topic.live());
    let mut reading = reader(topic.live());
    topic.publish_all((1..=2).map(Feed::Added)).unwrap();
    assert_eq!(topic.lagging(), 0, "everything is kept for them");
    reading.frame().await;
    topic.publish(Feed::Added(3)).unwrap();
    assert_eq!(topic.lagging(), 2);
    drop(behind);
    assert_eq!(topic.lagging(), 1);
    time::advance(secs(61)).await;
    assert_eq!(topic.lagging(), 2, "what is too old is lost as well");
    drop((stalled, reading));
    assert_eq!(topic.lagging(), 0);
}
