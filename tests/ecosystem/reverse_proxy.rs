//! A reverse proxy in a few lines: the layer around a hyper client. The origin is a socket, so
//! that the test decides every byte that the proxy is given.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response, Uri, Version, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use sse_tower::{Ids, KeepAlive, Retry, SseLayer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;

use crate::hyper_alone::serve;
use crate::net::{Reading, client, request, send, soon};

const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                      cache-control: max-age=60\r\nx-origin: here\r\n";

struct Proxy {
    origin: TcpListener,
    address: SocketAddr,
    layer: SseLayer,
}

impl Proxy {
    async fn start() -> Self {
        let origin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = origin.local_addr().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http::<Incoming>();
        let forward = move |mut request: Request<Incoming>| {
            let path = request.uri().path();
            *request.uri_mut() = Uri::try_from(format!("http://{authority}{path}")).unwrap();
            *request.version_mut() = Version::HTTP_11;
            client.request(request)
        };
        let layer = SseLayer::new()
            .retry(Retry::fixed(Duration::from_secs(2)))
            .ids(Ids::sequence())
            .keep_alive(KeepAlive::every(Duration::from_millis(20)));
        let service = ServiceBuilder::new()
            .layer(layer.clone())
            .service_fn(forward);
        let address = serve(service).await;
        Self {
            origin,
            address,
            layer,
        }
    }

    /// Sends `request` through the proxy; the origin answers with `head` and nothing yet.
    async fn call(&self, request: Request<Body>, head: &str) -> (Response<Incoming>, TcpStream) {
        let client = client(request.version());
        let response = async { send(&client, request).await };
        let origin = async {
            let (mut socket, _) = self.origin.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
            }
            socket.write_all(head.as_bytes()).await.unwrap();
            socket
        };
        soon(async { tokio::join!(response, origin) }).await
    }

    /// The same for an event stream in chunks.
    async fn stream(&self, version: Version, headers: &str) -> (Response<Incoming>, TcpStream) {
        let mut request = request(self.address, "/");
        *request.version_mut() = version;
        let te = "trailers".parse().unwrap();
        request.headers_mut().insert("te", te);
        let head = format!("{STREAM}{headers}transfer-encoding: chunked\r\n\r\n");
        self.call(request, &head).await
    }
}

async fn chunk(origin: &mut TcpStream, text: &str) {
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    origin.write_all(chunk.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_stream_of_the_origin_gains_what_the_layer_has() {
    for version in VERSIONS {
        let proxy = Proxy::start().await;
        let (response, mut origin) = proxy.stream(version, "").await;
        assert_eq!(response.version(), version);
        let headers = response.headers();
        let cache = "no-cache, no-store, no-transform";
        assert_eq!(headers[header::CACHE_CONTROL], cache);
        assert_eq!(headers["x-accel-buffering"], "no");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["x-origin"], "here");

        // The hint does not wait for the origin.
        let mut reading = Reading::of(response);
        assert_eq!(reading.until("retry: 2000\n").await, "");
        for n in 1..=3 {
            chunk(&mut origin, &format!("data: {n}\n\n")).await;
            reading.until(&format!("data: {n}\nid: {n}\n\n")).await;
            assert_eq!(reading.until(":\n").await, "", "a comment in the silence");
        }
        chunk(&mut origin, "data: half").await;
        reading.until("data: half").await;
        chunk(&mut origin, " and half\n\n").await;
        assert_eq!(reading.until(" and half\nid: 4\n\n").await, "");

        origin.write_all(b"0\r\n\r\n").await.unwrap();
        let (_, end) = reading.rest().await;
        end.unwrap();
        assert_eq!(proxy.layer.open_streams(), 0);
    }
}

#[tokio::test]
async fn trailers_pass() {
    for version in VERSIONS {
        let proxy = Proxy::start().await;
        let (response, mut origin) = proxy.stream(version, "trailer: x-total\r\n").await;
        chunk(&mut origin, "data: 1\n\n").await;
        origin.write_all(b"0\r\nx-total: 1\r\n\r\n").await.unwrap();
        let body = soon(response.into_body().collect()).await.unwrap();
        assert_eq!(body.trailers().unwrap()["x-total"], "1");
        let text = body.to_bytes();
        assert!(text.ends_with(b"data: 1\nid: 1\n\n"), "{text:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_request_to_the_origin_along() {
    for version in VERSIONS {
        let proxy = Proxy::start().await;
        let (response, mut origin) = proxy.stream(version, "").await;
        drop(response);
        let end = soon(origin.read(&mut [0])).await;
        assert_eq!(end.unwrap(), 0);
        assert_eq!(proxy.layer.open_streams(), 0);
    }
}

#[tokio::test]
async fn a_failure_of_the_origin_is_one_for_the_client() {
    for version in VERSIONS {
        let proxy = Proxy::start().await;
        let (response, mut origin) = proxy.stream(version, "").await;
        let mut reading = Reading::of(response);
        chunk(&mut origin, "data: 1\n\n").await;
        reading.until("data: 1\nid: 1\n\n").await;
        // Gone without the last chunk.
        drop(origin);
        let (_, end) = reading.rest().await;
        assert!(end.is_err(), "a cut stream looks complete");
    }
}

#[tokio::test]
async fn what_is_no_stream_passes_untouched() {
    let proxy = Proxy::start().await;
    for (method, status, headers, body) in [
        (
            Method::GET,
            "204 No Content",
            "content-type: text/event-stream",
            "",
        ),
        (
            Method::GET,
            "500 Broken",
            "content-type: text/event-stream\r\ncontent-length: 9",
            "data: x\n\n",
        ),
        (
            Method::GET,
            "200 OK",
            "content-type: application/json\r\ncontent-length: 2\r\ncache-control: max-age=60",
            "{}",
        ),
        (
            Method::POST,
            "201 Created",
            "content-type: text/event-stream\r\ncontent-length: 1",
            "\n",
        ),
    ] {
        let mut request = request(proxy.address, "/");
        *request.method_mut() = method;
        let head = format!("HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}");
        let (response, _origin) = proxy.call(request, &head).await;
        assert_eq!(response.status().as_str(), &status[..3]);
        for line in headers.split("\r\n") {
            let (name, value) = line.split_once(": ").unwrap();
            assert_eq!(response.headers()[name], value, "{status}");
        }
        assert_eq!(response.headers().get("x-accel-buffering"), None);
        let (text, end) = Reading::of(response).rest().await;
        end.unwrap();
        assert_eq!(text, body);
    }
}

/// A stream has no length any more once something may be added to it.
#[tokio::test]
async fn a_stream_of_known_length_loses_it_and_nothing_else() {
    let proxy = Proxy::start().await;
    let head = format!("{STREAM}content-length: 9\r\n\r\ndata: a\n\n");
    let (response, _origin) = proxy.call(request(proxy.address, "/"), &head).await;
    assert_eq!(response.headers().get(header::CONTENT_LENGTH), None);
    let (text, end) = Reading::of(response).rest().await;
    end.unwrap();
    assert_eq!(text, "retry: 2000\ndata: a\nid: 1\n\n");
}

#[tokio::test]
async fn a_compressed_stream_and_the_answer_to_head_keep_their_bodies() {
    let proxy = Proxy::start().await;
    // What is in it does not matter: the layer does not look.
    let gzip = format!("{STREAM}content-encoding: gzip\r\ncontent-length: 9\r\n\r\ndata: a\n\n");
    let head = format!("{STREAM}\r\n");
    for (method, head, body) in [
        (Method::GET, &gzip, "data: a\n\n"),
        (Method::HEAD, &head, ""),
    ] {
        let mut request = request(proxy.address, "/");
        *request.method_mut() = method;
        let (response, _origin) = proxy.call(request, head).await;
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let (text, end) = Reading::of(response).rest().await;
        end.unwrap();
        assert_eq!(text, body);
    }
}
