//! Keep-alives that are more than a comment, and never two at once.

use axum::extract::State;
use axum::middleware::{self, Next};
use futures_util::{FutureExt as _, stream};
use sse_tower::{Closed, Decoder, KeepAlive, SseEvent};
use tokio::sync::mpsc;
use tokio::time::{self, Instant};
use tokio_stream::wrappers::ReceiverStream;

use super::*;

#[derive(SseEvent)]
enum Chat {
    Ping,
}

fn ping() -> KeepAlive {
    KeepAlive::every(secs(10)).event(&Chat::Ping).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_may_be_an_event() {
    for ours in OURS_AND_FOREIGN {
        let fed = Fed::new(&layer().keep_alive(ping()), ours);
        let mut reader = fed.open(Method::GET).await;
        assert_eq!(reader.frame().await, ":\n");
        assert_eq!(reader.frame().await, "event: ping\ndata: {}\n\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_that_is_an_event_is_counted_as_one() {
    let ping = Event::named("ping").id("p1").data("x");
    for ours in OURS_AND_FOREIGN {
        let (sender, mut told) = mpsc::unbounded_channel();
        let layer = layer()
            .keep_alive(KeepAlive::every(secs(10)).event(&ping).unwrap())
            .observe(move |closed: &Closed| sender.send(closed.clone()).unwrap());
        let fed = Fed::new(&layer, ours);
        let mut reader = fed.open(Method::GET).await;
        assert_eq!(reader.frame().await, ":\n");
        for _ in 0..2 {
            assert!(reader.frame().await.contains("event: ping\n"));
        }
        drop(reader);
        let closed = told.try_recv().unwrap();
        assert_eq!(closed.events, 2, "ours: {ours}");
        assert_eq!(closed.last_id.unwrap().as_str(), "p1");
    }
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_told_once_in_the_block_of_the_hint() {
    for ours in OURS_AND_FOREIGN {
        let keep_alive = KeepAlive::every(secs(10)).advertise();
        let layer = layer().keep_alive(keep_alive).retry(Retry::fixed(secs(3)));
        let fed = Fed::new(&layer, ours);
        let mut reader = fed.open(Method::GET).await;
        let opening = reader.frame().await;
        assert_eq!(
            opening,
            "retry: 3000\nevent: sse-tower:keep-alive\ndata: {\"interval_ms\":10000}\n\n"
        );
        assert_eq!(reader.frame().await, ":\n");
        fed.send("x");
        assert_eq!(reader.frame().await, "data: x\n\n");

        let mut decoder = Decoder::new();
        decoder.push(opening);
        assert_eq!(
            decoder.next_event().unwrap().unwrap().data(),
            "{\"interval_ms\":10000}"
        );
    }
}

#[tokio::test]
async fn who_decodes_the_stream_is_not_bothered_with_it() {
    use sse_tower::FromSseEvent;
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum Strict {
        Tick(u32),
    }
    let layer = layer().keep_alive(KeepAlive::default().advertise());
    let app = app(&layer, || Sse::new(stream::iter([Strict::Tick(1)])));
    let bytes = get(&app).await.into_body().into_data_stream();
    let events: Vec<_> = sse_tower::decode::<Strict, _>(bytes)
        .strict()
        .collect()
        .await;
    assert_eq!(
        events.into_iter().map(Result::unwrap).collect::<Vec<_>>(),
        [Strict::Tick(1)]
    );
}

/// What a silent stream sends in ten minutes, and when.
async fn keep_alives(app: Router) -> Vec<(Instant, String)> {
    let mut reader = Reader::of(get(&app).await);
    let opened = Instant::now();
    let mut seen = Vec::new();
    while let Ok(frame) = time::timeout_at(opened + secs(600), reader.frame()).await {
        seen.push((Instant::now(), frame));
    }
    seen
}

/// What a middleware that builds the response anew loses, by which layers know of each other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lost {
    Nothing,
    Extensions,
    HeadersToo,
}

async fn lose(State(lost): State<Lost>, request: axum::extract::Request, next: Next) -> Response {
    let response = next.run(request).await;
    match lost {
        Lost::Nothing => response,
        Lost::Extensions => {
            let (mut parts, body) = response.into_parts();
            parts.extensions.clear();
            Response::from_parts(parts, body)
        }
        Lost::HeadersToo => {
            let headers = [("content-type", "text/event-stream")];
            (headers, response.into_body()).into_response()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nested_layers_keep_a_stream_alive_once() {
    let (inner, outer) = (
        KeepAlive::every(secs(15)).comment("inner"),
        KeepAlive::every(secs(15)).comment("outer"),
    );
    // Several times, as it is a matter of chance who is first.
    for _ in 0..10 {
        for ours in OURS_AND_FOREIGN {
            for lost in [Lost::Nothing, Lost::Extensions, Lost::HeadersToo] {
                let fed = Fed::new(&SseLayer::new().keep_alive(inner.clone()), ours);
                let app = fed.app.clone();
                let app = app.layer(middleware::from_fn_with_state(lost, lose));
                let app = app.layer(SseLayer::new().keep_alive(outer.clone()));
                let seen = keep_alives(app).await;
                let by = |name: &str| {
                    let frames = seen.iter().map(|(_, frame)| frame);
                    frames.filter(|frame| frame.contains(name)).count()
                };
                assert!(by("inner") >= 27, "{seen:?}");
                // Without any trace of each other, the first is how they meet.
                let most = usize::from(lost == Lost::HeadersToo && !ours);
                assert!(by("outer") <= most, "ours: {ours}, {lost:?}: {seen:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interval_that_was_told_is_kept_whatever_is_inside() {
    let advertised = KeepAlive::every(secs(10)).advertise();
    // As from an origin behind a layer like ours, through a proxy.
    let fed = Fed::new(&SseLayer::new().no_keep_alive(), false);
    let app = fed.app.clone();
    let app = app.layer(middleware::from_fn_with_state(Lost::Extensions, lose));
    let seen = keep_alives(app.layer(layer().keep_alive(advertised))).await;
    assert!(seen[0].1.contains("interval_ms\":10000"), "{seen:?}");
    let pauses = seen.windows(2).map(|two| two[1].0 - two[0].0);
    let longest = pauses.max().expect("there are some");
    assert!(longest <= secs(15), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn the_keep_alive_of_another_library_is_enough() {
    let theirs = async || {
        let silent = stream::pending::<Result<sse::Event, Infallible>>();
        sse::Sse::new(silent).keep_alive(sse::KeepAlive::new().text("theirs"))
    };
    let app = Router::new().route("/", any(theirs));
    let seen = keep_alives(app.layer(SseLayer::new())).await;
    assert_eq!(
        seen.iter().filter(|(_, frame)| frame == ":\n").count(),
        1,
        "the first line: {seen:?}"
    );
    assert!(seen.len() >= 39, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_without_bytes_leaves_the_comment() {
    let nothing = KeepAlive::every(secs(10)).event(&Event::new()).unwrap();
    let fed = Fed::new(&layer().keep_alive(nothing), true);
    let mut reader = fed.open(Method::GET).await;
    assert_eq!(reader.frame().await, ":\n");
    assert_eq!(reader.frame().await, ":\n");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_used_up_its_turn_is_kept_alive_too() {
    let (sender, receiver) = mpsc::channel(200);
    for n in 0..200 {
        sender.try_send(Event::new().data(n.to_string())).unwrap();
    }
    let events = ReceiverStream::new(receiver);
    let sse = Sse::new(events).keep_alive(KeepAlive::every(secs(10)));
    let mut reader = Reader::of(sse);
    let sent = async {
        let mut text = String::new();
        while !text.contains("data: 199\n") {
            text += &reader.frame().await;
        }
        for _ in 0..2 {
            assert_eq!(reader.frame().await, ":\n");
        }
    };
    let within = time::timeout(secs(100), sent).await;
    assert!(within.is_ok(), "no keep-alive came");
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_wakes_whoever_asked_last() {
    let sse = Sse::new(stream::pending::<Event>()).keep_alive(KeepAlive::every(secs(10)));
    let mut reader = Reader::of(sse);
    assert_eq!(reader.frame().await, ":\n", "the opening");
    // Asked in one task, and then in another.
    assert!(reader.next().now_or_never().is_none());
    let frame = tokio::spawn(async move { reader.frame().await });
    let frame = time::timeout(secs(100), frame).await;
    assert_eq!(frame.expect("it was woken").unwrap(), ":\n");
}

/// The next frame of a stream that is never done, and has others run in between.
async fn frame_of_a_busy(reader: &mut Reader) -> Option<String> {
    for _ in 0..1_000 {
        if let Some(frame) = reader.frame().now_or_never() {
            return Some(frame);
        }
        tokio::task::yield_now().await;
    }
    None
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_busy_with_nothing_to_send_is_kept_alive() {
    async fn ours() -> Response {
        Sse::new(stream::repeat_with(Event::new)).into_response()
    }
    async fn foreign() -> Response {
        let blank = stream::repeat_with(|| Ok::<_, Infallible>(""));
        let headers = [("content-type", "text/event-stream")];
        (headers, Body::from_stream(blank)).into_response()
    }
    let layer = layer().keep_alive(KeepAlive::every(secs(10)));
    let app = Router::new()
        .route("/ours", axum::routing::get(ours))
        .route("/foreign", axum::routing::get(foreign))
        .layer(layer);
    for path in ["/ours", "/foreign"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let mut reader = Reader::of(app.clone().oneshot(request).await.unwrap());
        for _ in 0..3 {
            assert_eq!(frame_of_a_busy(&mut reader).await.as_deref(), Some(":\n"));
            assert_eq!(frame_of_a_busy(&mut reader).await, None);
            // The intervals of streams that are not ours are longer by up to two fifths.
            time::advance(secs(15)).await;
        }
    }
}
