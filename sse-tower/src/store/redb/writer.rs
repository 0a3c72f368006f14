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
