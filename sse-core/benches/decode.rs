//! From chunks to events, against the decoders that others have published.
//!
//! `cargo bench -p sse-tower-core --bench decode`. All run in turns in one process; what counts
//! are the ratios of the medians, and the number of allocations, which does not wobble.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{Stream, stream};
use serde::Deserialize;
use sse_core::{Decoder, FromSseEvent, Limits, RawEvent};

const ROUNDS: usize = 31;

/// How long each runs before it is timed: behind a slow one, whoever is next runs at half its
/// speed for a while.
const WARM_UP: Duration = Duration::from_millis(5);

/// Bytes per round, of which most are read by a decoder that is warm.
const SIZE: usize = 4 << 20;

/// What a TCP segment brings.
const SEGMENT: usize = 1460;

fn main() {
    let token = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\
        \"delta\":{\"type\":\"text_delta\",\"text\":\" token\"}}\n\n";
    let chunk = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\
        \"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\
        \"finish_reason\":null}]}\n\n";
    let tick = |n: usize| format!("id: {n}\ndata: {{\"text\":\" token\"}}\n\n");
    let lines = format!(
        "event: log\n{}\n",
        "data: a line of a log, as it may be\n".repeat(100)
    );
    let large = format!("data: {}\n\n", "x".repeat(64 * 1024));

    if std::env::args().any(|argument| argument == "typed") {
        return typed(filled(token));
    }
    compare("small events with a name", filled(token), SEGMENT);
    compare("small events without one", filled(chunk), SEGMENT);
    let ticks: String = (0..SIZE / 40).map(tick).collect();
    compare("small events with ids", ticks.into(), SEGMENT);
    compare("100 lines of data each", filled(&lines), SEGMENT);
    compare(
        "64 KiB of data each, in chunks of 16 KiB",
        filled(&large),
        16 * 1024,
    );

    println!("by the size of the chunks, in MB/s");
    for len in [1, 16, 64, 256, SEGMENT, 16 * 1024, SIZE] {
        let rate = |text: Bytes| {
            let chunks = cut(&text, len);
            let mut work = || borrowed(&chunks);
            text.len() as f64 / median(&mut [&mut work])[0] / 1e6
        };
        let one_line = format!("data: {}\n\n", "x".repeat(SIZE));
        let (small, one) = (rate(filled(token)), rate(one_line.into()));
        println!("  {len:7} B  small events {small:8.0}  one line of 1 MiB {one:8.0}");
    }
    typed(filled(token));
}

/// `text` over and over.
fn filled(text: &str) -> Bytes {
    text.repeat(SIZE.div_ceil(text.len())).into()
}

fn cut(bytes: &Bytes, len: usize) -> Vec<Bytes> {
    let starts = (0..bytes.len()).step_by(len);
    starts
        .map(|start| bytes.slice(start..bytes.len().min(start + len)))
        .collect()
}

/// Times everybody in turns, and prints how much faster we are.
fn compare(name: &str, bytes: Bytes, len: usize) {
    let chunks = &cut(&bytes, len);
    let counted = [
        borrowed(chunks),
        owned(chunks),
        sseer(chunks),
        sse_core_of_sse_rs(chunks),
        sse_stream(chunks),
        sse_parse(chunks),
        eventsource_stream(chunks),
    ];
    assert!(counted.iter().all(|&sum| sum == counted[0]), "{counted:?}");
    let times = median(&mut [
        &mut || borrowed(chunks),
        &mut || owned(chunks),
        &mut || sseer(chunks),
        &mut || sse_core_of_sse_rs(chunks),
        &mut || sse_stream(chunks),
        &mut || sse_parse(chunks),
        &mut || eventsource_stream(chunks),
    ]);
    let names = [
        "ours, borrowed",
        "ours, owned",
        "sseer",
        "sse-core",
        "sse-stream",
        "sse-parse",
        "eventsource-stream",
    ];
    let fastest = times[2..].iter().copied().fold(f64::INFINITY, f64::min);
    println!("{name}");
    for (name, time) in names.iter().zip(&times) {
        let rate = bytes.len() as f64 / time / 1e6;
        let ratio = fastest / time;
        println!("  {name:20} {rate:8.0} MB/s  {ratio:5.2} times the fastest peer");
    }
}

type Works<'a, 'w> = &'a mut [&'w mut dyn FnMut() -> usize];

/// The medians of the times that each takes, in seconds.
fn median(works: Works<'_, '_>) -> Vec<f64> {
    let middle = |times: Vec<f64>| times[ROUNDS / 2];
    sorted(works).into_iter().map(middle).collect()
}

/// The shortest of the times, which wobbles least, in seconds.
fn fastest(works: Works<'_, '_>) -> Vec<f64> {
    let first = |times: Vec<f64>| times[0];
    sorted(works).into_iter().map(first).collect()
}

/// The times that each takes.
fn sorted(works: Works<'_, '_>) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(ROUNDS); works.len()];
    for _ in 0..ROUNDS {
        for (work, times) in works.iter_mut().zip(&mut times) {
            let before = Instant::now();
            while before.elapsed() < WARM_UP {
                black_box(work());
            }
            let start = Instant::now();
            black_box(work());
            times.push(start.elapsed().as_secs_f64());
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    times
}

/// Calls `each` for every event.
fn decode(chunks: &[Bytes], mut each: impl FnMut(RawEvent<'_>)) {
    let mut decoder = Decoder::new().with_limits(Limits::none());
    for chunk in chunks {
        decoder.push(chunk);
        while let Some(event) = decoder.next_event().expect("no limits") {
            each(event);
        }
    }
}

/// The newest events stay for a while, as in a channel: freed at once, an event of 64 KiB goes
/// back to the system and comes anew as pages of zeros, which is all that would be measured.
struct Kept<T>(VecDeque<T>);

impl<T> Kept<T> {
    fn new() -> Self {
        Self(VecDeque::with_capacity(8))
    }

    fn keep(&mut self, event: T) {
        if self.0.len() == 8 {
            self.0.pop_front();
        }
        self.0.push_back(black_box(event));
    }
}

/// The bytes of data, so that nobody can leave an event out.
fn borrowed(chunks: &[Bytes]) -> usize {
    let mut sum = 0;
    decode(chunks, |event| {
        sum += black_box(event).data().len();
    });
    sum
}

fn owned(chunks: &[Bytes]) -> usize {
    let (mut sum, mut kept) = (0, Kept::new());
    decode(chunks, |event| {
        sum += event.data().len();
        kept.keep(event.into_owned());
    });
    sum
}

/// Reads a stream of chunks that is always ready to its end.
fn drain<T>(chunks: &[Bytes], events: impl FnOnce(Chunks) -> T, len: fn(&T::Item) -> usize) -> usize
where
    T: Stream,
{
    let chunks: Vec<_> = chunks.iter().cloned().map(Ok).collect();
    let mut events = pin!(events(stream::iter(chunks)));
    let mut cx = Context::from_waker(Waker::noop());
    let (mut sum, mut kept) = (0, Kept::new());
    while let Poll::Ready(Some(event)) = events.as_mut().poll_next(&mut cx) {
        sum += len(&event);
        kept.keep(event);
    }
    sum
}

type Chunks = stream::Iter<std::vec::IntoIter<Result<Bytes, Infallible>>>;

fn sseer(chunks: &[Bytes]) -> usize {
    drain(chunks, sseer::event_stream::EventStream::new, |event| {
        event.as_ref().expect("an event").data.len()
    })
}

fn sse_stream(chunks: &[Bytes]) -> usize {
    drain(chunks, sse_stream::SseByteStream::new, |event| {
        let event = event.as_ref().expect("an event");
        event.data.as_ref().map_or(0, String::len)
    })
}

fn eventsource_stream(chunks: &[Bytes]) -> usize {
    drain(
        chunks,
        |chunks| chunks.eventsource(),
        |event| event.as_ref().expect("an event").data.len(),
    )
}

fn sse_core_of_sse_rs(chunks: &[Bytes]) -> usize {
    let mut decoder = sse_core_of_sse_rs::SseDecoder::new();
    let (mut sum, mut kept) = (0, Kept::new());
    for chunk in chunks {
        let mut chunk = chunk.clone();
        while let Some(event) = decoder.next(&mut chunk) {
            if let sse_core_of_sse_rs::SseEvent::Message(event) = event.expect("small") {
                sum += event.data.len();
                kept.keep(event);
            }
        }
    }
    sum
}

fn sse_parse(chunks: &[Bytes]) -> usize {
    let mut parser = sse_parse::SseParser::new();
    let (mut sum, mut kept) = (0, Kept::new());
    for chunk in chunks {
        parser.feed(chunk);
        while let Some(event) = parser.next_event() {
            sum += event.data.len();
            kept.keep(event);
        }
    }
    sum
}

#[derive(FromSseEvent)]
enum Typed {
    ContentBlockDelta { index: u32, delta: Delta },
}

#[derive(Deserialize)]
struct Payload {
    index: u32,
    delta: Delta,
}

#[derive(Deserialize)]
struct Delta {
    text: String,
}

/// What a typed event costs beside one that is read by hand: a look at its name, and what serde
/// makes of its data. `-- typed` compares these alone.
fn typed(bytes: Bytes) {
    // So few that one of the rounds is not interrupted.
    let chunks = &cut(&bytes.slice(..SIZE / 16), SEGMENT);
    let mut events = 0;
    decode(chunks, |_| events += 1);
    let times = fastest(&mut [
        &mut || borrowed(chunks),
        &mut || by_hand(chunks),
        &mut || derived(chunks),
    ]);
    let per_event = times.iter().map(|time| time * 1e9 / f64::from(events));
    let [raw, by_hand, derived] = per_event.collect::<Vec<_>>()[..] else {
        unreachable!("three times");
    };
    println!(
        "typed events\n  raw {raw:.0} ns, with serde_json by hand {by_hand:.0} ns, derived \
         {derived:.0} ns, which is {:.2} of that",
        derived / by_hand,
    );
}

/// Calls `each` for every event, where it is.
fn look(chunks: &[Bytes], mut each: impl FnMut(&RawEvent<'_>)) {
    let mut decoder = Decoder::new().with_limits(Limits::none());
    for chunk in chunks {
        decoder.push(chunk);
        while let Ok(Some(event)) = &decoder.next_event() {
            each(event);
        }
    }
}

/// Not inlined, like the next, so that a profiler can tell them apart.
#[inline(never)]
fn by_hand(chunks: &[Bytes]) -> usize {
    let mut sum = 0;
    look(chunks, |event| {
        assert_eq!(event.event(), "content_block_delta");
        let Payload { index, delta } = serde_json::from_str(event.data()).expect("it parses");
        sum += delta.text.len() + index as usize;
    });
    sum
}

#[inline(never)]
fn derived(chunks: &[Bytes]) -> usize {
    let mut sum = 0;
    look(chunks, |event| {
        let Typed::ContentBlockDelta { index, delta } =
            Typed::from_event(event).expect("it parses");
        sum += delta.text.len() + index as usize;
    });
    sum
}
