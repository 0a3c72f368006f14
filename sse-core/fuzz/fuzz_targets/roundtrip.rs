//! What was encoded reads the same, up to line endings; what was refused left nothing.
//!
//! `cargo fuzz run roundtrip`

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sse_core::{Decoder, Event, EventBuffer, Limits, RetryDelay};

#[derive(Arbitrary, Debug)]
struct Fields {
    comment: Option<String>,
    name: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
    data: Option<String>,
}

fuzz_target!(|input: (Vec<Fields>, u8)| {
    let (events, step) = input;
    let mut buffer = EventBuffer::new();
    let mut written = Vec::new();
    for fields in events {
        let before = buffer.len();
        match buffer.write(&event(&fields)) {
            Ok(_) => written.push(fields),
            Err(_) => assert_eq!(buffer.len(), before),
        }
    }

    let mut decoder = Decoder::new().with_limits(Limits::none());
    let mut dispatched = written
        .iter()
        .filter(|f| f.name.is_some() || f.data.is_some());
    for chunk in buffer.as_bytes().chunks(usize::from(step).max(1)) {
        decoder.push(chunk);
        while let Ok(Some(event)) = decoder.next_event() {
            let want = dispatched.next().expect("no more events than were written");
            assert_eq!(event.name(), want.name.as_deref());
            assert_eq!(event.id(), want.id.as_deref());
            assert_eq!(
                event.retry().map(|d| d.as_millis()),
                want.retry.map(u128::from)
            );
            assert_eq!(
                event.data(),
                with_lf(want.data.as_deref().unwrap_or_default())
            );
        }
    }
    assert!(dispatched.next().is_none(), "every event was read");

    let last_id = written.iter().rev().find_map(|fields| fields.id.as_deref());
    assert_eq!(decoder.last_event_id(), last_id.unwrap_or_default());
    assert_eq!(buffer.last_id(), last_id);
});

fn event(fields: &Fields) -> Event {
    let mut event = fields.name.clone().map_or_else(Event::new, Event::named);
    if let Some(text) = &fields.comment {
        event = event.comment(text.clone());
    }
    if let Some(id) = &fields.id {
        event = event.id(id);
    }
    if let Some(millis) = fields.retry {
        event = event.retry(RetryDelay::from_millis(millis));
    }
    if let Some(text) = &fields.data {
        event = event.data(text.clone());
    }
    event
}

fn with_lf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
