//! The thread that commits.

use std::mem;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use redb::{Database, Durability};
use tokio::sync::oneshot;

use super::tables::Tables;
use crate::store::{Entry, Opened, StoreError, TopicKey};
use crate::{Cursor, Retention};

/// How many changes are committed together at most.
const GROUP: usize = 1024;

/// The way to the thread. Dropping it waits for the thread to finish what it was given.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` once it is being dropped.
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

/// A change of a topic.
#[derive(Debug)]
pub(super) enum Op {
    Open,
    Append {
        first: Cursor,
        entries: Vec<Entry>,
        close: bool,
    },
    Trim {
        retention: Retention,
        now: SystemTime,
    },
}

type Outcome = Result<Opened, StoreError>;

#[derive(Debug)]
struct Command {
    topic: TopicKey,
    op: Op,
    answer: oneshot::Sender<Outcome>,
}

impl Writer {
    pub(super) fn start(database: Arc<Database>) -> Result<Self, StoreError> {
        let (commands, queue) = mpsc::channel();
        let thread = thread::Builder::new().name("sse-tower-store".to_owned());
        let thread = thread.spawn(move || run(&database, &queue));
        Ok(Self {
            commands: Some(commands),
            thread: Some(thread.map_err(StoreError::failed)?),
        })
    }

    /// Has a change committed, and says where the topic then stands.
    pub(super) async fn run(&self, topic: TopicKey, op: Op) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let command = Command { topic, op, answer };
        let sent = self
            .commands
            .as_ref()
            .map(|commands| commands.send(command));
        match sent {
            Some(Ok(())) => answered.await.map_err(StoreError::failed)?,
            _ => Err(StoreError::failed("the thread of the store has ended")),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked, whoever waited for it has been told.
            let _: thread::Result<()> = thread.join();
        }
    }
}

fn run(database: &Database, queue: &mpsc::Receiver<Command>) {
    let mut group = Vec::new();
    while let Ok(first) = queue.recv() {
        // What has come in the meantime waits for the disk only once.
        group.push(first);
        group.extend(queue.try_iter().take(GROUP - 1));
        let outcomes = commit(database, &group);
        for (n, command) in mem::take(&mut group).into_iter().enumerate() {
            let outcome = match &outcomes {
                Ok(outcomes) => outcomes[n].clone(),
                Err(error) => Err(error.clone()),
            };
            // Whoever asked may have given up.
            let _: Result<(), Outcome> = command.answer.send(outcome);
        }
    }
}

/// Makes all of these changes in one transaction. One that is refused changes nothing, and the
/// others go on; if the database fails, all of them do.
fn commit(database: &Database, group: &[Command]) -> Result<Vec<Outcome>, StoreError> {
    let mut transaction = database.begin_write().map_err(StoreError::failed)?;
    transaction
        .set_durability(Durability::Immediate)
        .map_err(StoreError::failed)?;
    let mut tables = Tables::new(&transaction).map_err(StoreError::failed)?;
    let outcomes = group
        .iter()
        .map(|command| tables.change(&command.topic, &command.op));
    let outcomes = outcomes.collect::<Result<_, redb::Error>>();
    let outcomes = outcomes.map_err(StoreError::failed)?;
    let changed = tables.changed;
    drop(tables);
    if changed {
        transaction.commit().map_err(StoreError::failed)?;
    } else {
        transaction.abort().map_err(StoreError::failed)?;
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::SystemTime;

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use redb::StorageBackend;
    use redb::backends::InMemoryBackend;

    use super::super::tables;
    use super::*;

    /// A disk that is waited for.
    #[derive(Debug, Default)]
    struct Disk {
        memory: InMemoryBackend,
        seen: Arc<Seen>,
    }

    #[derive(Debug, Default)]
    struct Seen {
        /// Held while nothing reaches the disk.
        gate: Mutex<()>,
        syncs: AtomicUsize,
    }

    impl StorageBackend for Disk {
        fn len(&self) -> Result<u64, io::Error> {
            self.memory.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
            self.memory.read(offset, out)
        }

        fn set_len(&self, len: u64) -> Result<(), io::Error> {
            self.memory.set_len(len)
        }

        fn sync_data(&self) -> Result<(), io::Error> {
            drop(self.seen.gate.lock());
            self.seen.syncs.fetch_add(1, Ordering::Relaxed);
            self.memory.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
            self.memory.write(offset, data)
        }
    }

    #[tokio::test]
    async fn what_waits_for_the_disk_is_committed_together() {
        let disk = Disk::default();
        let seen = Arc::clone(&disk.seen);
        let database = Database::builder().create_with_backend(disk).unwrap();
        tables::create(&database).unwrap();
        let writer = Writer::start(Arc::new(database)).unwrap();
        let topic = TopicKey::new("topic");
        let head = writer.run(topic.clone(), Op::Open).await.unwrap().head;
        let append = |seq| {
            let op = Op::Append {
                first: Cursor::new(head.epoch(), seq),
                entries: vec![Entry::new("data: x\n\n", SystemTime::UNIX_EPOCH)],
                close: false,
            };
            writer.run(topic.clone(), op)
        };
        let syncs = || seen.syncs.swap(0, Ordering::Relaxed);
        syncs();
        append(1).await.unwrap();
        let alone = syncs();
        assert!(alone > 0);

        let held = seen.gate.lock().unwrap();
        let mut all = join_all((2..=65).map(append));
        assert!((&mut all).now_or_never().is_none());
        drop(held);
        for appended in all.await {
            appended.unwrap();
        }
        // The first of them may have been alone, and nobody else.
        assert!(syncs() <= 2 * alone);
    }
}
