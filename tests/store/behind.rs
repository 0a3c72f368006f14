//! Readers that are further behind than the ring.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt};
use http::Request;
use http_body_util::BodyExt as _;
use sse_tower::log::GapCause;
use sse_tower::store::{EventStore as _, MemoryStore};
use sse_tower::{
    Combined, Cursor, Cursors, DurableTopic, EventId, Gap, Lag, Missed, Observe, RawEvent, Resume,
    Retention, SealKeys, Sealed, SseEvent, SseLayer, Topic,
};
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::slow::Slow;
use crate::{Note, assert_waits, next_texts, note, numbers, open, open_keeping, publish, texts};

#[tokio::test]
async fn a_reader_behind_the_ring_reads_the_store_and_then_the_ring() {
    let topic = open(MemoryStore::new()).await;
    let cursors = publish(&topic, 100).await;
    for seen in [1, 50, 89, 90, 99] {
        let mut subscription = topic.subscribe(Resume::After(cursors[seen - 1])).unwrap();
        let rest = texts(&mut subscription, 100 - seen).await;
        assert_eq!(rest, numbers(seen as u64 + 1..=100), "after {seen}");
        assert_waits(&mut subscription);
        assert_eq!(subscription.cursor(), topic.head());
    }
}

#[tokio::test]
async fn what_is_published_while_a_reader_catches_up_comes_once_and_in_order() {
    let topic = open(MemoryStore::new()).await;
    publish(&topic, 3_000).await;
    let mut subscription = topic.from_start();
    let mut all = Vec::new();
    // Each step moves the ring on by more than it holds.
    while all.len() < 5_000 {
        if topic.head().seq() < 5_000 {
            publish(&topic, 25).await;
        }
        all.extend(next_texts(&mut subscription).await.unwrap());
    }
    assert_eq!(all, numbers(1..=5_000));
    assert_waits(&mut subscription);
}

#[tokio::test]
async fn a_live_reader_that_falls_behind_the_ring_loses_nothing() {
    let topic = open(MemoryStore::new()).await;
    let mut subscription = topic.live();
    publish(&topic, 5).await;
    assert_eq!(texts(&mut subscription, 5).await, numbers(1..=5));
    publish(&topic, 50).await;
    assert_eq!(texts(&mut subscription, 50).await, numbers(6..=55));
    publish(&topic, 1).await;
    assert_eq!(texts(&mut subscription, 1).await, ["56"]);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_readers_at_one_place_read_the_store_once() {
    check_reads(|_| 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_readers_at_many_places_share_what_they_read() {
    check_reads(|n| n + 1).await;
}

/// A hundred readers of 5,000 events of about a hundred bytes, in pages of 64 KiB.
async fn check_reads(seen_by: impl Fn(u64) -> u64) {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    for n in 0..5_000 {
        topic.publish(note(format!("{n:0>80}"))).await.unwrap();
    }
    let pages = 5_000 * ("id: .\ndata: \n\n".len() + 80 + 16 + 4) / (64 * 1024) + 2;
    let readers = (0..100).map(async |n| {
        let seen = Cursor::new(topic.head().epoch(), seen_by(n));
        let mut subscription = topic.subscribe(Resume::After(seen)).unwrap();
        let all = texts(&mut subscription, 5_000 - seen.seq() as usize).await;
        let expected = (seen.seq()..5_000).map(|n| format!("{n:0>80}"));
        assert!(all.into_iter().eq(expected));
    });
    join_all(readers).await;
    let reads = store.habits.reads.load(Ordering::Relaxed);
    println!("{reads} reads for 100 readers of {pages} pages");
    assert!(reads <= pages, "{reads} reads of {pages} pages");
    assert_eq!(topic.subscribers(), 0);
}

#[tokio::test]
async fn what_the_store_has_trimmed_is_a_gap() {
    let topic = open_keeping(MemoryStore::new(), Retention::events(80)).await;
    let cursors = publish(&topic, 1_000).await;
    let Err(Missed::Gap(gap)) = topic.subscribe(Resume::After(cursors[0])) else {
        panic!("no gap");
    };
    assert_eq!(
        (gap.requested(), gap.cause()),
        (cursors[0], GapCause::Evicted)
    );
    let kept = 1_000 - gap.resume().seq();
    assert!((80..=90).contains(&kept), "the store keeps {kept} of 80");
    // It says where to go on, and that works.
    let mut subscription = topic.subscribe(Resume::After(gap.resume())).unwrap();
    let rest = texts(&mut subscription, kept as usize).await;
    assert_eq!(rest, numbers(gap.resume().seq() + 1..=1_000));
}

#[tokio::test]
async fn cursors_of_elsewhere_are_gaps() {
    let topic = open(MemoryStore::new()).await;
    let head = publish(&topic, 20).await[19];
    let start = Cursor::new(head.epoch(), 0);
    for (wrong, cause) in [
        (Cursor::new(head.epoch() + 1, 5), GapCause::Epoch),
        (Cursor::new(head.epoch(), 21), GapCause::Future),
    ] {
        let missed = topic.subscribe(Resume::After(wrong)).unwrap_err();
        assert_eq!(missed, Missed::Gap(Gap::new(wrong, start, cause)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_falls_behind_the_store_is_told() {
    let topic = open_keeping(MemoryStore::new(), Retention::events(80)).await;
    publish(&topic, 20).await;
    let mut closing = topic.from_start();
    let mut told = topic
        .from_start()
        .lag(Lag::tell(|gap| note(format!("lost {:?}", gap.lost()))));
    let mut skipping = topic.from_start().lag(Lag::skip_to_latest());
    publish(&topic, 300).await;

    let lagged = closing.next().await.unwrap().unwrap_err();
    let lost = lagged.gap().resume().seq();
    assert_eq!(lagged.gap().requested().seq(), 0);
    assert!(closing.next().await.is_none());
    assert_eq!(texts(&mut told, 1).await, [format!("lost Some({lost})")]);
    assert_eq!(
        texts(&mut told, 320 - lost as usize).await,
        numbers(lost + 1..=320)
    );
    // What it skips ends with the newest.
    assert_eq!(texts(&mut skipping, 1).await, ["320"]);
    publish(&topic, 1).await;
    assert_eq!(texts(&mut skipping, 1).await, ["321"]);
}

#[tokio::test]
async fn what_was_replaced_is_not_replayed_and_no_gap() {
    let topic = open(MemoryStore::new()).await;
    for n in 0..50 {
        let topic = &topic;
        topic
            .publish(Note::Latest("price", format!("price {n}")))
            .await
            .unwrap();
        topic.publish(note(format!("order {n}"))).await.unwrap();
    }
    let all = texts(&mut topic.from_start(), 51).await;
    let orders = (0..49).map(|n| format!("order {n}"));
    let end = ["price 49".to_owned(), "order 49".to_owned()];
    assert_eq!(all, orders.chain(end).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stalls_holds_up_no_other() {
    let topic = open(Slow::default()).await;
    let cursors = publish(&topic, 30).await;
    let mut stalled = topic.subscribe(Resume::After(cursors[9])).unwrap();
    let mut reading = topic.subscribe(Resume::After(cursors[4])).unwrap();
    // It begins to read, and then its client takes nothing for ever.
    assert_waits(&mut stalled);
    let all = timeout(Duration::from_secs(60), texts(&mut reading, 25)).await;
    assert_eq!(all.expect("the other one reads on"), numbers(6..=30));
    // And if it goes on after all, nothing is missing.
    assert_eq!(texts(&mut stalled, 20).await, numbers(11..=30));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_for_a_reader_that_has_left() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let padded = (0..1_000).map(|n| note(format!("{n:0>1000}")));
    let last = topic.publish_all(padded).await.unwrap().unwrap();
    // All wait for what the first one reads, which is of no use to the others.
    let places = (0..10).map(|n| Cursor::new(last.epoch(), 100 * n));
    let subscriptions = places.map(|at| topic.subscribe(Resume::After(at)).unwrap());
    let mut subscriptions: Vec<_> = subscriptions.collect();
    subscriptions.iter_mut().for_each(assert_waits);
    sleep(Duration::from_millis(500)).await;
    drop(subscriptions.split_off(1));
    assert!(next_texts(&mut subscriptions[0]).await.is_some());
    sleep(Duration::from_secs(60)).await;
    let reads = store.habits.reads.load(Ordering::Relaxed);
    assert_eq!(reads, 1, "for one reader");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_shown_yet_is_not_read_from_the_store_either() {
    let store = Slow::default();
    let topic = open(store.clone()).await;
    let cursors = publish(&topic, 30).await;
    let mut behind = topic.subscribe(Resume::After(cursors[4])).unwrap();
    store.habits.answers_after.store(100, Ordering::Relaxed);
    let publishing = tokio::spawn({
        let topic = topic.clone();
        async move { publish(&topic, 1).await }
    });
    // It is in the store by then, and its publisher does not know it yet.
    sleep(Duration::from_secs(50)).await;
    assert_eq!(texts(&mut behind, 25).await, numbers(6..=30));
    assert_waits(&mut behind);
    publishing.await.unwrap();
    assert_eq!(texts(&mut behind, 1).await, ["31"]);
    assert_waits(&mut behind);
}

/// A second writer that has gone on, and removed what the first one still knows.
#[tokio::test(start_paused = true)]
async fn who_reads_at_a_writer_that_was_left_behind_is_sent_away() {
    let store = MemoryStore::new();
    let first = open_keeping(store.clone(), Retention::events(500)).await;
    publish(&first, 100).await;
    let tell = || Lag::tell(|gap| note(format!("lost {:?}", gap.lost())));
    let lags = [Lag::close(), tell(), Lag::skip_to_latest()];
    let readers = lags.map(|lag| first.from_start().lag(lag));
    let second = open_keeping(store, Retention::events(50)).await;
    publish(&second, 1_000).await;
    for mut reader in readers {
        let ends = async {
            let mut events = 0;
            while let Some(block) = reader.next().await {
                events += block.unwrap().events();
            }
            events
        };
        let events = timeout(Duration::from_secs(10), ends).await;
        assert!(events.expect("it ends") <= 100, "and says nothing twice");
    }
}

/// Somebody else may remove entries, such as an engine that lets them expire.
#[tokio::test]
async fn what_the_store_has_removed_by_itself_is_a_gap_from_then_on() {
    let store = MemoryStore::new();
    let topic = open_keeping(store.clone(), Retention::events(500)).await;
    let cursors = publish(&topic, 100).await;
    let key = "notes".into();
    let trimmed = store
        .trim(&key, Retention::events(20), SystemTime::now())
        .await;
    let start = trimmed.unwrap();
    let mut reader = topic.subscribe(Resume::After(cursors[4])).unwrap();
    reader.next().await.unwrap().unwrap_err();
    let missed = topic.subscribe(Resume::After(cursors[4])).unwrap_err();
    let Missed::Gap(gap) = missed else {
        panic!("{missed:?}")
    };
    assert_eq!(gap.resume(), start);
    assert_eq!(next_texts(&mut topic.from_start()).await.unwrap()[0], "81");
}

#[tokio::test]
async fn a_combined_stream_ends_with_a_durable_part_that_stops() {
    let orders = open(MemoryStore::new()).await;
    let chat = Topic::<Note>::new(Retention::events(8));
    let mut combined = Combined::new(&Resume::Fresh)
        .and("orders", Ok(orders.live()))
        .unwrap()
        .and("chat", Ok(chat.live()))
        .unwrap();
    publish(&orders, 1).await;
    assert!(combined.next().await.unwrap().is_ok());
    orders.stop().await;
    assert!(combined.next().await.is_none(), "the client comes back");
}

#[tokio::test]
async fn a_checkpoint_waits_for_what_is_read_from_the_store() {
    let topic = open(MemoryStore::new()).await;
    publish(&topic, 100).await;
    let mut subscription = topic.from_start().checkpoints();
    assert_eq!(next_texts(&mut subscription).await.unwrap()[0], "1");
}

#[tokio::test]
async fn a_client_that_is_cut_while_it_catches_up_goes_on_where_it_was() {
    const ALL: u64 = 5_000;
    let topic = open(MemoryStore::new()).await;
    let notes = (1..=ALL).map(|n| note(format!("{n:0>80}")));
    topic.publish_all(notes).await.unwrap();
    let chat = Topic::<Note>::new(Retention::events(8));
    let few = |event: &RawEvent<'_>| event.data().ends_with("4000");
    let follow = |resume: &Resume<Cursors>| {
        let orders = match resume {
            Resume::Fresh => Ok(topic.from_start()),
            back => topic.subscribe(back.of("orders")),
        };
        let combined = Combined::new(resume).and("orders", orders.map(|it| it.filter(few)));
        let chat = chat.subscribe(resume.of("chat"));
        combined.unwrap().and("chat", chat).unwrap().checkpoints()
    };
    let mut resume = Resume::Fresh;
    let mut places = Vec::new();
    // Each connection lives for as long as it takes to be sent anything.
    let seen = loop {
        let block = follow(&resume).next().await.unwrap().unwrap();
        let place: Cursors = block.last_id().unwrap().as_str().parse().unwrap();
        places.push(place.get("orders").unwrap().seq());
        resume = Resume::After(place);
        if block.bytes().starts_with(b"id: ") {
            break block;
        }
        assert!(block.bytes().starts_with(b"event: sse-tower:cursor\n"));
    };
    assert!(str::from_utf8(seen.bytes()).unwrap().contains("4000\n"));
    assert!(places.len() > 3, "{places:?}");
    assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
}

#[tokio::test]
async fn a_move_is_told_although_another_topic_had_an_event_without_an_id() {
    #[derive(SseEvent)]
    enum Live {
        #[sse(replay = "never")]
        Typing,
    }
    let topic = open(MemoryStore::new()).await;
    let notes = (1..=5_000).map(|n| note(format!("{n:0>80}")));
    topic.publish_all(notes).await.unwrap();
    let chat = Topic::<Live>::new(Retention::events(8));
    let orders = Ok(topic.from_start().filter(|_| false));
    let combined = Combined::new(&Resume::Fresh).and("orders", orders).unwrap();
    let mut combined = combined.and("chat", Ok(chat.live())).unwrap().checkpoints();
    assert!(combined.next().now_or_never().is_none(), "it reads a page");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    chat.publish(Live::Typing).unwrap();
    let typing = combined.next().now_or_never().unwrap().unwrap().unwrap();
    assert_eq!(typing.last_id(), None);
    let checkpoint = combined.next().now_or_never().unwrap().unwrap().unwrap();
    assert!(checkpoint.bytes().starts_with(b"event: sse-tower:cursor\n"));
}

#[tokio::test]
async fn a_combined_checkpoint_waits_for_what_is_read_from_the_store() {
    let topic = open(MemoryStore::new()).await;
    publish(&topic, 100).await;
    let combined = Combined::new(&Resume::Fresh).and("orders", Ok(topic.from_start()));
    let mut combined = combined.unwrap().checkpoints();
    let block = combined.next().await.unwrap().unwrap();
    assert!(block.bytes().starts_with(b"id: "), "{block:?}");
}

#[tokio::test]
async fn a_publisher_sees_how_far_the_slowest_is_behind() {
    let topic = open_keeping(MemoryStore::new(), Retention::events(100)).await;
    let behind = |topic: &DurableTopic<Note>| topic.slowest().map(|behind| behind.events);
    assert_eq!((behind(&topic), topic.lagging()), (None, 0));
    let stalled = topic.live();
    publish(&topic, 50).await;
    assert_eq!((behind(&topic), topic.lagging()), (Some(50), 0));
    drop(stalled);
    // One that has begun to read the store, and is not polled any more.
    let mut stalled = topic.from_start();
    next_texts(&mut stalled).await.unwrap();
    publish(&topic, 60).await;
    assert_eq!((behind(&topic), topic.lagging()), (Some(60), 0));
    publish(&topic, 500).await;
    assert_eq!((behind(&topic), topic.lagging()), (Some(560), 1));
    let _reading = topic.live();
    assert_eq!((behind(&topic), topic.lagging()), (Some(560), 1));
    drop(stalled);
    assert_eq!((behind(&topic), topic.lagging()), (Some(0), 0));
}

#[derive(Debug, Default)]
struct Waited(Mutex<Vec<u64>>);

impl Observe for Waited {
    fn closed(&self, _: &sse_tower::Closed) {}

    fn waited(&self, events: u64) {
        self.0.lock().unwrap().push(events);
    }
}

#[tokio::test]
async fn how_many_events_waited_is_told_of_the_store_too() {
    let topic = open(MemoryStore::new()).await;
    let seen = publish(&topic, 100).await[0];
    let waited = Arc::new(Waited::default());
    let handler = {
        let topic = topic.clone();
        async move || {
            topic
                .subscribe(Resume::After(seen))
                .unwrap()
                .into_response()
        }
    };
    let layer = SseLayer::new().observe(Arc::clone(&waited));
    let app: Router = Router::new().route("/", get(handler)).layer(layer);
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    let mut body = response.into_body();
    // While the store is read, the stream opens.
    for expected in [&b":\n"[..], b"data: 100\n\n", b"data: 101\n\n"] {
        if expected == b"data: 101\n\n" {
            publish(&topic, 1).await;
        }
        let frame = body.frame().await.unwrap().unwrap();
        assert!(frame.into_data().unwrap().ends_with(expected));
    }
    assert_eq!(*waited.0.lock().unwrap(), [99, 1]);
}

#[tokio::test]
async fn what_is_read_from_the_store_is_filtered_sealed_and_marked_like_the_rest() {
    let topic = open(MemoryStore::new()).await;
    publish(&topic, 200).await;
    let seal = SealKeys::new([7; 32]).seal("notes", "ann");
    let few = |event: &RawEvent<'_>| event.data().ends_with("00");
    let subscription = topic.from_start().filter(few).sealed(seal.clone());
    let mut subscription = subscription.checkpoints();
    let open = |id: &EventId| -> Cursor {
        let sealed: Sealed = id.as_str().parse().unwrap();
        match seal.open(Resume::After(sealed)).unwrap() {
            Resume::After(cursor) => cursor,
            other => panic!("{other:?}"),
        }
    };
    let block = subscription.next().await.unwrap().unwrap();
    let text = String::from_utf8(block.bytes().to_vec()).unwrap();
    let ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
    let ids: Vec<_> = ids.map(|id| EventId::new(id.to_owned()).unwrap()).collect();
    assert_eq!(
        ids.iter().map(|id| open(id).seq()).collect::<Vec<_>>(),
        [100, 200]
    );
    assert_eq!(text.matches("data: ").count(), 2, "{text}");
    // Nothing of these is for this client, be they read from the ring or the store.
    publish(&topic, 90).await;
    let block = subscription.next().await.unwrap().unwrap();
    assert!(block.bytes().starts_with(b"event: sse-tower:cursor\n"));
    assert_eq!(open(block.last_id().unwrap()), topic.head());
    let back = topic.subscribe(Resume::After(open(block.last_id().unwrap())));
    assert_waits(&mut back.unwrap());
}
