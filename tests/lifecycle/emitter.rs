//! Events that are pushed.

use std::sync::atomic::{AtomicUsize, Ordering};

use http_body::Body as _;
use sse_tower::{EmitError, Emitter, SseEvent};
use tokio::sync::oneshot;

use super::*;

#[derive(SseEvent)]
enum Step {
    Running(usize),
    #[sse(terminal)]
    Done,
}

#[tokio::test]
async fn what_is_emitted_is_the_stream() {
    let sse = Sse::emit(async |events: Emitter<Step>| {
        for n in 0..3 {
            events.emit(Step::Running(n)).await?;
        }
        events.emit(Step::Done).await
    });
    let running = (0..3)
        .map(|n| format!("event: running\ndata: {n}\n\n"))
        .collect::<String>();
    assert_eq!(
        Reader::of(sse).rest().await,
        format!("{running}event: done\ndata: {{}}\n\n")
    );
}

#[tokio::test]
async fn a_function_runs_no_further_than_its_client_reads() {
    let steps = Arc::new(AtomicUsize::new(0));
    let done = Arc::clone(&steps);
    let sse = Sse::emit(async move |events: Emitter<Event>| {
        let large = || Event::new().data("x".repeat(8 * 1024));
        while events.emit(large()).await.is_ok() {
            done.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut reader = Reader::of(sse);
    for _ in 0..3 {
        reader.frame().await;
        tokio::task::yield_now().await;
    }
    assert!(steps.load(Ordering::Relaxed) <= 5);
}

#[tokio::test]
async fn a_client_that_leaves_drops_the_function() {
    let (alive, dropped) = oneshot::channel::<()>();
    let sse = Sse::emit(async move |events: Emitter<Event>| {
        let _alive = alive;
        while events.emit(Event::new().data("x")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    let mut reader = Reader::of(sse);
    reader.frame().await;
    drop(reader);
    assert!(dropped.await.is_err());
}

#[tokio::test]
async fn the_error_of_the_function_aborts_the_body_behind_its_events() {
    let sse = Sse::emit(async |events: Emitter<Step>| {
        events.emit(Step::Running(1)).await.unwrap();
        Err::<(), _>("secret")
    });
    let mut reader = Reader::of(sse);
    assert_eq!(reader.frame().await, "event: running\ndata: 1\n\n");
    let error = reader.next().await.unwrap().unwrap_err();
    assert!(
        error.to_string().contains("secret"),
        "for the log of the server"
    );
    assert!(reader.next().await.is_none());
}

#[tokio::test]
async fn a_function_that_has_dropped_its_emitter_still_runs_to_its_end() {
    let sse = Sse::emit(async |events: Emitter<Step>| {
        events.emit(Step::Running(1)).await.unwrap();
        drop(events);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        Err::<(), _>("late")
    });
    let mut reader = Reader::of(sse);
    assert_eq!(reader.frame().await, "event: running\ndata: 1\n\n");
    let error = reader.next().await.expect("no clean end").unwrap_err();
    assert_eq!(error.to_string(), "late");
}

#[tokio::test]
async fn a_function_that_passes_its_emitter_on_finishes_its_work() {
    let (sender, worked) = oneshot::channel();
    let sse = Sse::emit(async move |events: Emitter<Step>| {
        let emit = tokio::spawn(async move { events.emit(Step::Running(1)).await });
        emit.await.unwrap().unwrap();
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        sender.send("done").unwrap();
    });
    assert_eq!(
        Reader::of(sse).rest().await,
        ":\nevent: running\ndata: 1\n\n"
    );
    assert_eq!(worked.await, Ok("done"));
}

#[tokio::test]
async fn a_terminal_event_ends_the_function_where_it_waits_next() {
    let (sender, reached) = oneshot::channel();
    let (alive, dropped) = oneshot::channel::<()>();
    let sse = Sse::emit(async move |events: Emitter<Step>| {
        let _alive = alive;
        events.emit(Step::Done).await.unwrap();
        sender.send("behind the event").unwrap();
        std::future::pending::<()>().await;
    });
    let mut reader = Reader::of(sse);
    assert_eq!(reader.frame().await, "event: done\ndata: {}\n\n");
    assert!(reader.body.is_end_stream(), "no client waits for the rest");
    assert!(reader.next().await.is_none());
    assert_eq!(reached.await, Ok("behind the event"));
    assert!(dropped.await.is_err());
}

#[tokio::test]
async fn a_task_of_its_own_may_emit_and_sees_the_end() {
    let (sender, told) = oneshot::channel();
    let sse = Sse::emit(async move |events: Emitter<Step>| {
        tokio::spawn(async move {
            let mut sent = 0;
            while events.emit(Step::Running(sent)).await.is_ok() {
                sent += 1;
                tokio::task::yield_now().await;
            }
            events.closed().await;
            sender.send(events.emit(Step::Done).await).unwrap();
        });
    });
    let mut reader = Reader::of(sse);
    assert_eq!(reader.frame().await, ":\n");
    assert!(
        reader
            .frame()
            .await
            .starts_with("event: running\ndata: 0\n\n")
    );
    reader.frame().await;
    drop(reader);
    let over: EmitError = told.await.unwrap().unwrap_err();
    assert_eq!(over.to_string(), "the event stream is over");
}

#[tokio::test]
async fn the_stream_lives_as_long_as_an_emitter_does() {
    let sse = Sse::emit(async move |events: Emitter<Step>| {
        for n in 0..2 {
            let events = events.clone();
            tokio::spawn(async move { events.emit(Step::Running(n)).await });
        }
    });
    let text = Reader::of(sse).rest().await;
    assert!(
        text.contains("data: 0") && text.contains("data: 1"),
        "{text}"
    );
}
