//! What was published.

use std::collections::{HashMap, HashSet};

use sse_tower::Cursor;

use crate::checker::{Fault, History, Item};

/// What a publisher was told of an event, and what the event was. Nothing, if the server died
/// before it answered: the event was published or not.
pub(crate) type Published = (Option<Cursor>, u64);

#[derive(Debug)]
pub(crate) struct Record {
    /// How many events the log keeps.
    kept: u64,
    /// The epochs in their order, and in each the payloads in theirs. Of an event that nobody
    /// was told of and nobody was sent, the payload is not known.
    epochs: Vec<(u64, Vec<Option<u64>>)>,
    /// How many events were published though nobody was told so.
    unanswered: usize,
}

impl Record {
    /// Puts together what each publisher had published, in its order; the last event of all
    /// closed the topic. Which number an event has that was published without an answer, is
    /// taken from the histories.
    pub(crate) fn of(
        kept: u64,
        epochs: &[u64],
        publishers: &[Vec<Published>],
        histories: &[History],
    ) -> Result<Self, Fault> {
        let mut record = Self {
            kept,
            epochs: Vec::new(),
            unanswered: 0,
        };
        let all = || publishers.iter().flatten();
        for &epoch in epochs {
            let told = all().filter_map(|(cursor, payload)| Some(((*cursor)?, payload)));
            let mut told: Vec<_> = told.filter(|(it, _)| it.epoch() == epoch).collect();
            told.sort_unstable_by_key(|(cursor, _)| cursor.seq());
            let mut payloads = Vec::new();
            for (cursor, payload) in told {
                let left_out = cursor.seq().checked_sub(payloads.len() as u64 + 1);
                let left_out = left_out.ok_or(Fault::Misnumbered(epoch))?;
                payloads.extend((0..left_out).map(|_| None));
                payloads.push(Some(*payload));
                record.unanswered += left_out as usize;
            }
            record.epochs.push((epoch, payloads));
            if record.unanswered > all().filter(|(cursor, _)| cursor.is_none()).count() {
                return Err(Fault::Misnumbered(epoch));
            }
        }
        let unanswered = all().filter(|(cursor, _)| cursor.is_none());
        let mut unanswered: HashSet<u64> = unanswered.map(|(_, payload)| *payload).collect();
        let mut places = HashMap::new();
        for item in histories.iter().flatten().flat_map(|it| &it.got) {
            if let Item::Event { cursor, payload } = *item
                && let Some(place @ None) = record.place(cursor)
                && unanswered.remove(&payload)
            {
                *place = Some(payload);
                places.insert(payload, cursor);
            }
        }
        for publisher in publishers {
            let cursors = publisher.iter();
            let cursors = cursors.filter_map(|(told, sent)| told.or(places.get(sent).copied()));
            let cursors: Vec<_> = cursors.collect();
            for pair in cursors.windows(2) {
                let (before, after) = (pair[0], pair[1]);
                if before.epoch() == after.epoch() && before.seq() > after.seq() {
                    return Err(Fault::Reordered(after));
                }
            }
        }
        Ok(record)
    }

    pub(crate) fn kept(&self) -> u64 {
        self.kept
    }

    pub(crate) fn published(&self) -> usize {
        self.epochs.iter().map(|(_, payloads)| payloads.len()).sum()
    }

    pub(crate) fn unanswered(&self) -> usize {
        self.unanswered
    }

    pub(crate) fn last(&self) -> Cursor {
        let (epoch, payloads) = self.epochs.last().expect("there was a topic");
        Cursor::new(*epoch, payloads.len() as u64)
    }

    pub(crate) fn has(&self, cursor: Cursor) -> bool {
        self.get(cursor).is_some()
    }

    pub(crate) fn payload(&self, cursor: Cursor) -> Option<u64> {
        self.get(cursor)?
    }

    /// Which of the epochs a cursor is of.
    pub(crate) fn order(&self, cursor: Cursor) -> Option<usize> {
        let mut epochs = self.epochs.iter();
        epochs.position(|(epoch, _)| *epoch == cursor.epoch())
    }

    fn get(&self, cursor: Cursor) -> Option<Option<u64>> {
        let (_, payloads) = &self.epochs[self.order(cursor)?];
        payloads.get(index(cursor)?).copied()
    }

    fn place(&mut self, cursor: Cursor) -> Option<&mut Option<u64>> {
        let epoch = self.order(cursor)?;
        self.epochs[epoch].1.get_mut(index(cursor)?)
    }
}

fn index(cursor: Cursor) -> Option<usize> {
    usize::try_from(cursor.seq().checked_sub(1)?).ok()
}
