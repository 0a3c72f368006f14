//! Over loopback, with reqwest as programs have it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::get;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use sse_tower::client::{Backoff, ConnectionError, EventSource, Http, Phase, reqwest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower::util::BoxCloneService;

use crate::net::{Count, feed, serve, soon};
use crate::support::{DONE, Feed, Script, http, number, numbers};

const QUICK: Duration = Duration::from_millis(1);

fn quick() -> Backoff {
    Backoff::new().initial(QUICK).limit(QUICK)
}

/// Three connections, the first of which breaks off.
async fn it_follows_a_stream() {
    let cut = || {
        let begun = stream::iter([Ok(number(1))]);
        let cut = stream::once(async {
            // The server writes what it has when there is no more at the moment.
            tokio::task::yield_now().await;
            Err(std::io::Error::other("cut"))
        });
        crate::support::stream(Body::from_stream(begun.chain(cut)))
    };
    let script = Script::new()
        .answer(cut)
        .events(number(2))
        .events(number(3) + DONE);
    let address = script.serve().await;
    let mut events = EventSource::get(&http(), format!("http://{address}/"))
        .backoff(quick())
        .start();
    let (seen, error) = soon(numbers(&mut events)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!(script.ids(), ["-", "1", "2"]);
}

#[tokio::test(flavor = "current_thread")]
async fn in_a_runtime_of_one_thread() {
    it_follows_a_stream().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_runtime_of_many_threads() {
    tokio::spawn(it_follows_a_stream()).await.unwrap();
}

#[tokio::test]
async fn a_cut_connection_is_told_from_an_end() {
    // A chunked body without its last chunk: the server died.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    transfer-encoding: chunked\r\n\r\n";
        let text = number(1);
        let body = format!("{:x}\r\n{text}\r\n", text.len());
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        socket
            .write_all((head.to_owned() + &body).as_bytes())
            .await
            .unwrap();
    });
    let mut events = EventSource::<Feed>::post(&http(), format!("http://{address}/")).start();
    let (seen, error) = soon(numbers(&mut events)).await;
    server.await.unwrap();
    assert_eq!(seen, [1]);
    assert!(
        matches!(error, Some(ConnectionError::Transport(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn dropping_it_closes_the_connection() {
    let (sender, router) = feed();
    let address = serve(router).await;
    let mut events = EventSource::<Feed>::get(&http(), format!("http://{address}/native")).start();
    sender.send(Count::Number(1)).unwrap();
    assert_eq!(soon(events.next()).await.unwrap().unwrap(), Feed::Number(1));
    assert!(!sender.is_closed());
    drop(events);
    soon(sender.closed()).await;
}

#[tokio::test]
async fn a_terminal_event_closes_the_connection() {
    let (sender, router) = feed();
    let address = serve(router).await;
    // axum's own response, which would go on.
    let mut events = EventSource::<Feed>::get(&http(), format!("http://{address}/foreign")).start();
    sender.send(Count::Done).unwrap();
    assert_eq!(soon(events.next()).await.unwrap().unwrap(), Feed::Done);
    soon(sender.closed()).await;
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn it_waits_for_a_server_that_is_not_there_yet() {
    // A port that nobody listens at, until its owner comes back.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let script = Script::new().events(number(1) + DONE);
    let url = format!("http://{address}/");
    // Nothing was sent, so a POST may try again too.
    let builder = EventSource::<Feed>::post(&http(), &url)
        .json("x")
        .backoff(quick());
    let (refused, mut is_refused) = tokio::sync::mpsc::unbounded_channel();
    let mut events = builder
        .on_change(move |state| {
            if let (Phase::Waiting { .. }, Some(error)) = (state.phase, state.last_error) {
                drop(refused.send(error.clone()));
            }
        })
        .start();
    let following = tokio::spawn(async move { numbers(&mut events).await });
    let error = soon(is_refused.recv()).await.unwrap();
    assert!(matches!(&error, ConnectionError::Transport(_)), "{error:?}");
    // The address may hold a secret.
    assert!(!format!("{error:?}").contains(&url), "{error:?}");

    let listener = TcpListener::bind(address).await.unwrap();
    let app = script.router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (seen, error) = soon(following).await.unwrap();
    assert_eq!((seen, error.is_none()), (vec![1], true));
}

#[tokio::test]
async fn without_tls_https_is_a_mistake_and_not_a_bad_connection() {
    let script = Script::new();
    let address = script.serve().await;
    let mut events = EventSource::<Feed>::get(&http(), format!("https://{address}/"))
        .backoff(quick())
        .give_up_after(2)
        .start();
    let (_, error) = soon(numbers(&mut events)).await;
    let error = error.unwrap();
    // Another package of the workspace may have turned TLS on; then this server has none.
    let source = std::error::Error::source(&error).unwrap().to_string();
    match &error {
        ConnectionError::Request(_) => assert!(source.contains("without TLS"), "{source}"),
        ConnectionError::Transport(_) => assert!(!error_chain(&error).contains("scheme")),
        error => panic!("{error:?}"),
    }
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn an_address_that_the_client_never_asks_is_a_mistake() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = Http::new(reqwest::Client::builder().https_only(true)).unwrap();
    let script = Script::new();
    let address = script.serve().await;
    let mut events = EventSource::<Feed>::get(&http, format!("http://{address}/"))
        .backoff(quick())
        .give_up_after(2)
        .start();
    let (_, error) = soon(numbers(&mut events)).await;
    let error = error.unwrap();
    assert!(matches!(error, ConnectionError::Request(_)), "{error:?}");
    assert!(error.is_permanent() && script.asked().is_empty());
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let rest = error.source().map(error_chain).unwrap_or_default();
    format!("{error}: {rest}")
}

#[tokio::test]
async fn a_user_in_the_address_is_a_header() {
    let script = Script::new().events(DONE);
    let address = script.serve().await;
    let mut events = EventSource::<Feed>::get(&http(), format!("http://me:pw@{address}/")).start();
    assert_eq!(soon(events.next()).await.unwrap().unwrap(), Feed::Done);
    assert_eq!(script.asked()[0].header("authorization"), "Basic bWU6cHc=");
}

/// What a client puts on each of its requests.
fn with_secrets() -> reqwest::ClientBuilder {
    let headers = [("authorization", "Bearer 1"), ("x-api-key", "key")];
    let headers = headers.map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    reqwest::Client::builder().default_headers(HeaderMap::from_iter(headers))
}

#[tokio::test]
async fn what_a_client_adds_by_itself_goes_to_no_other_origin() {
    let http = Http::new(with_secrets()).unwrap();
    let other = Script::new().events(DONE);
    let elsewhere = format!("http://{}/", other.serve().await);
    let script = Script::new()
        .answer(|| Redirect::temporary("/b"))
        .answer(move || Redirect::temporary(&elsewhere));
    let address = script.serve().await;
    let mut events = EventSource::<Feed>::get(&http, format!("http://{address}/")).start();
    let (_, error) = soon(numbers(&mut events)).await;

    assert_eq!(other.asked().len(), 0);
    let asked = script.asked();
    assert_eq!(asked.len(), 2, "within an origin it is followed");
    assert_eq!(asked[1].header("authorization"), "Bearer 1");
    assert_eq!(asked[1].header("x-api-key"), "key");
    let error = error.unwrap();
    assert!(error.is_permanent());
    assert_eq!(error.to_string(), "the redirect leads to another origin");
}

#[tokio::test]
async fn another_origin_is_asked_where_the_client_has_no_secrets() {
    let other = Script::new().events(DONE);
    let elsewhere = format!("http://{}/", other.serve().await);
    let script = Script::new().answer(move || Redirect::temporary(&elsewhere));
    let address = script.serve().await;
    let http = http().across_origins();
    let mut events = EventSource::<Feed>::get(&http, format!("http://me:pw@{address}/"))
        .header("x-api-key", "key")
        .last_event_id(7)
        .start();
    let (_, error) = soon(numbers(&mut events)).await;
    assert!(error.is_none(), "{error:?}");
    let headers = ["authorization", "x-api-key", "last-event-id"];
    let first = headers.map(|name| script.asked()[0].header(name));
    assert_eq!(first, ["Basic bWU6cHc=", "key", "7"]);
    assert_eq!(headers.map(|name| other.asked()[0].header(name)), ["-"; 3]);
}

#[tokio::test]
async fn redirects_are_not_followed_behind_its_back() {
    let router = Router::new()
        .route("/", get(axum::response::Redirect::temporary("/feed")))
        .route("/feed", get(async || crate::support::stream(DONE.into())));
    let address = serve(router).await;
    let start = |limit| {
        EventSource::<Feed>::get(&http(), format!("http://{address}/"))
            .redirects(limit)
            .start()
    };
    assert!(soon(numbers(&mut start(1))).await.1.is_none());
    let (_, error) = soon(numbers(&mut start(0))).await;
    assert!(
        matches!(error, Some(ConnectionError::Redirect { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_service_need_not_be_shared_between_threads() {
    let script = Script::new().events(DONE);
    // `Clone + Send`, and no more.
    let service = BoxCloneService::new(script.router());
    let events = EventSource::<Feed>::get(&Http::from_service(service), "http://server/");
    assert_eq!(
        soon(events.start().next()).await.unwrap().unwrap(),
        Feed::Done
    );
}
