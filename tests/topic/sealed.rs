//! Ids that a client cannot make up.

use futures_util::StreamExt as _;
use proptest::prelude::*;
use sse_tower::{Combined, Cursors, EventId, Missed, SealKeys, Sealed};

use super::*;

const KEY: [u8; 32] = [7; 32];

fn after(id: &str) -> Resume<Sealed> {
    Resume::After(id.parse().unwrap())
}

/// The outcome of opening `id` as a cursor of the topic "news" for ann.
fn open(id: &str) -> Result<Cursor, Missed> {
    let Ok(sealed) = id.parse::<Sealed>() else {
        return Err(Missed::Unreadable);
    };
    let seal = SealKeys::new(KEY).seal("news", "ann");
    let resume = seal.open(Resume::After(sealed))?;
    Ok(resume.after().expect("it was sent"))
}

fn id(keys: &SealKeys, topic: &str, principal: &str) -> EventId {
    keys.seal(topic, principal).id(Cursor::new(17, 42))
}

#[tokio::test]
async fn a_client_goes_on_with_what_it_was_sent() {
    let topic = topic(8);
    let seal = SealKeys::new(KEY).seal("news", "ann");
    let mut subscription = topic.live().sealed(seal.clone());
    topic.publish_all([Feed::Added(1), Feed::Added(2)]).unwrap();
    topic.publish(Feed::Typing("x")).unwrap();
    let block = subscription.next().await.unwrap().unwrap();
    let text = str::from_utf8(block.bytes()).unwrap();
    let (one, two) = (Cursor::new(topic.head().epoch(), 1), topic.head());
    assert_eq!(
        text,
        format!(
            "event: added\nid: {}\ndata: 1\n\n\
             event: added\nid: {}\ndata: 2\n\n\
             event: typing\ndata: \"x\"\n\n",
            seal.id(one),
            seal.id(two)
        )
    );
    let last = block.last_id().unwrap();
    assert!(last.as_str().starts_with(&format!("{two}.")), "{last}");
    assert!(last.is_portable());
    let back = seal.open(after(last.as_str())).unwrap();
    assert_eq!(back, Resume::After(two));
    assert!(topic.subscribe(back).is_ok());
}

#[test]
fn the_text_of_a_sealed_id_stays_the_same() {
    let id = id(&SealKeys::new(KEY), "news", "ann");
    // Otherwise every client is turned away by a new version. Made with another HMAC.
    assert_eq!(id.as_str(), "17.42.kmJKWuJhRX6EhizzEH2p4A");
}

#[test]
fn an_id_of_another_topic_client_or_key_is_forged() {
    let keys = SealKeys::new(KEY);
    let good = id(&keys, "news", "ann");
    assert_eq!(open(good.as_str()), Ok(Cursor::new(17, 42)));
    for other in [
        id(&keys, "new", "sann"),
        id(&keys, "news", "bob"),
        id(&keys, "chat", "ann"),
        id(&SealKeys::new([8; 32]), "news", "ann"),
    ] {
        assert_eq!(open(other.as_str()), Err(Missed::Forged));
    }
}

#[test]
fn a_key_can_be_changed() {
    let (old, new) = (SealKeys::new([1; 32]), SealKeys::new([2; 32]));
    let both = SealKeys::new([2; 32]).accept([1; 32]);
    let opens = |keys: &SealKeys, id: EventId| {
        let seal = keys.seal("t", "p");
        seal.open::<Cursor>(after(id.as_str())).is_ok()
    };
    let sealed_by = |keys: &SealKeys| id(keys, "t", "p");
    assert!(opens(&both, sealed_by(&old)) && opens(&both, sealed_by(&new)));
    assert!(opens(&new, sealed_by(&both)), "the first key seals");
    assert!(!opens(&old, sealed_by(&both)));
    assert!(
        !opens(&new, sealed_by(&old)),
        "one that is not accepted any more"
    );
}

#[test]
fn nothing_sent_and_nothing_readable_are_as_without_seals() {
    let seal = SealKeys::new(KEY).seal("news", "ann");
    assert_eq!(seal.open::<Cursor>(Resume::Fresh), Ok(Resume::Fresh));
    for text in [
        "",
        "17.42",
        "17.42.",
        "17.42.abc",
        "17.42.AAAAAAAAAAAAAAAAAAAAAA==",
    ] {
        assert!(text.parse::<Sealed>().is_err(), "{text}");
    }
    let long = format!("{}.AAAAAAAAAAAAAAAAAAAAAA", "1".repeat(512));
    assert!(long.parse::<Sealed>().is_err());
    // Sealed, and no cursor: by another version perhaps.
    let odd = seal.id("v2:x");
    assert_eq!(open(odd.as_str()), Err(Missed::Unreadable));
}

#[test]
fn a_forged_id_is_gone_as_a_response() {
    use axum::response::IntoResponse as _;
    assert_eq!(Missed::Forged.into_response().status(), 410);
}

#[test]
fn keys_are_not_shown() {
    let keys = SealKeys::new(KEY);
    let shown = format!("{keys:?} {:?}", keys.seal("news", "ann"));
    assert_eq!(shown, "SealKeys(1 keys) Seal");
}

#[tokio::test]
async fn several_topics_are_sealed_as_one() {
    let (chat, load) = (topic(8), topic(8));
    let keys = SealKeys::new(KEY);
    let seal = keys.seal("page", "ann");
    let mut combined = Combined::new(&Resume::Fresh)
        .and("chat", Ok(chat.live().sealed(keys.seal("chat", "ann"))))
        .unwrap()
        .and("load", Ok(load.live()))
        .unwrap()
        .sealed(seal.clone());
    chat.publish(Feed::Added(1)).unwrap();
    let block = combined.next().await.unwrap().unwrap();
    let sent = block.last_id().unwrap().as_str();
    let back: Resume<Cursors> = seal.open(after(sent)).unwrap();
    assert_eq!(back.of("chat"), Resume::After(chat.head()));
    assert_eq!(back.of("load"), Resume::After(load.head()));
}

#[tokio::test]
async fn a_checkpoint_is_sealed_like_an_event() {
    let topic = topic(8);
    let seal = SealKeys::new(KEY).seal("news", "ann");
    let mut one = topic.live().sealed(seal.clone()).checkpoints();
    let block = one.next().await.unwrap().unwrap();
    let back = seal.open(after(block.last_id().unwrap().as_str()));
    assert_eq!(back, Ok(Resume::After(topic.head())));

    let all = Combined::new(&Resume::Fresh).and("news", Ok(topic.live()));
    let mut all = all.unwrap().sealed(seal.clone()).checkpoints();
    let block = all.next().await.unwrap().unwrap();
    let back: Resume<Cursors> = seal.open(after(block.last_id().unwrap().as_str())).unwrap();
    assert_eq!(back.of("news"), Resume::After(topic.head()));
}

proptest! {
    /// Whoever changes a byte, cuts or adds one has no id.
    #[test]
    fn a_changed_id_is_told(at in 0usize..64, byte in b' '..=b'~', kind in 0..3) {
        let good = id(&SealKeys::new(KEY), "news", "ann");
        let mut bytes = good.as_str().as_bytes().to_vec();
        let at = at % bytes.len();
        match kind {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => { bytes.remove(at); }
        }
        let changed = String::from_utf8(bytes).unwrap();
        prop_assume!(changed != good.as_str());
        prop_assert!(matches!(open(&changed), Err(Missed::Forged | Missed::Unreadable)));
    }

    #[test]
    fn any_text_is_told(text in ".{0,80}") {
        prop_assert!(matches!(open(&text), Err(Missed::Forged | Missed::Unreadable)));
    }
}
