//! Stores that fail in every way at random: what publishers are told is what there is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use sse_tower::store::{MemoryStore, StoreError};
use sse_tower::{Cursor, DurableError, DurableTopic, Missed, Resume};
use tokio::time::{sleep, timeout};

use crate::around::{Around, Habits, Op};
use crate::{Note, next_texts, note, open, texts};

/// Fails before it has done something, or after that, and takes its time.
#[derive(Clone)]
pub(crate) struct Moody {
    rng: Arc<Mutex<Rng>>,
    calm: Arc<AtomicBool>,
}

impl Moody {
    /// One that is in no mood yet.
    pub(crate) fn calm(seed: u64) -> Self {
        Self {
            rng: Arc::new(Mutex::new(Rng::with_seed(seed))),
            calm: Arc::new(AtomicBool::new(true)),
        }
    }

    pub(crate) fn set_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    /// So many in a hundred fail here.
    async fn mood(&self, percent: u8) -> Result<(), StoreError> {
        if self.calm.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (pause, fails) = {
            let mut rng = self.rng.lock().unwrap();
            (rng.u64(0..50), rng.u8(..100) < percent)
        };
        sleep(Duration::from_millis(pause)).await;
        match fails {
            true => Err(StoreError::failed("a bad mood")),
            false => Ok(()),
        }
    }
}

impl Habits for Moody {
    async fn before(&self, op: Op) -> Result<(), StoreError> {
        self.mood(match op {
            Op::Open => 50,
            Op::Append => 15,
            Op::Read => 10,
            Op::Trim => 25,
        })
        .await
    }

    async fn after(&self, op: Op) -> Result<(), StoreError> {
        match op {
            Op::Append => self.mood(30).await,
            _ => Ok(()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_publishers_are_told_is_what_there_is() {
    let (mut stored, mut lost, mut unknown) = (0, 0, 0);
    for seed in 0..100 {
        let habits = Moody::calm(seed);
        let store = MemoryStore::new();
        let store = Around { store, habits };
        let topic = open(store.clone()).await;
        store.habits.set_calm(false);
        let reading = tokio::spawn(read_to_the_end(topic.clone()));
        let publishers = (0..4).map(|publisher| publish(&topic, publisher, seed));
        let told = join_all(publishers).await;
        store.habits.set_calm(true);
        topic.close(note("bye")).await.unwrap();

        // All of it, from a process that knows nothing of this.
        let again = open(store.store).await;
        let count = again.head().seq() as usize;
        let all = texts(&mut again.from_start(), count).await;
        assert_eq!(all.len(), count, "seed {seed}");
        let read = timeout(Duration::from_secs(600), reading).await;
        assert_eq!(read.expect("it ends").unwrap(), all, "seed {seed}");
        for (text, outcome) in told.into_iter().flatten() {
            let there = all.iter().filter(|it| **it == text).count();
            match outcome {
                Ok(cursor) => {
                    stored += 1;
                    assert_eq!(all[cursor.unwrap().seq() as usize - 1], text, "seed {seed}");
                    assert_eq!(there, 1, "seed {seed}, {text}");
                }
                Err(DurableError::Store(StoreError::Failed(_))) => {
                    lost += 1;
                    assert_eq!(there, 0, "seed {seed}, {text}");
                }
                Err(DurableError::Unknown(StoreError::Failed(_))) => {
                    unknown += 1;
                    assert!(there <= 1, "seed {seed}, {text}");
                }
                Err(other) => panic!("seed {seed}, {text}: {other:?}"),
            }
        }
    }
    println!("{stored} stored, {lost} not, {unknown} unknown");
    assert!(stored > 0 && lost > 0 && unknown > 0);
}

type Told = (String, Result<Option<Cursor>, DurableError>);

async fn publish(topic: &DurableTopic<Note>, publisher: u64, seed: u64) -> Vec<Told> {
    let mut rng = Rng::with_seed(seed << 8 | publisher);
    let mut told = Vec::new();
    for n in 0..20 {
        let text = format!("{publisher}-{n}");
        told.push((text.clone(), topic.publish(note(text)).await));
        sleep(Duration::from_millis(rng.u64(0..200))).await;
    }
    told
}

/// Reads everything, and comes back whenever its stream ends before the end.
async fn read_to_the_end(topic: DurableTopic<Note>) -> Vec<String> {
    let mut all = Vec::new();
    let mut subscription = topic.from_start();
    loop {
        while let Some(texts) = next_texts(&mut subscription).await {
            all.extend(texts);
        }
        subscription = match topic.subscribe(Resume::After(subscription.cursor())) {
            Ok(rest) => rest,
            Err(Missed::Closed(_)) => return all,
            Err(missed) => panic!("{missed:?}"),
        };
    }
}
