//! What an append and a delivery cost.
//!
//! `cargo bench -p sse-tower-core --bench log`. Medians; what counts are the ratios between
//! the lines, since all of them run in one process.

use std::hint::black_box;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use sse_core::log::{Batch, Log, Read, Reader};
use sse_core::{EncodeError, EventWriter, Retention, SseEvent};

const ROUNDS: usize = 101;

/// 65 bytes on the wire, like a token of a language model.
struct Token;

impl SseEvent for Token {
    fn event_name(&self) -> Option<&str> {
        Some("token")
    }

    fn encode(&self, w: &mut EventWriter) -> Result<(), EncodeError> {
        w.event("token")?;
        w.data("{\"index\":0,\"text\":\"Hello, you\"}");
        Ok(())
    }
}

fn main() {
    let now = Instant::now();
    let mut batch = Batch::new();
    batch.push(&Token).expect("it is an event");

    println!("append, per event");
    let log = Log::new(7, Retention::default());
    report("  encode and append", 1000, || {
        for _ in 0..1000 {
            black_box(log.append(&Token, now).expect("open"));
        }
    });
    report("  append a batch of one", 1000, || {
        append(&log, &batch, 1000, now)
    });
    let mut hundred = Batch::new();
    for _ in 0..100 {
        hundred.push(&Token).expect("it is an event");
    }
    report("  append batches of 100", 1000, || {
        append(&log, &hundred, 10, now)
    });
    for stalled in [1, 10_000] {
        let _readers: Vec<Reader> = (0..stalled).map(|_| log.reader()).collect();
        report(&format!("  append, {stalled} stalled"), 1000, || {
            append(&log, &batch, 1000, now);
        });
    }

    println!("append, wake and read, per delivery");
    for (readers, stalled, burst) in [
        (1, 0, 1),
        (100, 0, 1),
        (1000, 0, 1),
        (1000, 10_000, 1),
        (10_000, 0, 1),
        (10_000, 0, 100),
    ] {
        let log = Log::new(7, Retention::default());
        let mut readers: Vec<Reader> = (0..readers).map(|_| log.reader()).collect();
        let _stalled: Vec<Reader> = (0..stalled).map(|_| log.reader()).collect();
        let name = format!(
            "  {} readers, {stalled} stalled, bursts of {burst}",
            readers.len()
        );
        report(&name, readers.len() * burst, || {
            append(&log, &batch, burst, now);
            for reader in &mut readers {
                while let Some(read) = poll(reader) {
                    black_box(read);
                }
            }
        });
    }

    println!("read what is kept, per event");
    let log = Log::new(7, Retention::default());
    append(&log, &batch, 4096, now);
    report("  4096 events of 65 bytes", 4096, || {
        let mut reader = log.reader_from_start();
        let mut events = 0;
        while let Some(Read::Block(block)) = reader.next_ready() {
            events += block.events();
        }
        assert_eq!(events, 4096);
    });
}

fn append(log: &Log, batch: &Batch, times: usize, now: Instant) {
    for _ in 0..times {
        black_box(log.append_batch(batch, now).expect("open"));
    }
}

fn poll(reader: &mut Reader) -> Option<Read> {
    match reader.poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(read) => Some(read),
        Poll::Pending => None,
    }
}

fn report(name: &str, operations: usize, mut work: impl FnMut()) {
    work();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_nanos() as f64 / operations as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{name:<50} {:8.1} ns", times[ROUNDS / 2]);
}
