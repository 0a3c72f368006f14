//! What goes out does not depend on the pieces in which it came.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

proptest! {
    #[test]
    fn what_goes_out_does_not_depend_on_how_it_came_in(
        pieces in prop::collection::vec(piece(), 0..25),
        cuts in prop::collection::vec(any::<Index>(), 0..12),
        hint in any::<bool>(),
        ids in any::<bool>(),
    ) {
        let stream = pieces.concat();
        let mut layer = SseLayer::new();
        if hint {
            layer = layer.retry(Retry::fixed(Duration::from_secs(2)));
        }
        if ids {
            layer = layer.ids(Ids::sequence());
        }
        let mut offsets: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        offsets.sort_unstable();
        let parts = cut(stream.as_bytes(), &offsets);
        let parts = parts.iter().map(|part| str::from_utf8(part).unwrap()).collect();
        let whole = sent(&layer, vec![&stream]);
        prop_assert_eq!(&sent(&layer, parts), &whole);
        if !hint && !ids {
            prop_assert_eq!(whole, stream);
        }
    }
}

/// Pieces of a stream; the layer looks at lines in other ways as they grow.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\r\n\r\n",
        "data",
        "data: x",
        "data: x\n\n",
        "event: token\n",
        "id: 5\n",
        "retry: 5",
        ": c",
        "\t",
    ];
    prop_oneof![
        9 => select(PIECES).prop_map(String::from),
        1 => (0..1600usize).prop_map(|len| "x".repeat(len)),
    ]
}

#[test]
fn with_nothing_to_add_bytes_stay_as_they_are() {
    for stream in ["", "data: a\n\n", ": x\r\ndata: a\r\r", "data: unfinished"] {
        check(&SseLayer::new(), stream, stream);
    }
}

#[test]
fn the_hint_is_the_first_line() {
    let layer = SseLayer::new().retry(Retry::fixed(Duration::from_secs(2)));
    check(&layer, "data: a\n\n", "retry: 2000\ndata: a\n\n");
    check(&layer, "\u{feff}data: a\n\n", "retry: 2000\ndata: a\n\n");
    check(&layer, "", "retry: 2000\n\n");
    check(&layer, ": nothing\n", "retry: 2000\n: nothing\n\n");
    // It is never alone in its block, because some clients drop such a block.
    check(
        &layer,
        ": a prelude\n\n\ndata: a\n\n\n",
        "retry: 2000\n: a prelude\ndata: a\n\n\n",
    );
    check(
        &layer,
        "\r\n: a prelude\r\n\r\n\rdata: a\r\n\r\n",
        "retry: 2000\n: a prelude\r\ndata: a\r\n\r\n",
    );
    check(&layer, "id: 1\n\n", "retry: 2000\nid: 1\n\n");
    check(&layer, "data: unfinished", "retry: 2000\ndata: unfinished");
}

#[test]
fn a_byte_order_mark_counts_at_the_start_only() {
    check(
        &SseLayer::new(),
        "\u{feff}data: \u{feff}a\n\n",
        "data: \u{feff}a\n\n",
    );
}

#[tokio::test]
async fn a_byte_order_mark_may_be_split_and_half_a_mark_is_none() {
    let layer = SseLayer::new();
    let mark = [&b"\xEF"[..], b"\xBB", b"\xBFdata: a\n\n"];
    let half = [&b"\xEF"[..], b"\xBB", b"data: a\n\n"];
    let ids = [&b"\xEF"[..], b"\xBB", b"data: a\n\ndata: b\n\n"];
    let end = [&b"\xEF"[..], b"\xBB"];
    let with_ids = layer.clone().ids(Ids::sequence());
    for (layer, parts, expected) in [
        (&layer, &mark[..], &b"data: a\n\n"[..]),
        (&layer, &half, b"\xEF\xBBdata: a\n\n"),
        // Its first line is no field that we know.
        (&with_ids, &ids, b"\xEF\xBBdata: a\n\ndata: b\nid: 1\n\n"),
        (&layer, &end, b"\xEF\xBB"),
    ] {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok::<_, Infallible>(Bytes::copy_from_slice(part)))
            .collect();
        let response = through(layer, event_stream(Body::from_stream(stream::iter(parts)))).await;
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            expected
        );
    }
}
