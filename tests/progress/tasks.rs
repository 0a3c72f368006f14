//! Sub-tasks, and theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use sse_tower::{TaskState, progress};

use super::*;

/// What is told of tasks, shortened: `1<0 a 3/10 running`, `-1` for a cleared one.
fn told(stream: &mut ProgressStream<u8>) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(event) = stream.next().now_or_never() {
        told.push(match event.expect("the stream goes on") {
            Progress::Update {
                position,
                length,
                reset,
                ..
            } => {
                format!(
                    "job {position}/{}{}",
                    text(length),
                    if reset { " reset" } else { "" }
                )
            }
            Progress::Task {
                task,
                parent,
                name,
                state,
                position,
                length,
                ..
            } => {
                let (parent, length) = (parent.unwrap_or(0), text(length));
                format!("{task}<{parent} {name} {position}/{length} {state:?}").to_lowercase()
            }
            Progress::TaskCleared { task, .. } => format!("-{task}"),
            event => panic!("{event:?} is the end"),
        });
    }
    told
}

fn text(length: Option<u64>) -> String {
    length.map_or("?".to_owned(), |length| length.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_task_has_a_bar_of_its_own_and_a_part_moves_that_of_its_parent() {
    let (job, mut stream) = progress::<u8>(10);
    assert_eq!(told(&mut stream), ["job 0/10"]);
    let own = job.task("own", 4);
    let part = job.part("part", 5);
    own.inc(1);
    part.inc(2);
    job.inc(1);
    assert_eq!((own.position(), part.position(), job.position()), (1, 2, 3));
    pass(100).await;
    assert_eq!(
        told(&mut stream),
        ["job 3/10", "1<0 own 1/4 running", "2<0 part 2/5 running"]
    );
    own.inc(1);
    pass(100).await;
    assert_eq!(
        told(&mut stream),
        ["1<0 own 2/4 running"],
        "what has not changed is not told"
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_are_a_tree_of_any_depth_told_from_the_root() {
    let (job, mut stream) = progress::<u8>(None);
    let a = job.part("a", None);
    let b = job.part("b", 7);
    let deep = a.part("deep", None);
    let deeper = deep.part("deeper", 5);
    deeper.inc(2);
    assert_eq!(
        told(&mut stream),
        [
            "job 2/12 reset",
            "1<0 a 2/5 running",
            "2<0 b 0/7 running",
            "3<1 deep 2/5 running",
            "4<3 deeper 2/5 running",
        ]
    );
    assert_eq!((job.length(), a.length()), (Some(12), Some(5)));
    let unknown = b.part("unknown", None);
    assert_eq!(
        (b.length(), job.length()),
        (Some(7), Some(12)),
        "its own length counts"
    );
    let another = a.part("another", None);
    assert_eq!((a.length(), job.length()), (None, None));
    another.inc(3);
    another.finish();
    assert_eq!((a.length(), job.length()), (Some(8), Some(15)));
    drop(unknown);
}

#[tokio::test(start_paused = true)]
async fn a_task_ends_in_one_of_three_ways_and_the_job_goes_on() {
    let (job, mut stream) = progress::<u8>(None);
    let tasks = ["done", "failed", "dropped"].map(|name| job.task(name, 4));
    told(&mut stream);
    let [done, failed, dropped] = tasks;
    let other = done.clone();
    done.finish();
    other.inc(9);
    other.set_message("late");
    drop(other);
    failed.fail("no such file");
    drop(dropped);
    pass(100).await;
    let mut events = Vec::new();
    while let Some(Some(event)) = stream.next().now_or_never() {
        let Progress::Task {
            task,
            state,
            position,
            message,
            ..
        } = event
        else {
            panic!("{event:?} is not of a task")
        };
        events.push((task, state, position, message));
    }
    let reason = Some("no such file".to_owned());
    let expected = [
        (1, TaskState::Done, 4, None),
        (2, TaskState::Failed, 0, reason),
        (3, TaskState::Failed, 0, None),
    ];
    assert_eq!(events, expected);
}

#[tokio::test(start_paused = true)]
async fn a_cleared_task_goes_with_its_sub_tasks_and_what_it_did_stays() {
    let (job, mut stream) = progress::<u8>(None);
    let a = job.part("a", 4);
    let inner = a.part("inner", 2);
    let b = job.part("b", 4);
    told(&mut stream);
    inner.inc(1);
    a.finish_and_clear();
    inner.inc(1);
    inner.set_message("of no interest");
    pass(100).await;
    assert_eq!(told(&mut stream), ["job 4/8", "-1", "-2"]);
    assert_eq!((job.position(), job.length()), (4, Some(8)));
    b.inc(1);
    inner.finish();
    pass(100).await;
    assert_eq!(told(&mut stream), ["job 5/8", "3<0 b 1/4 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_came_and_went_between_two_looks_is_not_told_of() {
    let (job, mut stream) = progress::<u8>(3);
    told(&mut stream);
    for name in ["a", "b", "c"] {
        job.part(name, 1).finish_and_clear();
    }
    pass(100).await;
    assert_eq!(told(&mut stream), ["job 3/3"]);
    assert_eq!(told(&mut job.subscribe()), ["job 3/3 reset"]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_is_told_all_tasks_and_to_forget_the_others() {
    let (job, mut stream) = progress::<u8>(3);
    let a = job.task("a", 1);
    let b = job.task("b", 1);
    told(&mut stream);
    a.finish_and_clear();
    b.inc(1);
    assert_eq!(
        told(&mut stream.clone()),
        ["job 0/3 reset", "2<0 b 1/1 running"]
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_have_the_pace_of_the_job() {
    let (job, mut stream) = progress::<u8>(3);
    let task = job.task("a", 100);
    told(&mut stream);
    for _ in 0..5 {
        task.inc(1);
        assert_eq!(told(&mut stream), [""; 0]);
        pass(10).await;
    }
    pass(50).await;
    assert_eq!(told(&mut stream), ["1<0 a 5/100 running"]);
}

#[tokio::test(start_paused = true)]
async fn which_task_failed_is_told_before_the_job_fails() {
    let (job, mut stream) = progress::<u8>(3);
    let task = job.task("a", 1);
    told(&mut stream);
    job.inc(1);
    task.fail("no such file");
    job.fail("one of the files is gone");
    assert_eq!(position(now(&mut stream)), 1);
    let Progress::Task {
        state: TaskState::Failed,
        ..
    } = now(&mut stream)
    else {
        panic!("the task comes first")
    };
    assert!(matches!(now(&mut stream), Progress::Failed { .. }));
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_sub_task_of_what_is_gone_is_not_shown() {
    let (job, mut stream) = progress::<u8>(3);
    let a = job.task("a", 1);
    let other = a.clone();
    a.finish_and_clear();
    let lost = other.part("lost", 1);
    lost.inc(1);
    assert_eq!(lost.position(), 1);
    assert_eq!(told(&mut stream), ["job 0/3 reset"]);
    let b = job.task("b", 1);
    let other = b.clone();
    b.finish();
    other.part("lost, too", 1).inc(1);
    pass(100).await;
    assert_eq!(told(&mut stream), ["3<0 b 1/1 done"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_cleared_a_task_has_an_id_of_its_own() {
    let (job, stream) = progress::<()>(3);
    let task = job.task("a", 1);
    task.inc(1);
    let id = |mut stream: ProgressStream<()>| match now(&mut stream) {
        Progress::Update { id, .. } => id.unwrap(),
        event => panic!("{event:?} is no update"),
    };
    task.clone().finish();
    let before = id(stream.clone());
    task.finish_and_clear();
    assert_ne!(id(stream), before, "another state");
}

/// Steps that are counted while it ends do not fill a task beyond its length.
#[tokio::test(start_paused = true)]
async fn a_task_is_not_overfilled_by_what_is_counted_while_it_ends() {
    const LENGTH: u64 = 1 << 40;
    for _ in 0..20 {
        let (job, stream) = progress::<u8>(None);
        let task = job.part("a", LENGTH);
        let steps = task.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                while !stop.load(Ordering::Relaxed) {
                    steps.inc(1);
                }
            }
        });
        while task.position() == 0 {
            std::hint::spin_loop();
        }
        task.finish();
        stop.store(true, Ordering::Relaxed);
        thread.join().unwrap();
        assert_eq!(position(now(&mut stream.clone())), LENGTH);
    }
}
