//! A server that restarts under many clients is not run over by them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use futures_util::stream;
use http::Version;
use sse_tower::{Event, Retry, Shutdown, Sse, SseLayer};
use tokio::time::{Instant, sleep};

use crate::net::{Reading, client, request, send, serve};
use crate::scale;

#[tokio::test(flavor = "multi_thread")]
async fn clients_come_back_over_the_whole_spread() {
    let clients = scale(200, 2_000);
    let spread = scale(4, 20);
    let (stop, second) = (Shutdown::new(), Shutdown::new());
    let first_second = Duration::from_secs(1);
    let hint = Retry::between(
        first_second,
        first_second * (1 + u32::try_from(spread).unwrap()),
    );
    let silent = async || Sse::new(stream::pending::<Event>());
    let before = Router::new()
        .route("/", get(silent))
        .layer(SseLayer::new().shutdown(&stop).reconnect(hint));
    let before = serve(before).await;

    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let arrived = Arc::clone(&arrivals);
    let arriving = async move || {
        arrived.lock().unwrap().push(Instant::now());
        Sse::new(stream::pending::<Event>())
    };
    let after = Router::new()
        .route("/", get(arriving))
        .layer(SseLayer::new().shutdown(&second));
    let after = serve(after).await;

    let client = client(Version::HTTP_11);
    let open = async |_| {
        let mut reading = Reading::of(send(&client, request(before, "/")).await);
        reading.until(":\n").await;
        reading
    };
    let mut readings = Vec::new();
    for client in 0..clients {
        readings.push(open(client).await);
    }
    let begun = Instant::now();
    stop.begin();
    let came_back = readings.into_iter().map(async |reading| {
        let (hint, end) = reading.rest().await;
        end.unwrap();
        let hint = hint
            .trim()
            .strip_prefix("retry: ")
            .unwrap()
            .parse()
            .unwrap();
        sleep(Duration::from_millis(hint)).await;
        let mut reading = Reading::of(send(&client, request(after, "/")).await);
        reading.until(":\n").await;
        reading
    });
    let open = join_all(came_back).await;
    let arrivals = arrivals.lock().unwrap().clone();
    assert_eq!(arrivals.len(), clients);
    let mut per_second = vec![0; spread + 60];
    for arrival in arrivals {
        per_second[arrival.duration_since(begun).as_secs() as usize] += 1;
    }
    let busiest = *per_second.iter().max().unwrap();
    assert!(busiest <= 3 * clients / spread, "{per_second:?}");
    second.begin();
    drop(open);
}
