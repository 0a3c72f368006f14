//! The bytes of every event, and that they are read as they were written.

use common::Reader;
use sse_tower::{
    Block, Decoder, EventId, FromSseEvent, Keep, SseEvent, SseEventExt as _, TaskState, progress,
};

use super::*;

/// An event has these bytes, and is read back as it was.
#[track_caller]
fn check<E: SseEvent + FromSseEvent + PartialEq + std::fmt::Debug>(event: &E, bytes: &str) {
    let block = Block::encode(event).unwrap();
    assert_eq!(str::from_utf8(block.bytes()).unwrap(), bytes);
    let mut decoder = Decoder::new();
    decoder.push(block.bytes());
    let read = E::from_event(&decoder.next_event().unwrap().unwrap());
    assert_eq!(&read.unwrap(), event);
}

fn id() -> Option<EventId> {
    Some(EventId::from_static("7.3"))
}

#[test]
fn every_event_has_its_bytes() {
    check::<Progress<u8>>(
        &Progress::Update {
            id: id(),
            position: 30,
            length: Some(120),
            percent: Some(25.0),
            rate: Some(10.0),
            eta_ms: Some(9000),
            message: Some("linking".into()),
            reset: false,
        },
        "event: progress\nid: 7.3\ndata: {\"position\":30,\"length\":120,\"percent\":25.0,\
         \"rate\":10.0,\"etaMs\":9000,\"message\":\"linking\"}\n\n",
    );
    check::<Progress<u8>>(
        &Progress::Update {
            id: None,
            position: 30,
            length: None,
            percent: None,
            rate: None,
            eta_ms: None,
            message: None,
            reset: true,
        },
        "event: progress\ndata: {\"position\":30,\"reset\":true}\n\n",
    );
    check::<Progress<u8>>(
        &Progress::Task {
            id: id(),
            task: 2,
            parent: Some(1),
            name: "a.rs".into(),
            state: TaskState::Failed,
            position: 1,
            length: Some(4),
            percent: Some(25.0),
            rate: None,
            eta_ms: None,
            message: Some("a\nb".into()),
        },
        "event: task\nid: 7.3\ndata: {\"task\":2,\"parent\":1,\"name\":\"a.rs\",\
         \"state\":\"failed\",\"position\":1,\"length\":4,\"percent\":25.0,\
         \"message\":\"a\\nb\"}\n\n",
    );
    check::<Progress<u8>>(
        &Progress::TaskCleared { id: id(), task: 2 },
        "event: task_cleared\nid: 7.3\ndata: {\"task\":2}\n\n",
    );
    check(
        &Progress::Done {
            id: id(),
            result: vec![1, 2],
        },
        "event: done\nid: 7.3\ndata: {\"result\":[1,2]}\n\n",
    );
    check(
        &Progress::Done {
            id: None,
            result: (),
        },
        "event: done\ndata: {\"result\":null}\n\n",
    );
    check::<Progress<u8>>(
        &Progress::Failed {
            id: id(),
            message: "no space".into(),
        },
        "event: failed\nid: 7.3\ndata: {\"message\":\"no space\"}\n\n",
    );
}

#[derive(SseEvent, FromSseEvent, Clone, Debug, PartialEq)]
enum Page {
    #[sse(flatten)]
    Job(Progress<u8>),
    Visitors(u32),
}

#[test]
fn it_is_a_part_of_a_larger_enum() {
    let done = Page::Job(Progress::Done {
        id: id(),
        result: 7,
    });
    assert!(SseEvent::is_terminal(&done) && done.declares_id());
    check(&done, "event: done\nid: 7.3\ndata: {\"result\":7}\n\n");
    check(&Page::Visitors(3), "event: visitors\ndata: 3\n\n");
}

#[test]
fn the_ends_are_terminal_and_of_the_states_a_log_keeps_the_newest() {
    let update: Progress<u8> = now(&mut progress(1).1);
    assert!(matches!(update.keep(), Keep::Latest { .. }) && !SseEvent::is_terminal(&update));
    let task = |task| Progress::<u8>::Task {
        id: None,
        task,
        parent: None,
        name: String::new(),
        state: TaskState::Running,
        position: 0,
        length: None,
        percent: None,
        rate: None,
        eta_ms: None,
        message: None,
    };
    assert_ne!(task(1).keep(), task(2).keep());
    assert_eq!(task(1).keep(), task(1).keep());
    let failed = Progress::<u8>::Failed {
        id: id(),
        message: String::new(),
    };
    assert!(SseEvent::is_terminal(&failed) && failed.keep() == Keep::All);
    let given = Block::encode(&failed.without_id().with_id(EventId::from(9))).unwrap();
    assert_eq!(given.last_id().unwrap().as_str(), "9");
}

/// The events of a text without their ids, and the numbers in those, which are of one epoch.
#[track_caller]
fn split(text: &str, epoch: &str) -> (String, Vec<u64>) {
    let (ids, events): (Vec<_>, Vec<_>) = text
        .split_inclusive('\n')
        .partition(|line| line.starts_with("id: "));
    let number = |id: &str| {
        let number = id.trim_end().strip_prefix(&format!("id: {epoch}."));
        number
            .unwrap_or_else(|| panic!("{id} is of {epoch}"))
            .parse()
            .unwrap()
    };
    (events.concat(), ids.into_iter().map(number).collect())
}

/// A job over HTTP, byte for byte.
#[tokio::test(start_paused = true)]
async fn a_job_from_its_first_to_its_last_byte() {
    let (reporter, stream) = progress::<&str>(4);
    let mut reader = Reader::of(stream);
    let first = reader.frame().await;
    let epoch = first.split(['.', ' ', '\n']).nth(3).unwrap().to_owned();
    let state = "{\"position\":0,\"length\":4,\"percent\":0.0}";
    assert_eq!(
        first,
        format!("event: progress\nid: {epoch}.1\ndata: {state}\n\n")
    );

    let task = reporter.part("a.rs", 2);
    let child = task.task("tests", None);
    task.inc(1);
    child.inc(5);
    reporter.set_message("compiling");
    let (states, ids) = split(&reader.frame().await, &epoch);
    assert_eq!(
        states,
        "event: progress\ndata: {\"position\":1,\"length\":4,\"percent\":25.0,\"rate\":10.0,\
         \"etaMs\":300,\"message\":\"compiling\"}\n\n\
         event: task\ndata: {\"task\":1,\"name\":\"a.rs\",\"state\":\"running\",\"position\":1,\
         \"length\":2,\"percent\":50.0,\"rate\":10.0,\"etaMs\":100}\n\n\
         event: task\ndata: {\"task\":2,\"parent\":1,\"name\":\"tests\",\"state\":\"running\",\
         \"position\":5,\"rate\":50.0}\n\n"
    );
    assert!(
        ids[0] > 1 && ids.iter().all(|id| *id == ids[0]),
        "one state, one number: {ids:?}"
    );

    let seen = ids[0];
    child.fail("no such test");
    task.finish_and_clear();
    let mut late = Reader::of(reporter.subscribe());
    reporter.finish("linked");
    let (end, ids) = split(&reader.rest().await, &epoch);
    assert_eq!(
        end,
        "event: task_cleared\ndata: {\"task\":1}\n\n\
         event: task_cleared\ndata: {\"task\":2}\n\n\
         event: done\ndata: {\"result\":\"linked\"}\n\n"
    );
    let [state, also, last] = ids[..] else {
        panic!("{ids:?} are not three")
    };
    assert!(
        seen < state && state == also && also < last,
        "the end has its own: {ids:?}"
    );

    let (late, ids) = split(&late.frame().await, &epoch);
    assert_eq!(
        late,
        "event: progress\ndata: {\"position\":4,\"length\":4,\"percent\":100.0,\
         \"message\":\"compiling\",\"reset\":true}\n\n\
         event: done\ndata: {\"result\":\"linked\"}\n\n"
    );
    assert_eq!(ids, [state, last]);
}
