//! Properties of the codec, on random input.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use sse_core::{Decoder, Event, EventBuffer, Limits, RetryDelay};
use sse_tower_tests::{Dispatched, Seen, cut, read, with_lf};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn decoding_does_not_depend_on_how_bytes_are_split(
        bytes in any_length(), cuts in cuts(), limits in limits(),
    ) {
        let decoder = || Decoder::new().with_limits(limits);
        let whole = read(&mut decoder(), [&bytes[..]]);
        prop_assert_eq!(&read(&mut decoder(), cut_at(&bytes, &cuts)), &whole);
        prop_assert_eq!(&read(&mut decoder(), bytes.chunks(1)), &whole);
    }

    #[test]
    fn decoding_agrees_with_the_standard(bytes in any_length(), cuts in cuts()) {
        let seen = read(&mut Decoder::new(), cut_at(&bytes, &cuts));
        prop_assert_eq!(seen, standard::read(&bytes));
    }

    #[test]
    fn events_are_out_as_soon_as_they_are_complete(bytes in stream()) {
        let mut decoder = Decoder::new();
        let mut out = 0;
        for end in 1..=bytes.len() {
            out += read(&mut decoder, [&bytes[end - 1..end]]).events.len();
            prop_assert_eq!(out, standard::read(&bytes[..end]).events.len(), "after {} bytes", end);
        }
    }

    #[test]
    fn what_was_encoded_reads_the_same(events in prop::collection::vec(fields(), 0..5), cuts in cuts()) {
        let mut buffer = EventBuffer::new();
        let mut want = Seen::default();
        for fields in &events {
            buffer.write(&fields.event()).unwrap();
            fields.dispatch(&mut want);
        }
        let seen = read(&mut Decoder::new(), cut_at(buffer.as_bytes(), &cuts));
        prop_assert_eq!(seen, want);
    }

    #[test]
    fn encoded_output_ends_at_an_event_boundary(fields in any_fields()) {
        let mut buffer = EventBuffer::new();
        let written = buffer.write(&fields.event());
        prop_assert!(written.is_ok() || buffer.is_empty());

        let bytes = [b"data: before\n\n", buffer.as_bytes(), b"data: after\n\n"].concat();
        let seen = read(&mut Decoder::new(), [&bytes[..]]);
        let data: Vec<_> = seen.events.iter().map(|event| &*event.data).collect();
        let own = written.is_ok_and(|written| written.data).then(|| with_lf(fields.data.as_deref().unwrap_or("")));
        let want: Vec<_> = ["before"].into_iter().chain(own.as_deref()).chain(["after"]).collect();
        prop_assert_eq!(data, want);
    }

    #[test]
    fn no_input_panics(bytes in any::<Vec<u8>>(), cuts in cuts(), limits in limits()) {
        let mut decoder = Decoder::new().with_limits(limits);
        read(&mut decoder, cut_at(&bytes, &cuts));
        decoder.reconnect();
        read(&mut decoder, cut_at(&bytes, &cuts));
    }
}

/// A soup of the pieces that matter.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: &[&[u8]] = &[
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\r",
        b"\n\r",
        b":",
        b" ",
        b"data",
        b"data:",
        b"data: x",
        b"data: x\n\n",
        b"event",
        b"event: e",
        b"event:\n",
        b"id",
        b"id: 1",
        b"id: 2\n",
        b"retry",
        b"retry: ",
        b"5",
        b"007",
        b"99999999999999999999",
        b"x",
        b"Data",
        b": c",
        b"\0",
        b"\t",
        b"\xEF\xBB\xBF",
        b"\xEF",
        b"\xBB",
        b"\xBF",
        b"\xFF",
        b"\xC3\xA9",
        b"\xE2\x80\xA8",
        b"\xF0\x9F\x98",
    ];
    let start = prop_oneof![Just(&b""[..]), Just(&b"\xEF\xBB\xBF"[..])];
    let pieces = prop::collection::vec(select(PIECES), 0..40);
    (start, pieces).prop_map(|(start, pieces)| [start, &pieces.concat()].concat())
}

/// The same with lines of any length.
fn any_length() -> impl Strategy<Value = Vec<u8>> {
    let long = ("[x豆]{900,2000}", stream()).prop_map(|(x, end)| [x.as_bytes(), &end].concat());
    let long = prop::collection::vec(prop_oneof![long, stream()], 0..4);
    prop_oneof![3 => stream(), 1 => long.prop_map(|pieces| pieces.concat())]
}

fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 0..12)
}

fn cut_at<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut offsets: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    offsets.sort_unstable();
    cut(bytes, &offsets)
}

fn limits() -> impl Strategy<Value = Limits> {
    let size = || prop_oneof![Just(usize::MAX), 0..4usize, 0..24usize, 1000..9000usize];
    (size(), size()).prop_map(|(line, event)| Limits::none().with_line(line).with_event(event))
}

#[derive(Clone, Debug)]
struct Fields {
    comment: Option<String>,
    name: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
    data: Option<String>,
}

impl Fields {
    fn event(&self) -> Event {
        let mut event = self.name.clone().map_or_else(Event::new, Event::named);
        if let Some(text) = &self.comment {
            event = event.comment(text.clone());
        }
        if let Some(id) = &self.id {
            event = event.id(id);
        }
        if let Some(millis) = self.retry {
            event = event.retry(RetryDelay::from_millis(millis));
        }
        if let Some(text) = &self.data {
            event = event.data(text.clone());
        }
        event
    }

    /// What these fields mean to a client that has seen `seen`.
    fn dispatch(&self, seen: &mut Seen) {
        if let Some(id) = &self.id {
            seen.last_event_id.clone_from(id);
        }
        seen.retry = self.retry.map(u128::from).or(seen.retry);
        if self.name.is_some() || self.data.is_some() {
            seen.events.push(Dispatched {
                event: self.name.clone().unwrap_or("message".into()),
                data: with_lf(self.data.as_deref().unwrap_or("")),
                id: seen.last_event_id.clone(),
            });
        }
    }
}

/// Fields that have to be accepted.
fn fields() -> impl Strategy<Value = Fields> {
    fields_of("[^\r\n]{1,6}".boxed(), "[^\r\n\0]{0,6}".boxed())
}

/// Fields of which some have to be refused.
fn any_fields() -> impl Strategy<Value = Fields> {
    fields_of(text().boxed(), text().boxed())
}

fn fields_of(
    name: BoxedStrategy<String>,
    id: BoxedStrategy<String>,
) -> impl Strategy<Value = Fields> {
    use prop::option::of;
    (of(text()), of(name), of(id), of(any::<u64>()), of(text())).prop_map(
        |(comment, name, id, retry, data)| Fields {
            comment,
            name,
            id,
            retry,
            data,
        },
    )
}

/// Text that tries to be more than one field.
fn text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\n", "\r", "\r\n", "\n\n", "\0", "\u{feff}", "\u{2028}", " ", ":", "data: ", "event: ",
        "id: 9", "retry: 1", "a", "豆",
    ];
    prop::collection::vec(select(PIECES), 0..8).prop_map(|pieces| pieces.concat())
}

/// The algorithm as the standard tells it (HTML §9.2.6), a character at a time.
mod standard {
    use super::*;

    #[derive(Default)]
    struct Client {
        data: String,
        event_type: String,
        last_event_id_buffer: String,
        seen: Seen,
    }

    pub(crate) fn read(bytes: &[u8]) -> Seen {
        let text = String::from_utf8_lossy(bytes);
        let mut chars = text
            .strip_prefix('\u{feff}')
            .unwrap_or(&text)
            .chars()
            .peekable();
        let mut client = Client::default();
        let mut line = String::new();
        while let Some(char) = chars.next() {
            match char {
                '\r' | '\n' => {
                    if char == '\r' {
                        chars.next_if_eq(&'\n');
                    }
                    client.line(&std::mem::take(&mut line));
                }
                char => line.push(char),
            }
        }
        client.seen
    }

    impl Client {
        fn line(&mut self, line: &str) {
            match line.find(':') {
                _ if line.is_empty() => self.dispatch(),
                Some(0) => {}
                Some(colon) => {
                    let value = &line[colon + 1..];
                    self.field(&line[..colon], value.strip_prefix(' ').unwrap_or(value));
                }
                None => self.field(line, ""),
            }
        }

        fn field(&mut self, name: &str, value: &str) {
            match name {
                "event" => self.event_type = value.into(),
                "data" => self.data += &format!("{value}\n"),
                "id" if !value.contains('\0') => self.last_event_id_buffer = value.into(),
                "retry" if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) => {
                    let largest = u128::from(u64::MAX);
                    self.seen.retry = Some(value.parse().unwrap_or(largest).min(largest));
                }
                _ => {}
            }
        }

        fn dispatch(&mut self) {
            self.seen
                .last_event_id
                .clone_from(&self.last_event_id_buffer);
            let mut data = std::mem::take(&mut self.data);
            let event_type = std::mem::take(&mut self.event_type);
            if data.pop().is_none() {
                return;
            }
            let unnamed = event_type.is_empty();
            self.seen.events.push(Dispatched {
                event: if unnamed {
                    "message".into()
                } else {
                    event_type
                },
                data,
                id: self.seen.last_event_id.clone(),
            });
        }
    }
}
