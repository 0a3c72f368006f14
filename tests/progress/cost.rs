//! What it costs to tell.

use allocation_counter::measure;
use sse_tower::progress;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_step_allocates_nothing_whoever_listens() {
    let (reporter, mut stream) = progress::<()>(1_000_000);
    let task = reporter.part("a", 10);
    now(&mut stream);
    now(&mut stream);
    let steps = || {
        for _ in 0..100_000 {
            reporter.inc(1);
            task.inc(1);
        }
    };
    assert_eq!(
        measure(steps).count_total,
        0,
        "in the pause behind an event"
    );
    pass(100).await;
    now(&mut stream);
    now(&mut stream);
    pass(100).await;
    nothing(&mut stream);
    assert_eq!(measure(steps).count_total, 0, "with one who waits");
}
