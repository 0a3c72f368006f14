//! What a step costs the job that tells of it, beside a bare atomic addition and indicatif's bar.
//!
//! `cargo bench -p sse-tower --bench progress`. All of a table run in turns in one process; what
//! counts are the ratios of the medians.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use futures_util::StreamExt as _;
use indicatif::{InMemoryTerm, ProgressBar, ProgressDrawTarget};
use sse_tower::{ProgressStream, progress};

const STEPS: u64 = 2_000_000;
const ROUNDS: usize = 21;

fn main() {
    for threads in [1, 2] {
        table(threads);
    }
    let (reporter, _stream) = progress::<()>(STEPS);
    let allocations = allocation_counter::measure(|| steps(|| reporter.inc(1)));
    println!(
        "\nallocations in {STEPS} steps: {}",
        allocations.count_total
    );
}

/// What one of the threads, which is given its number, does.
type Steps<'a> = Box<dyn Fn(usize) + Sync + 'a>;

fn table(threads: usize) {
    let bare = AtomicU64::new(0);
    let (alone, _nobody) = progress::<()>(STEPS);
    let (watched, stream) = progress::<()>(STEPS);
    let (part, part_stream) = progress::<()>(STEPS);
    let parts: Vec<_> = (0..threads).map(|_| part.part("a", STEPS)).collect();
    let done = Arc::new(AtomicBool::new(false));
    let watchers = [stream, part_stream].map(|stream| watch(stream, Arc::clone(&done)));
    let hidden = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::hidden());
    let term = ProgressDrawTarget::term_like(Box::new(InMemoryTerm::new(4, 80)));
    let drawn = ProgressBar::with_draw_target(Some(STEPS), term);

    let rows: [(&str, Steps<'_>); 6] = [
        (
            "an atomic addition",
            Box::new(|_| {
                steps(|| {
                    black_box(bare.fetch_add(1, Ordering::Relaxed));
                })
            }),
        ),
        ("inc, nobody looks", Box::new(|_| steps(|| alone.inc(1)))),
        (
            "inc, a client looks",
            Box::new(|_| steps(|| watched.inc(1))),
        ),
        (
            "inc of a part for each thread",
            Box::new(|n| steps(|| parts[n].inc(1))),
        ),
        ("indicatif, hidden", Box::new(|_| steps(|| hidden.inc(1)))),
        (
            "indicatif, drawn to memory",
            Box::new(|_| steps(|| drawn.inc(1))),
        ),
    ];
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for ((_, row), times) in rows.iter().zip(&mut times) {
            let began = Instant::now();
            thread::scope(|scope| {
                for n in 0..threads {
                    scope.spawn(move || row(n));
                }
            });
            times.push(began.elapsed().as_nanos() as f64 / (STEPS * threads as u64) as f64);
        }
    }
    done.store(true, Ordering::Relaxed);
    println!("\n{threads} thread(s), median of {ROUNDS}       ns per step   of ours, watched");
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    for ((name, _), time) in rows.iter().zip(&medians) {
        println!("{name:<34}{time:>10.2}{:>16.2}", time / medians[2]);
    }
    drop(rows);
    drop((alone, watched, part));
    for watcher in watchers {
        watcher.join().expect("no panic");
    }
}

fn steps(step: impl Fn()) {
    for _ in 0..STEPS {
        step();
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Reads a stream on a thread of its own, as a server would.
fn watch(mut stream: ProgressStream<()>, done: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.expect("a runtime").block_on(async {
            while let Some(event) = stream.next().await {
                black_box(event);
                if done.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
    })
}
