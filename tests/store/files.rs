//! Files that are not as the store left them, or are none.

use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use fastrand::Rng;
use sse_tower::log::ReadLimit;
use sse_tower::store::{Entry, EventStore as _, Read, RedbStore, StoreError, TopicKey};
use sse_tower::{Cursor, Retention};

use crate::TempPath;

fn entry(n: u64) -> Entry {
    let entry = Entry::new(format!("data: {n}\n\n"), SystemTime::now());
    entry.with_key((n % 50).to_string())
}

/// The bytes of a file with a few topics.
async fn filled() -> Vec<u8> {
    let path = TempPath::new();
    let store = RedbStore::open(&path.0).unwrap();
    for topic in ["a", "b"].map(TopicKey::new) {
        let mut head = store.open(&topic).await.unwrap().head;
        for _ in 0..10 {
            let first = Cursor::new(head.epoch(), head.seq() + 1);
            let entries: Vec<_> = (0..20).map(|n| entry(head.seq() + n)).collect();
            store.append(&topic, first, &entries).await.unwrap();
            head = Cursor::new(head.epoch(), head.seq() + 20);
        }
    }
    drop(store);
    fs::read(&path.0).unwrap()
}

/// Does everything with what is there.
async fn use_all_of(path: &Path) -> Result<(), StoreError> {
    let store = RedbStore::open(path)?;
    for topic in ["a", "b"].map(TopicKey::new) {
        let opened = store.open(&topic).await?;
        let mut at = opened.start;
        while at != opened.head {
            match store.read(&topic, at, ReadLimit::default()).await? {
                Read::Entries(entries) if !entries.is_empty() => at = entries.last().unwrap().0,
                _ => break,
            }
        }
        let next = Cursor::new(opened.head.epoch(), opened.head.seq() + 1);
        store.append(&topic, next, &[entry(7)]).await?;
        let few = Retention::events(10);
        store.trim(&topic, few, SystemTime::now()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_damaged_is_an_error_at_most() {
    const PAGE: usize = 4096;
    let good = filled().await;
    let mut rng = Rng::with_seed(1);
    let mut refused = 0;
    for page in 0..good.len() / PAGE {
        let mut lost = good.clone();
        lost[page * PAGE..][..PAGE].fill(0);
        let mut torn = good.clone();
        torn.truncate(page * PAGE + rng.usize(..PAGE));
        for bytes in [lost, torn] {
            let path = TempPath::new();
            fs::write(&path.0, bytes).unwrap();
            match use_all_of(&path.0).await {
                // There may have been nothing on that page.
                Ok(()) => {}
                Err(StoreError::Failed(_)) => refused += 1,
                Err(other) => panic!("without page {page}: {other:?}"),
            }
        }
    }
    assert!(refused > good.len() / PAGE, "{refused}");
}

#[tokio::test]
async fn what_is_no_file_of_a_store_is_left_alone() {
    let path = TempPath::new();
    fs::write(&path.0, "a letter to somebody").unwrap();
    let refused = RedbStore::open(&path.0).unwrap_err();
    assert!(matches!(refused, StoreError::Failed(_)), "{refused:?}");
    assert_eq!(fs::read(&path.0).unwrap(), b"a letter to somebody");
    // A folder, one that is not there, and one where nobody can make a file.
    let folder = std::env::temp_dir();
    for path in [
        &*folder,
        &folder.join("sse-tower-none/file"),
        Path::new("/proc/file"),
    ] {
        let refused = RedbStore::open(path).unwrap_err();
        assert!(refused.source().is_some(), "{refused:?}");
    }
    // Whoever made an empty file wants a store there.
    fs::write(&path.0, "").unwrap();
    use_all_of(&path.0).await.unwrap();
}
