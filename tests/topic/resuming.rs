//! Clients that come back.

use std::collections::HashSet;
use std::thread;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, State};
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{Request, StatusCode};
use sse_tower::{Missed, RawEvent, SseLayer, sse_handler};
use tokio::time;
use tower::ServiceExt as _;

use super::*;

#[tokio::test]
async fn who_comes_back_reads_on_after_the_cursor() {
    let topic = topic(16);
    topic.publish_all((1..=3).map(Feed::Added)).unwrap();
    let mut reader = reader(topic.subscribe(at(&topic, 1)).unwrap());
    let missed = added(&topic, 2, 2) + &added(&topic, 3, 3);
    assert_eq!(reader.frame().await, missed);
    topic.publish(Feed::Added(4)).unwrap();
    assert_eq!(reader.frame().await, added(&topic, 4, 4));
}

#[tokio::test]
async fn every_way_to_have_missed_something_is_told() {
    let topic = topic(2);
    topic.publish_all((1..=5).map(Feed::Added)).unwrap();
    let gap = |resume| match topic.subscribe(resume) {
        Err(Missed::Gap(gap)) => (gap.resume().seq(), gap.lost()),
        other => panic!("{other:?}"),
    };
    assert_eq!(gap(at(&topic, 1)), (3, Some(2)), "evicted");
    assert!(topic.subscribe(at(&topic, 3)).is_ok());
    assert!(topic.subscribe(at(&topic, 5)).is_ok());
    assert_eq!(gap(at(&topic, 6)).1, None, "of the future");
    assert_eq!(
        gap(Resume::After(Cursor::new(1, 4))).1,
        None,
        "of another epoch"
    );
    let header = Request::get("/").header("last-event-id", "4; drop table");
    let (mut parts, ()) = header.body(()).unwrap().into_parts();
    let unreadable = Resume::<Cursor>::from_request_parts(&mut parts, &()).await;
    let unreadable = unreadable.unwrap();
    assert!(matches!(
        topic.subscribe(unreadable),
        Err(Missed::Unreadable)
    ));
}

#[tokio::test]
async fn another_topic_does_not_take_the_cursor() {
    let (one, other) = (topic(4), topic(4));
    one.publish(Feed::Added(1)).unwrap();
    other.publish(Feed::Added(2)).unwrap();
    assert!(matches!(other.subscribe(at(&one, 1)), Err(Missed::Gap(_))));
}

#[tokio::test]
async fn no_two_topics_of_a_process_have_one_epoch() {
    let epochs = || (0..25_000).map(|_| topic(1).head().epoch());
    let threads: Vec<_> = (0..4)
        .map(|_| thread::spawn(move || epochs().collect::<Vec<_>>()))
        .collect();
    let all = threads.into_iter().flat_map(|it| it.join().unwrap());
    assert_eq!(all.collect::<HashSet<_>>().len(), 100_000);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_gone_although_nobody_publishes() {
    let topic = Topic::<Feed>::new(Retention::events(16).age(secs(60)));
    topic.publish(Feed::Added(1)).unwrap();
    assert!(topic.subscribe(at(&topic, 0)).is_ok());
    time::advance(secs(61)).await;
    assert!(matches!(
        topic.subscribe(at(&topic, 0)),
        Err(Missed::Gap(_))
    ));
}

#[tokio::test]
async fn a_snapshot_and_its_tail_are_one_response() {
    let topic = topic(16);
    topic.publish(Feed::Added(1)).unwrap();
    let tail = topic.live();
    // Between the subscription and the snapshot: in the tail, whatever the snapshot holds.
    topic.publish(Feed::Added(2)).unwrap();
    let mut reader = Reader::of(tail.behind(stream::iter([Feed::Snapshot(vec![1, 2])])));
    assert_eq!(reader.frame().await, "event: snapshot\ndata: [1,2]\n\n");
    assert_eq!(reader.frame().await, added(&topic, 2, 2));
    topic.publish(Feed::Added(3)).unwrap();
    assert_eq!(reader.frame().await, added(&topic, 3, 3));

    // A snapshot of nothing takes no frame.
    let tail = topic.live();
    topic.publish(Feed::Added(4)).unwrap();
    let mut reader = Reader::of(tail.behind(stream::empty::<Feed>()));
    assert_eq!(reader.frame().await, added(&topic, 4, 4));
}

#[tokio::test]
async fn a_closed_topic_stays_closed() {
    let topic = topic(16);
    let here = topic.live();
    topic.publish(Feed::Added(1)).unwrap();
    topic.close(Feed::Over).unwrap();
    assert!(topic.is_closed());
    assert!(topic.publish(Feed::Added(2)).is_err());
    let over = format!("event: over\nid: {}\ndata: {{}}\n\n", topic.head());
    assert_eq!(reader(here).rest().await, added(&topic, 1, 1) + &over);
    // Late ones get the rest, then the last event, then 204.
    let late = topic.subscribe(at(&topic, 1)).unwrap();
    assert_eq!(reader(late).rest().await, over);
    let new = topic.subscribe(Resume::Fresh).unwrap();
    assert_eq!(reader(new).rest().await, over);
    let closed = topic.subscribe(at(&topic, 2)).unwrap_err();
    assert!(matches!(closed, Missed::Closed(_)));
    assert_eq!(closed.into_response().status(), StatusCode::NO_CONTENT);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_sent_nothing_can_know_its_place() {
    let topic = topic(512);
    topic.publish(Feed::Added(1)).unwrap();
    let checkpoint = |seq| {
        let epoch = topic.head().epoch();
        format!("event: sse-tower:cursor\nid: {epoch}.{seq}\ndata:\n\n")
    };
    let quiet = topic.subscribe(Resume::Fresh).unwrap().checkpoints();
    let mut quiet = reader(quiet.filter(|event| event.name() == Some("over")));
    assert_eq!(quiet.frame().await, checkpoint(1));
    topic.publish_all((0..63).map(Feed::Added)).unwrap();
    assert!(quiet.next().now_or_never().is_none(), "it is near enough");
    topic.publish(Feed::Added(0)).unwrap();
    assert_eq!(quiet.frame().await, checkpoint(65));
    assert!(quiet.next().now_or_never().is_none());

    let mut busy = reader(topic.subscribe(at(&topic, 64)).unwrap().checkpoints());
    assert_eq!(busy.frame().await, added(&topic, 65, 0));
    assert!(
        busy.next().now_or_never().is_none(),
        "the event has told it"
    );
}

#[tokio::test]
async fn a_checkpoint_counts_from_the_id_that_was_sent() {
    let topic = topic(512);
    let first = |event: &RawEvent<'_>| event.data() == "1";
    let mut reader = reader(topic.live().filter(first).checkpoints());
    // In one block, of which only the first is sent.
    topic.publish_all((1..=100).map(Feed::Added)).unwrap();
    assert_eq!(reader.frame().await, added(&topic, 1, 1));
    let checkpoint = format!("event: sse-tower:cursor\nid: {}\ndata:\n\n", topic.head());
    assert_eq!(reader.frame().await, checkpoint);
}

#[test]
fn a_checkpoint_does_not_wait_for_a_topic_to_rest() {
    for (known, left_out) in [(false, 1), (true, 64)] {
        let topic = topic(512);
        let resume = if known { at(&topic, 0) } else { Resume::Fresh };
        let subscription = topic.subscribe(resume).unwrap().checkpoints();
        topic.publish(Feed::Added(0)).unwrap();
        // For every event that is read there is another.
        let publisher = topic.clone();
        let mut busy = subscription.filter(move |_| {
            publisher.publish(Feed::Added(0)).unwrap();
            false
        });
        let found = (0..10).find_map(|_| busy.next().now_or_never());
        let block = found.expect("a checkpoint").unwrap().unwrap();
        let place = Cursor::new(topic.head().epoch(), left_out).to_string();
        assert_eq!(block.last_id().unwrap().as_str(), place);
    }
}

#[sse_handler]
async fn feed(
    resume: Resume<Cursor>,
    State(topic): State<Topic<Feed>>,
) -> Result<Subscription<Feed>, Missed> {
    topic.subscribe(resume)
}

#[tokio::test]
async fn a_handler_returns_what_subscribe_does() {
    let topic = topic(1);
    topic.publish_all((1..=3).map(Feed::Added)).unwrap();
    let app = Router::new()
        .route("/", get(feed))
        .layer(SseLayer::new())
        .with_state(topic.clone());
    let call = async |seq: u64| {
        let id = Cursor::new(topic.head().epoch(), seq).to_string();
        let request = Request::get("/")
            .header("accept", "text/event-stream")
            .header("last-event-id", id);
        let request = request.body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap()
    };
    let mut reader = Reader::of(call(2).await);
    assert_eq!(reader.frame().await, added(&topic, 3, 3));
    let gone = call(1).await;
    assert_eq!(gone.status(), StatusCode::GONE);
    assert_eq!(gone.headers()["cache-control"], "no-store");
    topic.close(Feed::Over).unwrap();
    let end = reader.rest().await;
    assert!(
        end.ends_with("event: sse-tower:end\nid: sse-tower:end\ndata: {}\n\n"),
        "{end}"
    );
    assert_eq!(call(4).await.status(), StatusCode::NO_CONTENT);
}

/// As the documentation of `Topic` has it.
#[sse_handler]
async fn for_any_page(
    resume: Resume<Cursor>,
    State(topic): State<Topic<Feed>>,
) -> Result<Subscription<Feed>, Missed> {
    match topic.subscribe(resume) {
        Err(Missed::Gap(_) | Missed::Unreadable) => Ok(topic.from_start()),
        subscribed => subscribed,
    }
}

#[tokio::test]
async fn a_page_with_an_id_of_an_older_version_is_not_ended() {
    let topic = topic(1);
    topic.publish_all((1..=3).map(Feed::Added)).unwrap();
    let app = Router::new()
        .route("/refused", get(feed))
        .route("/", get(for_any_page))
        .layer(SseLayer::new())
        .with_state(topic.clone());
    let call = async |path: &str, id: &str| {
        let request = Request::get(path)
            .header("accept", "text/event-stream")
            .header("last-event-id", id);
        let request = request.body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap()
    };
    for id in ["v1:7", "1.1"] {
        assert_eq!(call("/refused", id).await.status(), StatusCode::GONE);
        let mut reader = Reader::of(call("/", id).await);
        assert_eq!(reader.frame().await, added(&topic, 3, 3), "{id}");
    }
}
