//! A process that publishes and is killed.

use std::env;
use std::error::Error as _;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use sse_tower::store::RedbStore;
use sse_tower::{Cursor, DurableTopic, Resume, Retention};

use crate::{Note, TempPath, note, open, texts};

const FILE: &str = "SSE_STORE_FILE";

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let path = TempPath::new();
    let mut acknowledged: Vec<(Cursor, String)> = Vec::new();
    for round in 0..3 {
        let lines = run_until_killed("publisher", &path.0, 30 + 60 * round);
        let newest = lines.iter().map(|line| {
            let (cursor, text) = line.split_once(' ').unwrap();
            (cursor.parse().unwrap(), text.to_owned())
        });
        acknowledged.extend(newest);

        let topic = open(RedbStore::open(&path.0).unwrap()).await;
        let head = topic.head();
        let all = texts(&mut topic.from_start(), head.seq() as usize).await;
        assert_eq!(all.len() as u64, head.seq(), "every number has an event");
        for (cursor, text) in &acknowledged {
            assert_eq!(cursor.epoch(), head.epoch(), "the epoch is the same");
            assert_eq!(&all[cursor.seq() as usize - 1], text, "at {cursor}");
        }
        let (seen, _) = acknowledged[0];
        assert!(topic.subscribe(Resume::After(seen)).is_ok());
        // Whoever reads on and whoever publishes next find it in order.
        let next = topic.publish(note("next")).await.unwrap().unwrap();
        assert_eq!(next, Cursor::new(head.epoch(), head.seq() + 1));
        acknowledged.push((next, "next".to_owned()));
        topic.stop().await;
    }
}

#[tokio::test]
async fn a_topic_is_closed_with_its_last_event_or_not_at_all() {
    let path = TempPath::new();
    for round in 0..4 {
        let acknowledged = run_until_killed("closer", &path.0, 10 + 5 * round);
        let store = RedbStore::open(&path.0).unwrap();
        let mut closed = Vec::new();
        for lane in 0..LANES {
            for n in 0.. {
                let name = format!("{lane}-{n}");
                let topic = DurableTopic::<Note>::open(store.clone(), &*name, Retention::default());
                let topic = topic.await.unwrap();
                let count = topic.head().seq();
                if count == 0 {
                    topic.stop().await;
                    break;
                }
                let all = texts(&mut topic.from_start(), count as usize).await;
                let last = all.last().is_some_and(|text| text == "bye");
                assert_eq!(topic.is_closed(), last, "of {name} there is {all:?}");
                if last {
                    closed.push(name);
                }
                topic.stop().await;
            }
        }
        for name in acknowledged {
            assert!(closed.contains(&name), "{name} was closed");
        }
    }
}

/// How many topics are closed at a time.
const LANES: usize = 8;

/// Starts one of the processes below, kills it when it has acknowledged so much, and returns
/// what that was.
fn run_until_killed(process: &str, path: &Path, count: usize) -> Vec<String> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            &format!("kill::{process}"),
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The harness writes lines too, and a killed process may leave half a line.
    let acknowledged = |line: std::io::Result<String>| {
        let line = line.unwrap();
        Some(line.strip_prefix("ack ")?.strip_suffix('.')?.to_owned())
    };
    let mut all: Vec<_> = lines
        .by_ref()
        .filter_map(acknowledged)
        .take(count)
        .collect();
    // It is told why it cannot have the file.
    let second = RedbStore::open(path).unwrap_err();
    let why = second.source().unwrap().to_string();
    assert!(why.contains("already open"), "{why}");
    // SIGKILL: nothing in the process runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    all.extend(lines.filter_map(acknowledged));
    assert!(all.len() >= count, "the {process} ended by itself");
    all
}

fn acknowledge(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {what}.").unwrap();
    out.flush().unwrap();
}

fn file() -> OsString {
    env::var_os(FILE).unwrap_or_else(|| panic!("{FILE} names no file: another test runs this"))
}

#[tokio::test]
#[ignore = "a process that a test above starts and kills"]
async fn publisher() {
    let topic = open(RedbStore::open(file()).unwrap()).await;
    let publishers = (0..8).map(async |publisher| {
        for n in 0.. {
            let text = format!("{}-{publisher}-{n}", std::process::id());
            let cursor = topic.publish(note(&*text)).await.unwrap().unwrap();
            acknowledge(&format!("{cursor} {text}"));
        }
    });
    join_all(publishers).await;
}

#[tokio::test]
#[ignore = "a process that a test above starts and kills"]
async fn closer() {
    let store = RedbStore::open(file()).unwrap();
    let lanes = (0..LANES).map(async |lane| {
        for n in 0.. {
            let name = format!("{lane}-{n}");
            let topic = DurableTopic::<Note>::open(store.clone(), &*name, Retention::default());
            let topic = topic.await.unwrap();
            if !topic.is_closed() {
                topic.publish(note("hello")).await.unwrap();
                topic.close(note("bye")).await.unwrap();
                acknowledge(&name);
            }
        }
    });
    join_all(lanes).await;
}
