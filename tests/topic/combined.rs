//! Several topics on one connection.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::routing::get;
use futures_util::{FutureExt as _, StreamExt as _};
use http::{Request, StatusCode};
use proptest::prelude::*;
use sse_tower::{Block, CombineError, Combined, Cursors, Lag, SseLayer, sse_handler};
use tower::ServiceExt as _;

use super::*;

/// What the two topics send at one poll, joined.
async fn text(combined: &mut Combined, events: usize) -> String {
    let mut text = String::new();
    for _ in 0..events {
        let block = combined.next().await.unwrap().unwrap();
        text += str::from_utf8(block.bytes()).unwrap();
    }
    text
}

fn both(chat: &Topic<Feed>, load: &Topic<Feed>, resume: &Resume<Cursors>) -> Combined {
    Combined::new(resume)
        .and("chat", chat.subscribe(resume.of("chat")))
        .unwrap()
        .and("load", load.subscribe(resume.of("load")))
        .unwrap()
}

#[tokio::test]
async fn an_id_holds_the_place_in_every_topic() {
    let (chat, load) = (topic(8), topic(8));
    load.publish(Feed::Added(9)).unwrap();
    let mut combined = both(&chat, &load, &Resume::Fresh);
    chat.publish_all([Feed::Added(1), Feed::Added(2)]).unwrap();
    let (c, l) = (chat.head().epoch(), load.head().epoch());
    assert_eq!(
        text(&mut combined, 1).await,
        format!(
            "event: added\nid: chat={c}.1,load={l}.1\ndata: 1\n\n\
             event: added\nid: chat={c}.2,load={l}.1\ndata: 2\n\n"
        )
    );
    load.publish(Feed::Load {
        host: "a",
        percent: 7,
    })
    .unwrap();
    load.publish(Feed::Typing("x")).unwrap();
    assert_eq!(
        text(&mut combined, 1).await,
        format!(
            "event: load\nid: chat={c}.2,load={l}.2\ndata: {{\"host\":\"a\",\"percent\":7}}\n\n\
             event: typing\ndata: \"x\"\n\n"
        )
    );
}

#[tokio::test]
async fn who_comes_back_goes_on_in_every_topic() {
    let (chat, load) = (topic(8), topic(8));
    let mut combined = both(&chat, &load, &Resume::Fresh);
    chat.publish(Feed::Added(1)).unwrap();
    let block = combined.next().await.unwrap().unwrap();
    let seen: Cursors = block.last_id().unwrap().as_str().parse().unwrap();
    assert_eq!(combined.cursors(), seen);
    drop(combined);
    chat.publish(Feed::Added(2)).unwrap();
    // It has never been sent anything of this topic, and still nothing of it is lost.
    load.publish(Feed::Added(3)).unwrap();

    let mut again = both(&chat, &load, &Resume::After(seen));
    let text = text(&mut again, 2).await;
    assert!(
        text.contains("data: 2\n") && text.contains("data: 3\n"),
        "{text}"
    );
    assert!(!text.contains("data: 1\n"), "{text}");
}

#[tokio::test]
async fn a_topic_that_is_new_to_the_client_begins_afresh() {
    let (chat, load) = (topic(8), topic(8));
    chat.publish(Feed::Added(1)).unwrap();
    load.publish(Feed::Added(1)).unwrap();
    let seen: Cursors = format!("chat={}", chat.head()).parse().unwrap();
    let resume = Resume::After(seen);
    assert_eq!(resume.of("chat"), Resume::After(chat.head()));
    assert_eq!(resume.of("load"), Resume::Fresh);
}

#[tokio::test]
async fn a_busy_topic_does_not_keep_a_quiet_one_waiting() {
    let (chat, load) = (topic(64), topic(64));
    let mut combined = both(&chat, &load, &Resume::Fresh);
    for n in 0..10 {
        load.publish(Feed::Added(100 + n)).unwrap();
        let mut seen = String::new();
        // Of each two, one is of the topic that always has something.
        for _ in 0..2 {
            chat.publish(Feed::Added(n)).unwrap();
            seen += &text(&mut combined, 1).await;
        }
        assert!(seen.contains(&format!("data: {}\n", 100 + n)), "{seen}");
    }
}

#[tokio::test]
async fn the_stream_ends_with_the_last_topic() {
    let (chat, load) = (topic(8), topic(8));
    let mut combined = both(&chat, &load, &Resume::Fresh);
    chat.close(Feed::Over).unwrap();
    let last = combined.next().await.unwrap().unwrap();
    assert!(!last.is_terminal(), "the other goes on: {last:?}");
    load.publish(Feed::Added(1)).unwrap();
    let block = combined.next().await.unwrap().unwrap();
    assert!(str::from_utf8(block.bytes()).unwrap().contains("data: 1\n"));
    load.close(Feed::Over).unwrap();
    let last = combined.next().await.unwrap().unwrap();
    assert!(last.is_terminal(), "{last:?}");
    assert!(combined.next().await.is_none());
}

#[tokio::test]
async fn one_that_lags_ends_it_or_tells() {
    let (chat, load) = (topic(2), topic(8));
    let mut ends = both(&chat, &load, &Resume::Fresh);
    let tells = chat.live().lag(Lag::tell(|gap| Feed::Lost(gap.lost())));
    let mut tells = Combined::new(&Resume::Fresh)
        .and("chat", Ok(tells))
        .unwrap();
    chat.publish_all((1..=5).map(Feed::Added)).unwrap();
    assert!(ends.next().await.unwrap().is_err());
    assert!(ends.next().await.is_none());
    assert_eq!(text(&mut tells, 1).await, "event: lost\ndata: 3\n\n");
    let epoch = chat.head().epoch();
    let rest = text(&mut tells, 1).await;
    assert!(rest.contains(&format!("id: chat={epoch}.4\n")), "{rest}");
}

#[sse_handler]
async fn page(
    resume: Resume<Cursors>,
    State((chat, load)): State<(Topic<Feed>, Topic<Feed>)>,
) -> Result<Combined, CombineError> {
    Combined::new(&resume)
        .and("chat", chat.subscribe(resume.of("chat")))?
        .and("load", load.subscribe(resume.of("load")))
}

#[tokio::test]
async fn a_handler_returns_it_and_a_gap_is_410() {
    let (chat, load) = (topic(2), topic(2));
    let app = Router::new()
        .route("/", get(page))
        .layer(SseLayer::new())
        .with_state((chat.clone(), load.clone()));
    let get = |id: String| {
        let request = Request::get("/").header("last-event-id", id);
        app.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let from_start = format!(
        "chat={}.0,load={}.0",
        chat.head().epoch(),
        load.head().epoch()
    );
    chat.publish(Feed::Added(1)).unwrap();
    let response = get(from_start.clone()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut reader = Reader::of(response);
    assert!(reader.frame().await.contains("data: 1\n"));
    load.publish_all((1..=5).map(Feed::Added)).unwrap();
    assert_eq!(get(from_start).await.unwrap().status(), StatusCode::GONE);
    assert_eq!(get("chat".into()).await.unwrap().status(), StatusCode::GONE);
}

/// What a client sends that comes back after `block`.
fn back_after(block: &Block) -> Resume<Cursors> {
    Resume::After(block.last_id().unwrap().as_str().parse().unwrap())
}

#[tokio::test]
async fn a_topic_that_is_over_does_not_keep_a_client_from_the_others() {
    let (chat, load) = (topic(8), topic(8));
    let mut combined = both(&chat, &load, &Resume::Fresh);
    chat.close(Feed::Over).unwrap();
    let mut resume = back_after(&combined.next().await.unwrap().unwrap());
    for n in 1..=2 {
        let mut again = both(&chat, &load, &resume);
        load.publish(Feed::Added(n)).unwrap();
        let block = again.next().await.unwrap().unwrap();
        let text = str::from_utf8(block.bytes()).unwrap();
        assert!(text.contains(&format!("data: {n}\n")), "{text}");
        assert!(!text.contains("over"), "it was told that already: {text}");
        resume = back_after(&block);
        assert_eq!(resume.of("chat"), Resume::After(chat.head()));
    }
    load.close(Feed::Over).unwrap();
    let last = both(&chat, &load, &resume).next().await.unwrap().unwrap();
    assert!(last.is_terminal());
    let over = both(&chat, &load, &back_after(&last)).into_response();
    assert_eq!(over.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_topic_that_goes_on_elsewhere_sends_the_client_there() {
    let (chat, load) = (topic(8), topic(8));
    let mut combined = both(&chat, &load, &Resume::Fresh);
    drop(chat);
    assert!(
        combined.next().await.is_none(),
        "although the other goes on"
    );
    assert_eq!(load.subscribers(), 0);
}

#[tokio::test]
async fn a_place_that_nobody_asks_for_is_kept_while_there_is_room() {
    let chat = topic(8);
    let others = (0..8).map(|n| format!("other{n}=1.{n}"));
    let resume = others.collect::<Vec<_>>().join(",").parse().unwrap();
    let resume = Resume::After(resume);
    let mut combined = Combined::new(&resume).and("chat", Ok(chat.live())).unwrap();
    chat.publish(Feed::Added(1)).unwrap();
    let back = back_after(&combined.next().await.unwrap().unwrap());
    assert_eq!(back.of("chat"), Resume::After(chat.head()));
    assert_eq!(back.of("other0"), Resume::Fresh);
    assert_eq!(back.of("other7"), resume.of("other7"));
}

#[tokio::test]
async fn checkpoints_tell_of_all_topics_at_once() {
    let (chat, load) = (topic(512), topic(512));
    let quiet = || chat.live().filter(|_| false);
    let new = Combined::new(&Resume::Fresh).and("chat", Ok(quiet()));
    let mut combined = new
        .unwrap()
        .and("load", Ok(load.live()))
        .unwrap()
        .checkpoints();
    let (c, l) = (chat.head().epoch(), load.head().epoch());
    let checkpoint = |chat: u64, load: u64| {
        format!("event: sse-tower:cursor\nid: chat={c}.{chat},load={l}.{load}\ndata:\n\n")
    };
    assert_eq!(text(&mut combined, 1).await, checkpoint(0, 0));
    assert!(combined.next().now_or_never().is_none());
    chat.publish_all((0..63).map(Feed::Added)).unwrap();
    assert!(combined.next().now_or_never().is_none());
    chat.publish(Feed::Added(64)).unwrap();
    assert_eq!(text(&mut combined, 1).await, checkpoint(64, 0));
    load.publish(Feed::Added(1)).unwrap();
    assert!(text(&mut combined, 1).await.contains("data: 1\n"));
    assert!(combined.next().now_or_never().is_none());

    let back = Resume::After(combined.cursors());
    let mut back = both(&chat, &load, &back).checkpoints();
    assert!(back.next().now_or_never().is_none(), "it knows where it is");
}

#[tokio::test]
async fn a_topic_that_is_new_to_the_client_needs_a_checkpoint_whenever_it_is_added() {
    let (chat, load) = (topic(8), topic(8));
    let seen: Cursors = format!("chat={}", chat.head()).parse().unwrap();
    let resume = Resume::After(seen);
    let chat_only = || {
        let known = chat.subscribe(resume.of("chat"));
        Combined::new(&resume).and("chat", known).unwrap()
    };
    let before = chat_only().checkpoints().and("load", Ok(load.live()));
    let after = chat_only().and("load", Ok(load.live()));
    for mut both in [before.unwrap(), after.unwrap().checkpoints()] {
        let block = both.next().now_or_never().unwrap().unwrap().unwrap();
        let back = back_after(&block);
        assert_eq!(back.of("load"), Resume::After(load.head()));
    }
    let mut known = Combined::new(&resume).checkpoints();
    known = known
        .and("chat", chat.subscribe(resume.of("chat")))
        .unwrap();
    assert!(known.next().now_or_never().is_none(), "it knows its place");
}

#[test]
fn what_cannot_be_combined_is_refused() {
    let topic = topic(1);
    let and = |combined: Combined, label: &str| combined.and(label, Ok(topic.live()));
    let none = || Combined::new(&Resume::Fresh);
    for label in ["", "a b", "a=b", "a,b", "ä", "12345678901234567"] {
        assert_eq!(and(none(), label).unwrap_err(), CombineError::Label);
    }
    let one = and(none(), "a").unwrap();
    assert_eq!(and(one, "a").unwrap_err(), CombineError::Twice);
    let full = (0..8).try_fold(none(), |all, n| and(all, &n.to_string()));
    assert_eq!(and(full.unwrap(), "9").unwrap_err(), CombineError::TooMany);
}

#[test]
fn the_longest_id_is_within_the_limit() {
    let part = |n: u64| format!("label-of-16-byt{n}={0}.{0}", u64::MAX);
    let text = (0..8).map(part).collect::<Vec<_>>().join(",");
    let cursors: Cursors = text.parse().unwrap();
    assert_eq!(cursors.to_string(), text);
    // With room for a seal.
    assert!(text.len() + 23 <= 512, "{}", text.len());
}

proptest! {
    #[test]
    fn any_text_is_cursors_or_refused(text in "[a-c0-3=,. ]{0,40}") {
        if let Ok(cursors) = text.parse::<Cursors>() {
            prop_assert_eq!(cursors.to_string(), text);
        }
    }
}
