//! Where redirects lead, and what is taken along.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use sse_tower::client::{ConnectionError, EventSource};

use crate::support::{Asked, DONE, Feed, Script, all, follow, number, numbers};

fn to(script: Script, status: u16, location: &'static str) -> Script {
    let status = StatusCode::from_u16(status).unwrap();
    script.answer(move || (status, [(LOCATION, HeaderValue::from_static(location))]))
}

/// What a request showed of what its sender would not tell everybody.
fn secrets(asked: &Asked) -> [String; 4] {
    ["authorization", "cookie", "x-api-key", "last-event-id"].map(|name| asked.header(name))
}

const ALL: [&str; 4] = ["Bearer 1", "a=b", "key", "7"];
const NONE: [&str; 4] = ["-"; 4];

async fn follow_with_secrets(script: &Script) -> Vec<Asked> {
    let builder = follow(script)
        .header("authorization", "Bearer 1")
        .header("cookie", "a=b")
        .header("x-api-key", "key")
        .header("accept-language", "de")
        .last_event_id(7);
    let (_, error) = numbers(&mut builder.start()).await;
    assert!(error.is_none(), "{error:?}");
    script.asked()
}

#[tokio::test(start_paused = true)]
async fn within_an_origin_everything_is_taken_along() {
    for status in [301, 302, 303, 307, 308] {
        for location in ["/b?c", "b?c", "http://server/b?c", "http://server:80/b?c"] {
            let script = to(Script::new(), status, location).events(DONE);
            let asked = follow_with_secrets(&script).await;
            assert_eq!(asked.len(), 2);
            assert_eq!(asked[1].uri, "http://server/b?c");
            assert_eq!(secrets(&asked[1]), ALL, "{status} {location}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_origin_gets_no_id_and_no_credentials() {
    for location in [
        "http://other/",
        "http://server:81/",
        "https://server/",
        "//other/",
        "http://sub.server/",
    ] {
        let script = to(Script::new(), 307, location).events(DONE);
        let asked = follow_with_secrets(&script).await;
        assert_eq!(secrets(&asked[0]), ALL);
        assert_eq!(secrets(&asked[1]), NONE, "{location}");
        assert_eq!(asked[1].header("accept-language"), "de");
        assert_eq!(asked[1].header("accept"), "text/event-stream");
    }
    // Not on the way back either: who sent it there is not who was trusted. The id belongs here.
    let script = to(Script::new(), 307, "http://other/");
    let asked = follow_with_secrets(&to(script, 307, "http://server/b").events(DONE)).await;
    assert_eq!(secrets(&asked[2]), ["-", "-", "-", "7"]);
}

#[tokio::test(start_paused = true)]
async fn the_next_connection_begins_at_the_address_again_with_everything() {
    let script = to(Script::new(), 301, "http://other/").events(": nothing\n\n");
    let asked = follow_with_secrets(&script.status(204)).await;
    assert_eq!(asked.len(), 3);
    assert_eq!(
        (&*asked[2].uri, secrets(&asked[2])),
        ("http://server/feed", ALL.map(Into::into))
    );
}

#[tokio::test(start_paused = true)]
async fn an_id_goes_to_where_it_came_from() {
    // The second origin gave the id; the first does not get it, and its own is forgotten.
    let script = to(Script::new(), 307, "http://other/").events(number(1));
    let script = to(script, 307, "http://other/").events(number(2));
    let script = script.events("id: 3\n\n");
    let (seen, _) = numbers(&mut follow(&script).last_event_id(7).start()).await;
    assert_eq!(seen, [1, 2]);
    assert_eq!(script.ids(), ["7", "-", "-", "1", "-", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_user_in_the_address_stays_with_it() {
    let with_user = |script: &Script| {
        EventSource::<Feed>::get(&script.in_memory(), "http://me:pw@server/feed").start()
    };
    let script = to(Script::new(), 307, "http://server/b").events(DONE);
    all(&mut with_user(&script)).await;
    assert_eq!(script.asked()[1].uri, "http://me:pw@server/b");
    let script = to(Script::new(), 307, "http://other/b").events(DONE);
    all(&mut with_user(&script)).await;
    assert_eq!(script.asked()[1].uri, "http://other/b");
}

#[tokio::test(start_paused = true)]
async fn a_post_stays_one_only_where_the_status_says_so() {
    for (status, expected) in [
        (301, ("GET", "", "-")),
        (302, ("GET", "", "-")),
        (303, ("GET", "", "-")),
        (307, ("POST", "{}", "application/json")),
        (308, ("POST", "{}", "application/json")),
    ] {
        let script = to(Script::new(), status, "/b").events(DONE);
        let builder = EventSource::<Feed>::post(&script.in_memory(), "http://server/feed");
        let empty = std::collections::BTreeMap::<u8, u8>::new();
        all(&mut builder.json(&empty).header("x-api-key", "key").start()).await;
        let asked = &script.asked()[1];
        let content_type = asked.header("content-type");
        assert_eq!(
            (asked.method.as_str(), &*asked.body, &*content_type),
            expected,
            "{status}"
        );
        assert_eq!(asked.header("x-api-key"), "key");
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_that_lead_nowhere_are_an_error() {
    let around = |times| (0..times).fold(Script::new(), |script, _| to(script, 302, "/feed"));
    assert!(
        numbers(&mut follow(&around(10).events(DONE)).start())
            .await
            .1
            .is_none()
    );
    assert!(
        numbers(&mut follow(&around(1).events(DONE)).redirects(1).start())
            .await
            .1
            .is_none()
    );
    for (script, limit, why) in [
        (around(11), 10, "the redirect is one too many"),
        (around(1), 0, "the redirect is one too many"),
        (
            Script::new().status(302),
            10,
            "the redirect has no `Location`",
        ),
        (
            to(Script::new(), 302, "ftp://server/"),
            10,
            "the redirect has a `Location` that is no HTTP address",
        ),
        (
            to(Script::new(), 302, "http://"),
            10,
            "the redirect has a `Location` that is no HTTP address",
        ),
        (
            to(Script::new(), 302, "file:///etc/passwd"),
            10,
            "the redirect has a `Location` that is no HTTP address",
        ),
    ] {
        let (_, error) = numbers(&mut follow(&script).redirects(limit).start()).await;
        let error = error.expect("an error");
        assert!(matches!(error, ConnectionError::Redirect { .. }) && error.is_permanent());
        assert_eq!(error.to_string(), why);
    }
}
