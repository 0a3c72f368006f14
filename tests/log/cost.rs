//! What an append and a delivery cost, in allocations and memory, which do not wobble.

use std::task::{Context, Poll, Waker};
use std::time::Instant;

use allocation_counter::{AllocationInfo, measure};
use sse_core::log::{Batch, Log, Read, Reader};
use sse_core::{Bytes, Retention};

use crate::{all, append, latest, log, never};

fn poll(reader: &mut Reader) -> Option<Bytes> {
    match reader.poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Read::Block(block)) => Some(block.bytes().clone()),
        Poll::Ready(other) => panic!("{other:?}"),
        Poll::Pending => None,
    }
}

/// Appends two events with `readers` waiting, each of which then reads.
fn round(log: &Log, batch: &Batch, readers: &mut [Reader], now: Instant) -> [AllocationInfo; 3] {
    for reader in readers.iter_mut() {
        assert!(poll(reader).is_none());
    }
    let publish = measure(|| {
        log.append_batch(batch, now).unwrap();
        log.append_batch(batch, now).unwrap();
    });
    let mut blocks = Vec::with_capacity(readers.len());
    let (first, others) = readers.split_at_mut(1);
    let first = measure(|| blocks.push(poll(&mut first[0]).unwrap()));
    let others = measure(|| blocks.extend(others.iter_mut().map(|r| poll(r).unwrap())));
    assert!(
        blocks
            .iter()
            .all(|block| block.as_ptr() == blocks[0].as_ptr()),
        "shared, not copied"
    );
    [publish, first, others]
}

#[test]
fn an_append_costs_the_same_whatever_the_number_of_readers() {
    let now = Instant::now();
    let mut batch = Batch::new();
    batch.push(&all("Hello")).unwrap();
    let cost = |count: usize, stalled: usize| {
        let log = log();
        let mut readers: Vec<Reader> = (0..count).map(|_| log.reader()).collect();
        let _stalled: Vec<Reader> = (0..stalled).map(|_| log.reader()).collect();
        let mut costs = Vec::new();
        for _ in 0..40 {
            costs.push(round(&log, &batch, &mut readers, now).map(|info| info.count_total));
        }
        costs
    };
    let one = cost(1, 0);
    assert_eq!(cost(1, 1000), one, "stalled readers cost nothing");
    let many = cost(1000, 0);
    for (one, many) in one.iter().zip(&many) {
        // The lists of wakers grow twice; after that they are used in turns.
        assert_eq!(one[0], many[0], "appends");
        assert_eq!(
            one[1], many[1],
            "the first reader, which makes the shared block and its id"
        );
        assert_eq!(many[2], 0, "999 more readers");
    }
    let total = |costs: &[[u64; 3]]| costs.iter().map(|cost| cost[0] + cost[1]).sum::<u64>();
    // The text and the shared form of an id for each block; buffers and lists now and then.
    assert!(total(&one) <= 40 * 2 + 30, "{}", total(&one));
}

#[test]
fn waiting_allocates_nothing_once_the_lists_have_grown() {
    let log = log();
    let mut readers: Vec<Reader> = (0..100).map(|_| log.reader()).collect();
    let mut batch = Batch::new();
    batch.push(&never("x")).unwrap();
    for turn in 0..10 {
        let waiting = measure(|| {
            for reader in &mut readers {
                assert!(poll(reader).is_none());
            }
        });
        assert!(
            turn < 2 || waiting.count_total == 0,
            "{turn}: {}",
            waiting.count_total
        );
        log.append_batch(&batch, Instant::now()).unwrap();
        readers
            .iter_mut()
            .for_each(|reader| drop(poll(reader).unwrap()));
    }
}

#[test]
fn bytes_are_copied_a_few_times_whether_they_are_read_or_not() {
    for read in [false, true] {
        let log = Log::new(7, Retention::events(100));
        let mut reader = log.reader();
        let mut batch = Batch::new();
        batch.push(&all("x".repeat(100))).unwrap();
        let cost = measure(|| {
            for _ in 0..10_000 {
                log.append_batch(&batch, Instant::now()).unwrap();
                if read {
                    drop(poll(&mut reader));
                }
            }
        });
        // A buffer that grows by doubling and what is packed, for 120 bytes each.
        assert!(cost.bytes_total < 10_000 * 600, "{cost:?}, read: {read}");
    }
}

/// What the log holds after `work`.
fn held(log: &Log, work: impl FnOnce()) -> i64 {
    let held = measure(work).bytes_current;
    assert!(log.readers() <= 1);
    held
}

#[test]
fn what_is_replaced_is_not_kept() {
    let text = "x".repeat(1000);
    for stalled in [false, true] {
        for read in [false, true] {
            let log = Log::new(7, Retention::events(1000));
            let mut reader = (stalled || read).then(|| log.reader());
            let bytes = held(&log, || {
                append(&log, &[all("stays in front")]);
                for n in 0..20_000 {
                    append(
                        &log,
                        &[latest(
                            if n % 2 == 0 { "hot" } else { "warm" },
                            text.clone(),
                        )],
                    );
                    if read && let Some(reader) = &mut reader {
                        drop(poll(reader));
                    }
                }
            });
            assert!(bytes < 128 * 1024, "{bytes} bytes, read: {read}");
        }
    }
}

#[test]
fn many_keys_between_a_hot_one_do_not_hold_its_segments() {
    let keys: Vec<&'static str> = (0..500).map(|n| &*format!("key {n}").leak()).collect();
    let text = "x".repeat(200);
    let log = Log::new(7, Retention::events(1000));
    let mut reader = log.reader();
    let bytes = held(&log, || {
        for key in keys {
            append(&log, &[latest(key, "once")]);
            for _ in 0..200 {
                append(&log, &[latest("hot", text.clone())]);
                drop(poll(&mut reader));
            }
        }
    });
    // 501 entries of about 30 bytes, their keys, and what is bounded by segments.
    assert!(bytes < 256 * 1024, "{bytes} bytes");
}

#[test]
fn what_is_left_of_old_segments_is_moved_together() {
    let keys: Vec<&'static str> = (0..300).map(|n| &*format!("key {n}").leak()).collect();
    let text = "x".repeat(1000);
    let log = Log::new(7, Retention::default());
    let bytes = held(&log, || {
        for key in &keys {
            append(&log, &[latest(key, text.clone())]);
        }
        for (n, key) in keys.iter().enumerate() {
            if n % 15 != 0 {
                append(&log, &[latest(key, "short")]);
            }
        }
    });
    // 20 long events and 280 short ones are 28 KiB; what was there is 300 KiB.
    assert!(bytes < 200 * 1024, "{bytes} bytes");
}

#[test]
fn a_large_event_is_held_once_and_given_back() {
    let large = "x".repeat(1 << 20);
    for read in [false, true] {
        let log = Log::new(7, Retention::default().bytes(1000));
        let mut reader = log.reader();
        let bytes = held(&log, || {
            append(&log, &[all(&*large)]);
            if read {
                assert!(poll(&mut reader).is_some());
            }
        });
        assert!(bytes < (1 << 20) + 64 * 1024, "{bytes} bytes, read: {read}");
        let bytes = bytes + held(&log, || append(&log, &[all("b")]));
        assert!(bytes < 64 * 1024, "{bytes} bytes, read: {read}");
    }
}

#[test]
fn a_log_does_not_grow_by_what_it_forgets() {
    let keys: Vec<&'static str> = (0..100).map(|n| &*format!("key {n}").leak()).collect();
    let text = "x".repeat(1000);
    let log = Log::new(7, Retention::default());
    append(&log, &[all("stays in front")]);
    let rounds = |n: usize| {
        held(&log, || {
            for key in keys.iter().cycle().take(n * keys.len()) {
                append(&log, &[latest(key, text.clone())]);
            }
        })
    };
    rounds(20);
    let grown = rounds(300);
    assert!(grown < 64 * 1024, "{grown} bytes");
}

#[test]
fn a_full_log_holds_what_it_is_to_keep_and_a_few_segments() {
    let text = "x".repeat(1000);
    for read in [false, true] {
        let log = Log::new(7, Retention::events(1_000_000).bytes(1 << 20));
        let mut reader = log.reader();
        let bytes = held(&log, || {
            for _ in 0..20_000 {
                append(&log, &[all(text.clone())]);
                if read {
                    drop(poll(&mut reader));
                }
            }
        });
        assert!(
            bytes < (1 << 20) + 300 * 1024,
            "{bytes} bytes, read: {read}"
        );
    }
}

#[test]
fn an_idle_log_is_small() {
    let log = log();
    let bytes = held(&log, || append(&log, &[all("a"), all("b"), all("c")]));
    assert!(bytes < 2048, "{bytes} bytes");
}
