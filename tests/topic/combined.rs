//! Several topics on one connection.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use futures_util::StreamExt as _;
use http::{Request, StatusCode};
use proptest::prelude::*;
use sse_tower::{CombineError, Combined, Cursors, Lag, SseLayer, sse_handler};
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
    Combined::new()
        .and("chat", chat.subscribe(resume.of("chat")).unwrap())
        .unwrap()
        .and("load", load.subscribe(resume.of("load")).unwrap())
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
    let mut tells = Combined::new().and("chat", tells).unwrap();
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
) -> axum::response::Result<Combined> {
    let chat = chat.subscribe(resume.of("chat"))?;
    let load = load.subscribe(resume.of("load"))?;
    Ok(Combined::new().and("chat", chat)?.and("load", load)?)
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

#[test]
fn what_cannot_be_combined_is_refused() {
    let topic = topic(1);
    let and = |combined: Combined, label: &str| combined.and(label, topic.live());
    for label in ["", "a b", "a=b", "a,b", "ä", "12345678901234567"] {
        assert_eq!(
            and(Combined::new(), label).unwrap_err(),
            CombineError::Label
        );
    }
    let one = and(Combined::new(), "a").unwrap();
    assert_eq!(and(one, "a").unwrap_err(), CombineError::Twice);
    let full = (0..8).try_fold(Combined::new(), |all, n| and(all, &n.to_string()));
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
