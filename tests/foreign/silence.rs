//! Comments in the silence of others.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_hint_without_an_event_keeps_nothing_waiting() {
    let layer = ending_layer();
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    sender.send("retry: 2000\n").unwrap();
    assert_eq!(reader.frame().await, "retry: 2000\n");
    assert_eq!(reader.frame().await, ":\n", "silent");
    layer.end_streams();
    assert_eq!(reader.rest().await, AWAY);
}

#[tokio::test(start_paused = true)]
async fn an_event_starts_the_silence_anew() {
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&SseLayer::new(), response).await);
    assert_eq!(reader.frame().await, ":\n");
    assert!(
        time::timeout(Duration::from_secs(10), reader.frame())
            .await
            .is_err()
    );
    sender.send("data: a\n\n").unwrap();
    assert_eq!(reader.frame().await, "data: a\n\n");
    let start = Instant::now();
    assert_eq!(reader.frame().await, ":\n");
    assert!(start.elapsed() > Duration::from_secs(13));
}

#[tokio::test(start_paused = true)]
async fn a_comment_never_stands_inside_an_event() {
    let layer = SseLayer::new().keep_alive(KeepAlive::every(Duration::from_secs(1)));
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    assert_eq!(reader.frame().now_or_never().expect("at once"), ":\n");
    assert_eq!(reader.frame().await, ":\n");

    sender.send("data: half").unwrap();
    assert_eq!(reader.frame().await, "data: half");
    assert!(
        time::timeout(Duration::from_secs(60), reader.frame())
            .await
            .is_err()
    );
    sender.send(" and half\n").unwrap();
    assert_eq!(reader.frame().await, " and half\n");
    assert!(
        time::timeout(Duration::from_secs(60), reader.frame())
            .await
            .is_err()
    );
    sender.send("\n").unwrap();
    assert_eq!(reader.frame().await, "\n");
    assert_eq!(reader.frame().await, ":\n");
}

#[tokio::test(start_paused = true)]
async fn a_comment_follows_an_event_however_it_is_cut() {
    let stream = "event: x\r\ndata: a\rid: 7\ndata: b\n\n";
    for observed in [false, true] {
        for cut in 1..stream.len() {
            let mut layer = SseLayer::new();
            if observed {
                layer = layer.observe(|_: &Closed| ());
            }
            let (sender, response) = channel();
            let mut reader = Reader::of(through(&layer, response).await);
            for part in [&stream[..cut], &stream[cut..]] {
                sender.send(part).unwrap();
                assert_eq!(reader.frame().await, part);
            }
            let silent = time::timeout(Duration::from_secs(30), reader.frame());
            assert_eq!(silent.await.expect("a keep-alive"), ":\n", "cut at {cut}");
        }
    }
}
