//! Topics by key, which come and go.

use sse_tower::{Hub, Missed};
use tokio::time;

use super::*;

fn hub() -> Hub<&'static str, Feed> {
    Hub::new(Retention::events(16))
        .idle_after(secs(60))
        .forget_after(secs(600), 2)
}

/// Asks for some topic, so that idle ones go.
fn sweep(hub: &Hub<&'static str, Feed>) {
    let _: Topic<Feed> = hub.topic(&"sweep");
}

#[tokio::test(start_paused = true)]
async fn each_key_is_a_topic_and_clones_are_one_hub() {
    let hub = hub();
    let mut a = reader(hub.topic(&"a").live());
    let mut b = reader(hub.clone().topic(&"b").live());
    hub.publish(&"a", Feed::Added(1)).unwrap();
    assert_eq!(a.frame().await, added(&hub.topic(&"a"), 1, 1));
    assert_eq!(b.frame().await, ":\n");
    assert_eq!((hub.len(), hub.topic(&"a").subscribers()), (2, 1));
    assert!(hub.get(&"c").is_none());
}

#[tokio::test(start_paused = true)]
async fn an_idle_topic_goes_and_one_in_use_stays() {
    let hub = hub();
    let _subscribed = hub.topic(&"subscribed").live();
    let _held = hub.topic(&"held");
    hub.publish(&"idle", Feed::Added(1)).unwrap();
    time::advance(secs(61)).await;
    sweep(&hub);
    assert!(hub.get(&"idle").is_none());
    assert!(hub.get(&"subscribed").is_some() && hub.get(&"held").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_topic_is_idle_from_its_last_use_on() {
    let hub = hub();
    let first = hub.publish(&"a", Feed::Added(1)).unwrap().unwrap();
    let connected = hub.topic(&"a").live();
    time::advance(secs(300)).await;
    hub.get(&"a").unwrap().publish(Feed::Added(2)).unwrap();
    drop(connected);
    // Its client comes back one event behind, and nobody else has asked for anything.
    time::advance(secs(50)).await;
    let mut back = reader(hub.subscribe(&"a", Resume::After(first)).unwrap());
    assert_eq!(back.frame().await, added(&hub.topic(&"a"), 2, 2));
    drop(back);
    time::advance(secs(61)).await;
    assert!(
        hub.subscribe(&"a", Resume::After(first)).is_ok(),
        "who asks keeps it"
    );
}

#[tokio::test(start_paused = true)]
async fn who_has_seen_all_of_a_removed_topic_reads_on_and_others_are_told() {
    let hub = hub();
    hub.publish(&"a", Feed::Added(1)).unwrap();
    let first = hub.publish(&"a", Feed::Added(2)).unwrap().unwrap();
    time::advance(secs(61)).await;
    sweep(&hub);
    assert!(hub.get(&"a").is_none());
    let mut again = reader(hub.subscribe(&"a", Resume::After(first)).unwrap());
    assert!(matches!(
        hub.subscribe(&"a", Resume::After(Cursor::new(first.epoch(), 1))),
        Err(Missed::Gap(_))
    ));
    let next = hub.publish(&"a", Feed::Added(3)).unwrap().unwrap();
    assert_eq!(next.seq(), 3, "the numbers go on");
    assert_eq!(again.frame().await, added(&hub.topic(&"a"), 3, 3));
}

#[tokio::test(start_paused = true)]
async fn no_cursor_is_used_twice_even_when_the_key_is_forgotten() {
    let hub = hub();
    for n in 1..=9 {
        hub.publish(&"a", Feed::Added(n)).unwrap();
    }
    let last = hub.topic(&"a").head();
    time::advance(secs(61)).await;
    sweep(&hub);
    time::advance(secs(601)).await;
    sweep(&hub);
    for n in 1..=9 {
        let again = hub.publish(&"a", Feed::Added(n)).unwrap().unwrap();
        assert!(again.epoch() != last.epoch());
    }
    for seq in 0..=10 {
        let old = Resume::After(Cursor::new(last.epoch(), seq));
        assert!(matches!(hub.subscribe(&"a", old), Err(Missed::Gap(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_remembered_than_was_asked_for() {
    let hub = hub();
    let keys = ["a", "b", "c"];
    let last = keys.map(|key| {
        hub.publish(&key, Feed::Added(0)).unwrap();
        hub.publish(&key, Feed::Added(1)).unwrap().unwrap()
    });
    for key in keys {
        hub.publish(&key, Feed::Added(2)).unwrap();
    }
    time::advance(secs(61)).await;
    sweep(&hub);
    // Two of the three are remembered, whichever.
    let told = keys.map(|key| hub.subscribe(&key, Resume::After(last[0])).is_err());
    assert_eq!(told, [true; 3]);
    let mut heads = keys.map(|key| hub.topic(&key).head().seq());
    heads.sort_unstable();
    assert_eq!(heads, [0, 3, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_topic_stays_closed_for_those_who_come_back() {
    let hub = hub();
    hub.publish(&"a", Feed::Added(1)).unwrap();
    let last = hub.topic(&"a").close(Feed::Over).unwrap().unwrap();
    time::advance(secs(61)).await;
    sweep(&hub);
    // Whatever was asked for in between.
    assert!(matches!(
        hub.subscribe(&"a", Resume::Fresh),
        Err(Missed::Closed(_))
    ));
    assert!(hub.publish(&"a", Feed::Added(2)).is_err());
    let closed = hub.subscribe(&"a", Resume::After(last)).unwrap_err();
    assert!(matches!(closed, Missed::Closed(_)));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_to_a_closed_topic_that_is_forgotten_is_told() {
    let hub = hub();
    for n in 1..=8 {
        hub.publish(&"a", Feed::Added(n)).unwrap();
    }
    let last = hub.topic(&"a").close(Feed::Over).unwrap().unwrap();
    time::advance(secs(61)).await;
    sweep(&hub);
    time::advance(secs(601)).await;
    let missed = hub.subscribe(&"a", Resume::After(last)).unwrap_err();
    assert!(matches!(missed, Missed::Gap(_)), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_room_is_not_taken() {
    let hub = hub();
    let here = hub.publish(&"a", Feed::Added(1)).unwrap().unwrap();
    hub.publish(&"b", Feed::Added(1)).unwrap();
    let check = |hub: &Hub<&'static str, Feed>| {
        assert!(hub.subscribe(&"a", Resume::After(here)).is_ok());
        let missed = hub.subscribe(&"b", Resume::After(here)).unwrap_err();
        assert!(matches!(missed, Missed::Gap(_)), "{missed:?}");
    };
    check(&hub);
    time::advance(secs(61)).await;
    sweep(&hub);
    assert!(hub.get(&"b").is_none());
    check(&hub);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_goes_twice_is_remembered_once() {
    let hub = hub();
    let last = hub.publish(&"b", Feed::Added(1)).unwrap().unwrap();
    for _ in 0..3 {
        hub.publish(&"a", Feed::Added(1)).unwrap();
        time::advance(secs(61)).await;
        sweep(&hub);
    }
    assert!(hub.get(&"b").is_none());
    assert!(hub.subscribe(&"b", Resume::After(last)).is_ok());
}
