//! Disks that fail: what was acknowledged stays, and everything else is an error.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use fastrand::Rng;
use redb::{Database, StorageBackend};

use super::{RedbStore, tables};
use crate::log::ReadLimit;
use crate::store::{Entry, EventStore, Opened, Read, StoreError, TopicKey};
use crate::topic::{DurableError, DurableTopic};
use crate::{Cursor, Json, Retention};

/// A disk that loses its power, or has no room any more.
#[derive(Clone, Debug)]
struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// What is read.
    now: Vec<u8>,
    /// What survives in any case, and what was done since.
    safe: Vec<u8>,
    since: Vec<Change>,
    /// How many changes it makes before its power is gone.
    power: usize,
    /// How long a file may be.
    room: u64,
    rng: Rng,
}

#[derive(Debug)]
enum Change {
    Len(usize),
    Write(usize, Vec<u8>),
}

impl Disk {
    fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: Vec::new(),
            safe: Vec::new(),
            since: Vec::new(),
            power: usize::MAX,
            room: u64::MAX,
            rng: Rng::with_seed(seed),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn store(&self) -> RedbStore {
        let database = Database::builder().create_with_backend(self.clone());
        let database = database.unwrap();
        tables::create(&database).unwrap();
        RedbStore::start(database).unwrap()
    }

    /// The power comes back: of what the disk was not told to keep, some is there, and of the
    /// newest write perhaps a part.
    fn restart(&self) {
        let mut state = self.state();
        let State {
            safe, since, rng, ..
        } = &mut *state;
        let mut since: Vec<_> = since.drain(..).filter(|_| rng.bool()).collect();
        if let Some(Change::Write(_, bytes)) = since.last_mut() {
            bytes.truncate(rng.usize(..=bytes.len()));
        }
        since.iter().for_each(|change| change.make(safe));
        state.now = state.safe.clone();
        state.power = usize::MAX;
    }
}

impl Change {
    fn make(&self, file: &mut Vec<u8>) {
        match self {
            Self::Len(len) => file.resize(*len, 0),
            Self::Write(at, bytes) => {
                let end = at + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[*at..end].copy_from_slice(bytes);
            }
        }
    }
}

impl State {
    fn change(&mut self, change: Change) -> io::Result<()> {
        self.power = self.power.saturating_sub(1);
        if self.power == 0 {
            return Err(io::Error::other("the power is gone"));
        }
        change.make(&mut self.now);
        self.since.push(change);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let from = state.now.get(offset as usize..);
        let bytes = from.and_then(|from| from.get(..out.len()));
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        if len > state.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.change(Change::Len(len as usize))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.power == 0 {
            return Err(io::Error::other("the power is gone"));
        }
        let State { safe, since, .. } = &mut *state;
        since.drain(..).for_each(|change| change.make(safe));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.state()
            .change(Change::Write(offset as usize, data.to_vec()))
    }
}

fn entry(text: &str) -> Entry {
    Entry::new(format!("data: {text}\n\n"), std::time::SystemTime::now())
}

async fn read_all(store: &RedbStore, topic: &TopicKey, opened: Opened) -> Vec<(Cursor, Entry)> {
    let mut all = Vec::new();
    let mut at = opened.start;
    while at != opened.head {
        let read = store.read(topic, at, ReadLimit::default()).await.unwrap();
        let Read::Entries(entries) = read else {
            panic!("{read:?} after {at}");
        };
        at = entries.last().expect("there are more").0;
        all.extend(entries);
    }
    all
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_power_is() {
    let topic = TopicKey::new("topic");
    let (mut acknowledged, mut found) = (0, 0);
    for seed in 0..40 {
        let disk = Disk::new(seed);
        let mut expected: Vec<(Cursor, Entry)> = Vec::new();
        let mut epoch = None;
        for _ in 0..4 {
            let store = disk.store();
            let opened = store.open(&topic).await.unwrap();
            assert_eq!(
                *epoch.get_or_insert(opened.head.epoch()),
                opened.head.epoch(),
                "seed {seed}"
            );
            let all = read_all(&store, &topic, opened).await;
            // One more may be there, whose writer was told of a failure.
            let known = all.len().min(expected.len());
            assert_eq!(all[..known], expected, "seed {seed}");
            assert!(all.len() <= known + 1, "seed {seed}");
            found += all.len() - known;
            expected = all;

            let mut head = opened.head;
            {
                let mut state = disk.state();
                state.power = state.rng.usize(1..200);
            }
            loop {
                let next = Cursor::new(head.epoch(), head.seq() + 1);
                let new = entry(&format!("{next}"));
                match store.append(&topic, next, std::slice::from_ref(&new)).await {
                    Ok(()) => expected.push((next, new)),
                    Err(StoreError::Failed(_)) => break,
                    Err(other) => panic!("seed {seed}: {other:?}"),
                }
                acknowledged += 1;
                head = next;
                assert!(head.seq() < 1_000, "seed {seed}: nothing reaches the disk");
            }
            // Nothing is done behind a failure.
            let next = Cursor::new(head.epoch(), head.seq() + 1);
            let late = store.append(&topic, next, &[entry("late")]).await;
            assert!(
                matches!(late, Err(StoreError::Failed(_))),
                "seed {seed}: {late:?}"
            );
            drop(store);
            disk.restart();
        }
    }
    println!("{acknowledged} acknowledged, {found} found that were not");
    assert!(acknowledged > 1_000);
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_loses_nothing() {
    let disk = Disk::new(1);
    let open = async || {
        let topic =
            DurableTopic::<Json<String>>::open(disk.store(), "topic", Retention::events(100_000));
        topic.await.unwrap()
    };
    let topic = open().await;
    disk.state().room = 2 << 20;
    let mut newest = topic.head();
    let refused = loop {
        match topic.publish(Json("x".repeat(10_000))).await {
            Ok(published) => newest = published.unwrap(),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, DurableError::Unknown(_)), "{refused:?}");
    assert!(newest.seq() > 10);
    assert_eq!(topic.head(), newest, "nobody was sent what was refused");
    assert!(topic.publish(Json(String::new())).await.is_err());
    topic.stop().await;

    disk.state().room = u64::MAX;
    let topic = open().await;
    assert_eq!(topic.head().epoch(), newest.epoch());
    assert!(topic.head().seq() >= newest.seq());
    topic.publish(Json("y".into())).await.unwrap();
    topic.stop().await;
}
