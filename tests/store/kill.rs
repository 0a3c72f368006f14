//! A process that publishes and is killed.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use sse_tower::store::RedbStore;
use sse_tower::{Cursor, Resume};

use crate::{TempPath, note, open, texts};

const FILE: &str = "SSE_STORE_FILE";

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let path = TempPath::new();
    let mut acknowledged: Vec<(Cursor, String)> = Vec::new();
    for round in 0..3 {
        let newest = publish_until_killed(&path.0, 30 + 60 * round);
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
        let live = topic.live();
        drop(topic);
        end(live).await;
    }
}

/// Starts a publisher, kills it after so many acknowledgements, and returns them.
fn publish_until_killed(path: &Path, count: usize) -> Vec<(Cursor, String)> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::publisher", "--ignored", "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    let mut take = |line: std::io::Result<String>| {
        let line = line.unwrap();
        // The harness writes lines too, and a killed process may leave half a line.
        if let Some((cursor, text)) = line.strip_prefix("ack ").and_then(|it| it.split_once(' '))
            && let Some(text) = text.strip_suffix('.')
        {
            acknowledged.push((cursor.parse().unwrap(), text.to_owned()));
        }
        acknowledged.len()
    };
    for line in lines.by_ref() {
        if take(line) >= count {
            break;
        }
    }
    // SIGKILL: nothing in the process runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines {
        take(line);
    }
    assert!(acknowledged.len() >= count, "the publisher ended by itself");
    acknowledged
}

#[tokio::test]
#[ignore = "the process that the test above starts and kills"]
async fn publisher() {
    let Some(path) = env::var_os(FILE) else {
        panic!("{FILE} names no file: this is run by another test");
    };
    let topic = open(RedbStore::open(path).unwrap()).await;
    let publishers = (0..8).map(async |publisher| {
        for n in 0.. {
            let text = format!("{}-{publisher}-{n}", std::process::id());
            let cursor = topic.publish(note(&*text)).await.unwrap().unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "ack {cursor} {text}.").unwrap();
            out.flush().unwrap();
        }
    });
    join_all(publishers).await;
}

/// Waits until a topic has let go of its store.
async fn end(mut live: sse_tower::Subscription<crate::Note>) {
    use futures_util::StreamExt;
    assert!(live.next().await.is_none());
    drop(live);
    tokio::task::yield_now().await;
}
