//! Clients come back, and others join.

use futures_util::FutureExt as _;
use http::Method;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_cut_is_delivered_once_by_one_call() {
    for upstream in [Upstream::ours(), Upstream::foreign()] {
        let app = upstream.app(&layer());
        let mut client = Client::get(&app, "").await;
        upstream.send(0, ["1", "2"]);
        let seen = client.event().await;
        assert_eq!(seen.data, "1");
        drop(client);

        upstream.send(0, ["3", "4"]);
        settle().await;
        let mut client = Client::get(&app, &seen.id).await;
        client.expect(["2", "3", "4"]).await;
        upstream.send(0, ["5"]);
        client.expect(["5"]).await;
        upstream.end(0);
        client.ends().await;
        assert_eq!(upstream.calls(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_tab_follows_from_the_beginning() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer());
    let mut first = Client::get(&app, "").await;
    upstream.send(0, ["1", "2"]);
    first.expect(["1", "2"]).await;

    let mut second = Client::get(&app, "").await;
    second.expect(["1", "2"]).await;
    upstream.send(0, ["3"]);
    first.expect(["3"]).await;
    second.expect(["3"]).await;
    assert_eq!(upstream.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_are_not_replayed() {
    let upstream = Upstream::foreign();
    let app = upstream.app(&layer());
    let first = Client::get(&app, "").await;
    upstream.send(0, ["1"]);
    for _ in 0..3 {
        pass(secs(6)).await;
    }
    upstream.send(0, ["2"]);
    upstream.end(0);
    drop(first);
    settle().await;

    let body = get(&app, "").await.into_body().collect().await.unwrap();
    let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    let (epoch, _) = text[4..].split_once('.').unwrap();
    let expected = format!("id: {epoch}.1\ndata: 1\n\nid: {epoch}.2\ndata: 2\n\n");
    assert_eq!(text, expected);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_principal_has_a_run_of_its_own() {
    let upstream = Upstream::ours();
    let app = upstream.app(&layer());
    let mut ada = Client::get(&app, "").await;
    upstream.send(0, ["for ada"]);
    let seen = ada.event().await;

    let mut bob = Client::of(call(&app, Method::GET, "/run", &[BOB]).await);
    upstream.send(1, ["for bob"]);
    bob.expect(["for bob"]).await;
    assert_eq!(upstream.calls(), 2);

    // With an id of hers, he is told of a gap, not of what comes after.
    let headers = [BOB, ("last-event-id", &*seen.id)];
    let stolen = call(&app, Method::GET, "/run", &headers).await;
    assert_eq!(stolen.status(), 410);
}

#[tokio::test(start_paused = true)]
async fn cookies_are_for_the_first_client_alone() {
    for upstream in [Upstream::ours(), Upstream::foreign()] {
        let app = upstream.app(&layer());
        let first = get(&app, "").await;
        let second = get(&app, "").await;
        assert_eq!(first.headers()["set-cookie"], "session=1");
        assert!(!second.headers().contains_key("set-cookie"));
        for response in [first, second] {
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            let cache = "no-cache, no-store, no-transform";
            assert_eq!(response.headers()["cache-control"], cache);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_ids_of_the_handler_are_replaced() {
    let handler = || async {
        let events = ["a", "b"].map(|data| Event::named("n").id("own").retry(secs(1)).data(data));
        Sse::new(futures_util::stream::iter(events))
    };
    let app = Router::new().route("/run", any(handler)).layer(layer());
    let body = get(&app, "").await.into_body().collect().await.unwrap();
    let text = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    assert!(!text.contains("own"));
    assert_eq!(text.matches("\nretry: 1000\n").count(), 2);
    assert_eq!(text.matches(".2\n").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_at_any_point_leaves_a_run_to_the_others() {
    for method in [Method::GET, Method::POST] {
        for polls in 0..10 {
            let upstream = Upstream::ours();
            let this = upstream.clone();
            let handler = move || {
                let this = this.clone();
                async move {
                    for _ in 0..3 {
                        tokio::task::yield_now().await;
                    }
                    this.respond()
                }
            };
            let app = Router::new().route("/run", any(handler));
            let app = app.layer(layer().replace_running());
            let ask = || call(&app, method.clone(), "/run", &[ADA]);
            let (mut leaves, mut stays) = (Box::pin(ask().fuse()), Box::pin(ask()));
            let mut answered = None;
            for _ in 0..polls {
                drop((&mut leaves).now_or_never());
                answered = (&mut stays).now_or_never();
                if answered.is_some() {
                    break;
                }
            }
            drop(leaves);
            let mut client = Client::of(match answered {
                Some(response) => response,
                None => stays.await,
            });
            let newest = upstream.calls() - 1;
            upstream.send(newest, ["x"]);
            client.expect(["x"]).await;
            // And whoever comes then finds it.
            Client::get(&app, "").await.expect(["x"]).await;
            assert_eq!(upstream.calls(), newest + 1, "{method}, {polls} polls");
        }
    }
}
