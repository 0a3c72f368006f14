//! The last id, as its observers are told.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_last_id_is_known_when_the_next_event_is_cut_off() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let layer = ending_layer().observe(move |closed: &Closed| sender.send(closed.clone()).unwrap());
    let (sender, response) = channel();
    let mut reader = Reader::of(through(&layer, response).await);
    sender.send("id: 7\ndata: half").unwrap();
    assert_eq!(reader.frame().await, "id: 7\ndata: half");
    layer.end_streams();
    sender.send("\n\nid: 8\ndata: next").unwrap();
    assert_eq!(reader.rest().await, format!("\n\n{AWAY}"));
    let closed = told.recv().await.unwrap();
    assert_eq!(closed.last_id.unwrap().as_str(), "7");
}

#[tokio::test]
async fn the_last_id_is_one_that_clients_take() {
    let kept = "x".repeat(8 * 1024);
    for space in ["", " "] {
        for (id, expected) in [
            // Clients ignore it.
            ("a\0b", "1"),
            ("\0", "1"),
            (&kept[..], &kept[..]),
            // No request could carry it.
            (&format!("{kept}x"), ""),
            (&format!("{kept}xx\0"), ""),
        ] {
            let stream = format!("id: 1\ndata: a\n\nid:{space}{id}\ndata: b\n\n");
            let from = stream.find("id:").unwrap() + 15;
            let middle = stream.len() / 2;
            for cut in (from..from + 12)
                .chain(middle..middle + 3)
                .chain(stream.len() - 14..=stream.len())
            {
                let cut = cut.min(stream.len());
                let (sender, mut told) = mpsc::unbounded_channel();
                let tell = move |closed: &Closed| sender.send(closed.clone()).unwrap();
                let parts = chunks([&stream[..cut], &stream[cut..]]);
                Reader::of(through(&SseLayer::new().observe(tell), parts).await)
                    .rest()
                    .await;
                let last_id = told.recv().await.unwrap().last_id;
                let last_id = last_id.as_ref().map_or("", |id| id.as_str());
                assert!(
                    last_id == expected,
                    "cut at {cut}: {} bytes for {}",
                    last_id.len(),
                    id.len()
                );
            }
        }
    }
}

#[test]
fn an_id_that_clients_ignore_is_none() {
    let layer = SseLayer::new().ids(Ids::sequence());
    check(
        &layer,
        "id: a\0b\ndata: a\n\nid: c\nid: \0\ndata: b\n\n",
        "id: a\0b\ndata: a\nid: 1\n\nid: c\nid: \0\ndata: b\n\n",
    );
}

#[tokio::test]
async fn the_last_id_of_a_stream_is_known_however_it_is_cut() {
    let stream = "id: 1\ndata: a\n\nid:two\r\ndata: b\r\n\r\nid\rdata: c\r\rid: drei\n\nid: 4\n";
    let ends = [
        ("data: a\n\n", "1"),
        ("data: b\r\n\r\n", "two"),
        ("data: c\r\r", ""),
        ("drei\n\n", "drei"),
        ("4\n", "drei"),
    ];
    for (end, expected) in ends {
        let len = stream.find(end).unwrap() + end.len();
        for cut in 0..=len {
            let (sender, mut told) = mpsc::unbounded_channel();
            let tell = move |closed: &Closed| sender.send(closed.clone()).unwrap();
            let parts = chunks([&stream[..cut], &stream[cut..len]]);
            Reader::of(through(&SseLayer::new().observe(tell), parts).await)
                .rest()
                .await;
            let last_id = told.recv().await.unwrap().last_id;
            let last_id = last_id.as_ref().map_or("", |id| id.as_str());
            assert_eq!(last_id, expected, "cut at {cut} of {:?}", &stream[..len]);
        }
    }
}
