//! What reading an event costs.

use sse_core::{Decoder, RawEvent};

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

fn next(decoder: &mut Decoder) -> RawEvent<'_> {
    decoder.next_event().unwrap().expect("it is complete")
}

#[test]
fn an_event_takes_no_allocation_and_one_that_is_kept_takes_one() {
    const TOKEN: &str = "event: token\nid: 7\ndata: {\"text\":\"a\"}\n\n";
    let mut decoder = Decoder::new();
    decoder.push(TOKEN.repeat(2));
    next(&mut decoder);
    next(&mut decoder);
    let borrowed = allocations(|| {
        decoder.push(TOKEN);
        assert_eq!(next(&mut decoder).id(), Some("7"));
    });
    decoder.push(TOKEN);
    let owned = allocations(|| {
        let event = next(&mut decoder).into_owned();
        assert_eq!((event.event(), event.id()), ("token", Some("7")));
    });
    assert_eq!((borrowed, owned), (0, 1));
}

#[test]
fn a_large_payload_is_not_copied_again() {
    let value = "x".repeat(100_000);
    let one_line = format!("data: {value}\n\n");
    let lines = format!("data: {value}\ndata: {value}\n\n");
    for (text, len) in [(one_line, 100_000), (lines, 200_001)] {
        let mut decoder = Decoder::new();
        for chunk in text.as_bytes().chunks(1460) {
            assert_eq!(decoder.next_event(), Ok(None));
            decoder.push(chunk);
        }
        let event = next(&mut decoder);
        let mut kept = None;
        assert_eq!(allocations(|| kept = Some(event.into_owned())), 0);
        assert_eq!(kept.map(|event| event.data().len()), Some(len));
    }
}

#[test]
fn a_buffer_that_is_mostly_empty_is_not_given_away() {
    let mut decoder = Decoder::new();
    decoder.push(format!("data: {}\ndata\n\n", "x".repeat(100_000)));
    next(&mut decoder);
    decoder.push(format!("data: {}\ndata\n\n", "x".repeat(10_000)));
    let event = next(&mut decoder);
    let taken = allocation_counter::measure(|| drop(event.into_owned()));
    assert_eq!((taken.count_total, taken.bytes_total), (1, 10_001));
}
