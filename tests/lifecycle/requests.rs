//! What the layer reads of a request.

use futures_util::stream;
use http::StatusCode;
use sse_tower::{Accept, END_ID, Resume};

use super::*;

fn resuming(layer: SseLayer) -> Router {
    async fn handler(resume: Resume) -> Sse {
        let after = resume.after().unwrap_or_else(|| "nothing".to_owned());
        Sse::new(stream::iter([Event::new().data(after)]))
    }
    Router::new().route("/", any(handler)).layer(layer)
}

async fn at(app: &Router, uri: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_query_stands_in_for_the_header() {
    let app = resuming(SseLayer::new().last_event_id_query(["lastEventId", "last_event_id"]));
    let check = async |uri, headers: &[(&str, &str)], expected: &str| {
        let data = Reader::of(at(&app, uri, headers).await).rest().await;
        assert_eq!(data, format!("data: {expected}\n\n"), "{uri}");
    };
    check("/?lastEventId=7", &[], "7").await;
    check("/?x=1&last_event_id=a%20b%26+c", &[], "a b& c").await;
    check("/?last_event_id=%E2%80%A6", &[], "…").await;
    check("/?lastEventId=&last_event_id=9", &[], "9").await;
    check("/?last_event_id=1", &[("last-event-id", "8")], "8").await;
    check("/?last_event_id=1", &[("last-event-id", "  ")], "1").await;
    check("/?lasteventid=1", &[], "nothing").await;
    check("/?last_event_id=%0Aevil", &[], "nothing").await;
    check("/?last_event_id=%00", &[], "nothing").await;
    check("/", &[], "nothing").await;
}

#[tokio::test]
async fn the_end_is_known_from_the_query_too() {
    let app = resuming(SseLayer::new().last_event_id_query(["lastEventId"]));
    let uri = format!("/?lastEventId={END_ID}");
    let response = at(&app, &uri, &[EVENTS]).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn without_being_asked_to_the_layer_leaves_the_query_alone() {
    let app = resuming(SseLayer::new());
    let response = at(&app, "/?lastEventId=7", &[]).await;
    assert_eq!(Reader::of(response).rest().await, "data: nothing\n\n");
}

#[tokio::test]
async fn a_strict_layer_sends_streams_only_to_those_who_take_them() {
    let strict = resuming(SseLayer::new().accept(Accept::Strict));
    for accept in [
        "text/event-stream",
        "*/*",
        "text/*",
        "application/json, */*;q=0.1",
    ] {
        let response = at(&strict, "/", &[("accept", accept)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{accept}");
    }
    assert_eq!(at(&strict, "/", &[]).await.status(), StatusCode::OK);
    let json = [("accept", "application/json")];
    let response = at(&strict, "/", &json).await;
    assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
    let text = Reader::of(response).rest().await;
    assert_eq!(
        text,
        "this resource is an event stream, which `Accept` does not allow"
    );
    // By default nobody is refused, and a strict layer refuses nothing but streams.
    assert_eq!(
        at(&resuming(SseLayer::new()), "/", &json).await.status(),
        StatusCode::OK
    );
    let page = Router::new()
        .route("/", any(async || "page"))
        .layer(SseLayer::new().accept(Accept::Strict));
    assert_eq!(at(&page, "/", &json).await.status(), StatusCode::OK);
}
