//! What subscribers are sent, and when.

use futures_util::{FutureExt as _, StreamExt as _};
use sse_tower::{Event, PublishError};

use super::*;

#[tokio::test(start_paused = true)]
async fn every_subscriber_is_sent_every_event_with_its_cursor() {
    let topic = topic(16);
    let mut readers = [reader(topic.live()), reader(topic.live())];
    for reader in &mut readers {
        assert_eq!(reader.frame().await, ":\n");
    }
    assert_eq!(topic.subscribers(), 2);
    let cursor = topic.publish(Feed::Added(7)).unwrap();
    assert_eq!(cursor, Some(topic.head()));
    for mut reader in readers {
        assert_eq!(reader.frame().await, added(&topic, 1, 7));
    }
    assert_eq!(topic.subscribers(), 0);
}

#[tokio::test]
async fn events_published_together_are_one_frame() {
    let topic = topic(16);
    let mut stream = topic.live();
    assert!(stream.next().now_or_never().is_none());
    topic.publish_all((1..=3).map(Feed::Added)).unwrap();
    topic.publish(Feed::Added(4)).unwrap();
    let block = stream.next().await.unwrap().unwrap();
    let expected: String = (1..=4).map(|n| added(&topic, n.into(), n)).collect();
    assert_eq!(block.bytes(), &expected);
    assert_eq!(block.events(), 4);
}

#[tokio::test]
async fn subscribers_share_the_bytes() {
    let topic = topic(16);
    let mut streams = [topic.live(), topic.live()];
    topic.publish(Feed::Added(1)).unwrap();
    let [one, other] = &mut streams;
    let one = one.next().await.unwrap().unwrap();
    let other = other.next().await.unwrap().unwrap();
    assert_eq!(one.bytes().as_ptr(), other.bytes().as_ptr());
}

#[tokio::test]
async fn an_event_with_an_id_of_its_own_is_refused_and_changes_nothing() {
    let topic = Topic::<Event>::new(Retention::events(4));
    let refused = topic.publish(Event::new().id(1).data("x")).unwrap_err();
    assert!(matches!(refused, PublishError::OwnId));
    let both = [Event::new().data("x"), Event::new().id(1).data("x")];
    assert!(matches!(topic.publish_all(both), Err(PublishError::OwnId)));
    assert_eq!(topic.head().seq(), 0);
}

#[tokio::test]
async fn live_only_events_have_no_cursor_and_are_not_replayed() {
    let topic = topic(16);
    let mut here = topic.live();
    assert_eq!(topic.publish(Feed::Typing("ann")).unwrap(), None);
    topic.publish(Feed::Added(1)).unwrap();
    let block = here.next().await.unwrap().unwrap();
    let typing = "event: typing\ndata: \"ann\"\n\n";
    assert_eq!(block.bytes(), &format!("{typing}{}", added(&topic, 1, 1)));
    let late = topic.from_start().next().await.unwrap().unwrap();
    assert_eq!(late.bytes(), &added(&topic, 1, 1));
}

#[tokio::test]
async fn of_a_key_only_the_newest_is_replayed() {
    let topic = topic(16);
    for (host, percent) in [("a", 1), ("b", 2), ("a", 3)] {
        topic.publish(Feed::Load { host, percent }).unwrap();
    }
    let block = topic.from_start().next().await.unwrap().unwrap();
    let text = String::from_utf8(block.bytes().to_vec()).unwrap();
    assert_eq!(block.events(), 2);
    assert!(
        text.contains("\"percent\":2") && text.contains("\"percent\":3"),
        "{text}"
    );
    // What was replaced is no gap.
    assert!(topic.subscribe(at(&topic, 1)).is_ok());
}

#[tokio::test]
async fn a_filter_holds_for_what_is_replayed_too() {
    let topic = topic(16);
    topic.publish_all((1..=4).map(Feed::Added)).unwrap();
    let even = topic
        .from_start()
        .filter(|event| matches!(event.data(), "2" | "4" | "6"));
    let mut even = reader(even.filter(|event| event.data() != "2"));
    assert_eq!(even.frame().await, added(&topic, 4, 4));
    topic.publish_all((5..=7).map(Feed::Added)).unwrap();
    assert_eq!(even.frame().await, added(&topic, 6, 6));
}

#[tokio::test]
async fn subscribers_leave_with_the_topic() {
    let topic = topic(16);
    let subscription = topic.live();
    topic.publish(Feed::Added(1)).unwrap();
    let expected = added(&topic, 1, 1);
    drop(topic);
    assert_eq!(reader(subscription).rest().await, expected);
}
