//! The end of a topic, which every client is told, so that none comes back for ever.

use std::future::ready;
use std::sync::{Arc, Barrier};
use std::{hint, thread};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{Request, StatusCode};
use sse_tower::store::MemoryStore;
use sse_tower::{Combined, Cursors, DurableTopic, Event, Lag, Missed, SseLayer};
use tokio::time;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::*;

const END: &str = "event: sse-tower:end\nid: sse-tower:end\ndata: {}\n\n";

/// A topic of which two events are kept, the last of which has closed it.
fn closed() -> Topic<Feed> {
    let topic = topic(2);
    topic.publish_all((1..=5).map(Feed::Added)).unwrap();
    topic.close(Feed::Over).unwrap();
    topic
}

async fn open(store: &MemoryStore) -> DurableTopic<Feed> {
    let topic = DurableTopic::open(store.clone(), "feed", Retention::events(2)).await;
    topic.unwrap()
}

/// One in a store, and again as the next process finds it.
async fn closed_durable() -> [DurableTopic<Feed>; 2] {
    let store = MemoryStore::new();
    let topic = open(&store).await;
    topic.publish_all((1..=5).map(Feed::Added)).await.unwrap();
    topic.close(Feed::Over).await.unwrap();
    [topic, open(&store).await]
}

/// What an `EventSource` that has seen `id` is sent until it is told not to come back.
async fn visits<I, R>(
    id: I,
    handler: impl Fn(Resume<I>) -> R + Clone + Send + Sync + 'static,
) -> Vec<String>
where
    I: ToString + std::str::FromStr + Send + 'static,
    R: IntoResponse + 'static,
{
    let handler = get(async move |resume: Resume<I>| handler(resume).into_response());
    let app: Router = Router::new().route("/", handler).layer(SseLayer::new());
    let mut id = id.to_string();
    let mut visits = Vec::new();
    for _ in 0..5 {
        let request = Request::get("/")
            .header("accept", "text/event-stream")
            .header("last-event-id", &id);
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        if response.status() == StatusCode::NO_CONTENT {
            return visits;
        }
        assert_eq!(response.status(), StatusCode::OK);
        let text = Reader::of(response).rest().await;
        if let Some(newer) = text.lines().rfind(|line| line.starts_with("id: ")) {
            newer["id: ".len()..].clone_into(&mut id);
        }
        visits.push(text);
    }
    panic!("it comes back for ever: {visits:#?}");
}

fn snapshot() -> stream::Iter<std::array::IntoIter<Feed, 1>> {
    stream::iter([Feed::Snapshot(vec![1])])
}

fn expect_snapshot_and_end(visits: &[String], head: Cursor) {
    let [only] = visits else { panic!("{visits:?}") };
    let expected =
        format!("event: snapshot\ndata: [1]\n\nevent: over\nid: {head}\ndata: {{}}\n\n{END}");
    assert_eq!(*only, expected);
}

#[tokio::test]
async fn behind_a_snapshot_comes_the_end() {
    let topic = closed();
    let (first, head) = (Cursor::new(topic.head().epoch(), 1), topic.head());
    let sent = visits(first, move |resume| match topic.subscribe(resume) {
        Ok(missed) => missed.into(),
        Err(_) => topic.live().behind(snapshot()),
    });
    expect_snapshot_and_end(&sent.await, head);
}

#[tokio::test]
async fn behind_a_snapshot_of_a_durable_topic_comes_the_end() {
    for topic in closed_durable().await {
        let head = topic.head();
        let sent = visits(Cursor::new(1, 1), move |resume| {
            match topic.subscribe(resume) {
                Ok(missed) => missed.into(),
                Err(_) => topic.live().behind(snapshot()),
            }
        });
        expect_snapshot_and_end(&sent.await, head);
    }
}

#[tokio::test]
async fn an_end_that_is_left_out_is_an_end() {
    let topic = closed();
    let before = Cursor::new(topic.head().epoch(), 4);
    let sent = visits(before, move |resume| {
        let missed = topic.subscribe(resume)?;
        Ok::<_, Missed>(missed.filter(|event| event.data() == "5"))
    });
    let sent = sent.await;
    assert_eq!(sent.len(), 1);
    assert!(
        sent[0].contains("data: 5\n") && sent[0].ends_with(END),
        "{sent:?}"
    );
}

#[tokio::test]
async fn what_a_handler_adds_to_an_end_that_is_left_out_is_sent() {
    let topic = closed();
    let before = Cursor::new(topic.head().epoch(), 4);
    let sent = visits(before, move |resume| {
        let missed = topic.subscribe(resume)?.filter(|_| false);
        Ok::<_, Missed>(Sse::from(missed).finish_with(Feed::Lost(None)))
    });
    assert_eq!(sent.await, [format!("event: lost\ndata: null\n\n{END}")]);
}

#[tokio::test]
async fn an_end_that_is_left_out_of_a_durable_topic_is_an_end() {
    for topic in closed_durable().await {
        let before = Cursor::new(topic.head().epoch(), 4);
        let sent = visits(before, move |resume| {
            let missed = topic.subscribe(resume)?;
            Ok::<_, Missed>(missed.filter(|event| event.data() == "5"))
        });
        let sent = sent.await;
        assert_eq!(sent.len(), 1);
        assert!(
            sent[0].contains("data: 5\n") && sent[0].ends_with(END),
            "{sent:?}"
        );
    }
}

/// What a browser is sent that was answered this.
async fn under_the_layer(response: impl IntoResponse) -> String {
    let mut response = Some(response.into_response());
    let answer = move |_: Request<Body>| ready(response.take().ok_or("once"));
    let service = SseLayer::new().layer(service_fn(answer));
    let request = Request::get("/").header("accept", "text/event-stream");
    let request = request.body(Body::empty()).unwrap();
    Reader::of(service.oneshot(request).await.unwrap())
        .rest()
        .await
}

#[tokio::test]
async fn a_checkpoint_does_not_take_the_place_of_the_end() {
    let topic = topic(2);
    let nothing = topic.live().filter(|_| false).checkpoints();
    topic.close(Feed::Over).unwrap();
    assert_eq!(under_the_layer(nothing).await, END);
}

#[tokio::test(start_paused = true)]
async fn an_end_behind_a_gap_is_an_end() {
    let tell = Lag::tell(|_| Event::named("lost").data("1"));
    for (lag, told) in [
        (tell, "event: lost\ndata: 1\n\n"),
        (Lag::skip_to_latest(), ""),
    ] {
        let topic = Topic::<Event>::new(Retention::events(8).age(secs(60)));
        let resumed = || topic.subscribe(Resume::After(topic.head())).unwrap();
        let alone = resumed().lag(lag.clone());
        let combined = Combined::new(&Resume::Fresh).and("topic", Ok(resumed().lag(lag)));
        topic.publish(Event::new().data("0")).unwrap();
        time::advance(secs(61)).await;
        assert_eq!(topic.lagging(), 2);
        // Nothing of it is sent, not even an id.
        topic.close(Event::new()).unwrap();
        for response in [alone.into_response(), combined.into_response()] {
            assert_eq!(under_the_layer(response).await, format!("{told}{END}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_too_old_before_is_not_how_a_topic_ended() {
    let topic = Topic::<Event>::new(Retention::events(8).age(secs(60)));
    let before = topic.head();
    topic.publish(Event::new().data("old")).unwrap();
    time::advance(secs(61)).await;
    // It has no data, so it is no event that anybody could be sent.
    let closed = topic.close(Event::new().comment("done")).unwrap();
    assert_eq!(closed, None);
    let fresh = topic.subscribe(Resume::Fresh).unwrap_err();
    assert!(matches!(fresh, Missed::Closed(_)), "{fresh:?}");
    let back = topic.subscribe(Resume::After(before)).unwrap_err();
    assert!(
        matches!(back, Missed::Gap(gap) if gap.resume() == topic.head()),
        "{back:?}"
    );
}

#[tokio::test]
async fn ends_that_are_left_out_of_several_topics_are_the_end_of_all() {
    // Of the second topic, nothing or all is left out, so that either may be the last.
    for kept in ["", "over"] {
        let (one, other) = (closed(), closed());
        let place = |topic: &Topic<Feed>| Cursor::new(topic.head().epoch(), 5);
        let places = format!("one={},other={}", place(&one), place(&other));
        let places: Cursors = places.parse().unwrap();
        let sent = visits(places, move |resume| {
            let first = one.subscribe(resume.of("one"));
            let second = other.subscribe(resume.of("other"));
            Combined::new(&resume)
                .and("one", first.map(|it| it.filter(|_| false)))?
                .and(
                    "other",
                    second.map(|it| it.filter(move |event| event.name() == Some(kept))),
                )
        });
        let sent = sent.await;
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(sent[0].ends_with(END), "{sent:?}");
        assert_eq!(sent[0].contains("event: over\n"), kept == "over");
    }
}

#[tokio::test]
async fn an_end_that_is_left_out_does_not_end_what_it_is_merged_with() {
    let (over, other) = (topic(8), topic(8));
    let sent = added(&other, 1, 1);
    let nothing = || over.live().filter(|_| false);
    let combined = Combined::new(&Resume::Fresh).and("over", Ok(nothing()));
    let alone = Sse::new(stream::select(nothing(), other.live()));
    let combined = Sse::new(stream::select(combined.unwrap(), other.live()));
    over.close(Feed::Over).unwrap();
    other.publish(Feed::Added(1)).unwrap();
    drop(other);
    for merged in [alone.into_response(), combined.into_response()] {
        assert_eq!(Reader::of(merged).rest().await, sent);
    }
}

#[tokio::test]
async fn a_topic_that_stops_is_not_over() {
    let topic = open(&MemoryStore::new()).await;
    let alone = Sse::from(topic.live()).finish_with(Feed::Over);
    let part = Combined::new(&Resume::Fresh).and("feed", Ok(topic.live()));
    let combined = Sse::from(part.unwrap()).finish_with(Feed::Over);
    let behind = topic.live().behind(snapshot()).finish_with(Feed::Over);
    topic.stop().await;
    for (sse, expected) in [
        (alone.into_response(), ""),
        (combined.into_response(), ""),
        (behind.into_response(), "event: snapshot\ndata: [1]\n\n"),
    ] {
        assert_eq!(Reader::of(sse).rest().await, expected);
    }
}

#[test]
fn who_comes_while_a_topic_closes_is_sent_its_end() {
    for round in 0..10_000 {
        let topic = topic(2);
        let begin = Arc::new(Barrier::new(2));
        let closing = {
            let (topic, begin) = (topic.clone(), Arc::clone(&begin));
            thread::spawn(move || {
                begin.wait();
                topic.close(Feed::Over).unwrap()
            })
        };
        begin.wait();
        (0..round % 100).for_each(|_| hint::spin_loop());
        let mut subscription = topic.subscribe(Resume::Fresh).unwrap();
        closing.join().unwrap();
        let last = subscription.next().now_or_never().unwrap();
        assert_eq!(last.unwrap().unwrap().events(), 1, "the end");
    }
}
