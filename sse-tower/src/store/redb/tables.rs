//! What is in the file.

use std::time::SystemTime;

use bytes::Bytes;
use redb::{
    Database, Error, ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, WriteTransaction,
};

use super::writer::Op;
use crate::log::ReadLimit;
use crate::store::{Entry, Kept, Opened, Read, StoreError, TopicKey};
use crate::topic::new_epoch;
use crate::{Cursor, Retention};

/// Key of the topic: number, epoch, start, head, closed, events, bytes.
const TOPICS: TableDefinition<'_, &[u8], TopicRow> = TableDefinition::new("topics");
type TopicRow = (u64, u64, u64, u64, bool, u64, u64);

/// Number of the topic and of the entry: time, whether terminal, key, bytes.
const ENTRIES: TableDefinition<'_, (u64, u64), Columns<'_>> = TableDefinition::new("entries");
type Columns<'a> = (u64, bool, Option<&'a str>, &'a [u8]);

/// Number of the topic and key of an entry: number of the newest one.
const LATEST: TableDefinition<'_, (u64, &str), u64> = TableDefinition::new("latest");

/// Makes the tables, so that reading finds them.
pub(super) fn create(database: &Database) -> Result<(), Error> {
    let transaction = database.begin_write()?;
    Tables::new(&transaction)?;
    transaction.commit()?;
    Ok(())
}

/// The tables, to be changed.
pub(super) struct Tables<'t> {
    topics: Table<'t, &'static [u8], TopicRow>,
    entries: Table<'t, (u64, u64), Columns<'static>>,
    latest: Table<'t, (u64, &'static str), u64>,
    /// Whether there is anything to commit.
    pub(super) changed: bool,
}

/// The tables as they were at a commit.
pub(super) struct Snapshot {
    topics: ReadOnlyTable<&'static [u8], TopicRow>,
    entries: ReadOnlyTable<(u64, u64), Columns<'static>>,
}

/// A row of the topics.
#[derive(Clone, Copy)]
struct Topic {
    number: u64,
    at: Opened,
    events: u64,
    bytes: u64,
}

impl<'t> Tables<'t> {
    pub(super) fn new(transaction: &'t WriteTransaction) -> Result<Self, Error> {
        Ok(Self {
            topics: transaction.open_table(TOPICS)?,
            entries: transaction.open_table(ENTRIES)?,
            latest: transaction.open_table(LATEST)?,
            changed: false,
        })
    }

    /// Makes a change, or refuses it before anything is changed.
    pub(super) fn change(
        &mut self,
        key: &TopicKey,
        op: &Op,
    ) -> Result<Result<Opened, StoreError>, Error> {
        let found = Topic::find(&self.topics, key)?;
        let mut topic = match (found, op) {
            (Some(topic), Op::Open) => return Ok(Ok(topic.at)),
            (Some(topic), _) => topic,
            // Topics are never removed, so their count is a new number.
            (None, Op::Open) => Topic::new(self.topics.len()?),
            (None, _) => return Ok(Err(StoreError::NotOpened)),
        };
        match op {
            Op::Open => {}
            Op::Append {
                first,
                entries,
                close,
            } => {
                let last = match topic.at.check_append(*first, entries.len()) {
                    Ok(last) => last,
                    Err(refused) => return Ok(Err(refused)),
                };
                for (seq, entry) in (first.seq()..).zip(entries) {
                    self.insert(&mut topic, seq, entry)?;
                }
                topic.at.head = last;
                topic.at.closed = *close;
            }
            Op::Trim { retention, now } => self.trim(&mut topic, *retention, *now)?,
        }
        if found.is_none_or(|before| before.row() != topic.row()) {
            self.topics.insert(key.as_bytes(), topic.row())?;
            self.changed = true;
        }
        Ok(Ok(topic.at))
    }

    fn insert(&mut self, topic: &mut Topic, seq: u64, entry: &Entry) -> Result<(), Error> {
        if let Some(key) = entry.key() {
            let older = self.latest.insert((topic.number, key), seq)?;
            let older = older.map(|older| older.value());
            if let Some(older) = older
                && let Some(replaced) = self.entries.remove((topic.number, older))?
            {
                topic.events = topic.events.saturating_sub(1);
                let bytes = replaced.value().3.len() as u64;
                topic.bytes = topic.bytes.saturating_sub(bytes);
            }
        }
        let bytes = &entry.bytes()[..];
        let columns = (entry.millis(), entry.is_terminal(), entry.key(), bytes);
        self.entries.insert((topic.number, seq), columns)?;
        topic.events += 1;
        topic.bytes += bytes.len() as u64;
        Ok(())
    }

    fn trim(
        &mut self,
        topic: &mut Topic,
        retention: Retention,
        now: SystemTime,
    ) -> Result<(), Error> {
        let mut gone = Vec::new();
        for row in self
            .entries
            .range(topic.entries_after(topic.at.start.seq()))?
        {
            let (at, row) = row?;
            let (millis, _, key, bytes) = row.value();
            let Topic {
                events,
                bytes: held,
                ..
            } = *topic;
            let kept = Kept {
                events,
                bytes: held,
                closed: topic.at.closed,
            };
            if !kept.exceeds(retention, millis, now) {
                break;
            }
            let seq = at.value().1;
            topic.at.start = Cursor::new(topic.at.start.epoch(), seq);
            topic.events = topic.events.saturating_sub(1);
            topic.bytes = topic.bytes.saturating_sub(bytes.len() as u64);
            gone.push((seq, key.map(str::to_owned)));
        }
        for (seq, key) in gone {
            self.entries.remove((topic.number, seq))?;
            if let Some(key) = key {
                self.latest.remove((topic.number, &*key))?;
            }
        }
        Ok(())
    }
}

impl Snapshot {
    pub(super) fn new(transaction: &ReadTransaction) -> Result<Self, Error> {
        Ok(Self {
            topics: transaction.open_table(TOPICS)?,
            entries: transaction.open_table(ENTRIES)?,
        })
    }

    /// What comes after a cursor; `None` if there is no such topic.
    pub(super) fn read(
        &self,
        key: &TopicKey,
        after: Cursor,
        limit: ReadLimit,
    ) -> Result<Option<Read>, Error> {
        let Some(topic) = Topic::find(&self.topics, key)? else {
            return Ok(None);
        };
        if let Some(read) = topic.at.read_edge(after) {
            return Ok(Some(read));
        }
        let (mut entries, mut room) = (Vec::new(), limit.max_bytes());
        let rows = self.entries.range(topic.entries_after(after.seq()))?;
        for row in rows.take(limit.max_events() as usize) {
            let (at, row) = row?;
            let (millis, terminal, key, bytes) = row.value();
            if bytes.len() > room && !entries.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes.len());
            let entry = Entry::restored(Bytes::copy_from_slice(bytes), key, terminal, millis);
            entries.push((Cursor::new(after.epoch(), at.value().1), entry));
        }
        Ok(Some(Read::Entries(entries)))
    }
}

impl Topic {
    fn new(number: u64) -> Self {
        let start = Cursor::new(new_epoch(), 0);
        let at = Opened {
            start,
            head: start,
            closed: false,
        };
        Self {
            number,
            at,
            events: 0,
            bytes: 0,
        }
    }

    fn find(
        topics: &impl ReadableTable<&'static [u8], TopicRow>,
        key: &TopicKey,
    ) -> Result<Option<Self>, Error> {
        let row = topics.get(key.as_bytes())?;
        Ok(row.map(|row| {
            let (number, epoch, start, head, closed, events, bytes) = row.value();
            let (start, head) = (Cursor::new(epoch, start), Cursor::new(epoch, head));
            let at = Opened {
                start,
                head,
                closed,
            };
            Self {
                number,
                at,
                events,
                bytes,
            }
        }))
    }

    fn row(&self) -> TopicRow {
        let Opened {
            start,
            head,
            closed,
        } = self.at;
        let (start, epoch, head) = (start.seq(), head.epoch(), head.seq());
        (
            self.number,
            epoch,
            start,
            head,
            closed,
            self.events,
            self.bytes,
        )
    }

    /// The numbers of its entries after `seq`, which is below the newest.
    fn entries_after(&self, seq: u64) -> std::ops::RangeInclusive<(u64, u64)> {
        (self.number, seq.saturating_add(1))..=(self.number, u64::MAX)
    }
}
