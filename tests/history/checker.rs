//! What a client was sent, against what was published.

use std::collections::HashMap;

use sse_tower::Cursor;

use crate::record::Record;

/// What one client asked for and got, connection by connection.
pub(crate) type History = Vec<Connection>;

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) asked: Asked,
    pub(crate) got: Vec<Item>,
    pub(crate) end: End,
}

/// The `Last-Event-ID` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    After(Cursor),
    /// It has seen the event that ends the stream.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Event {
        cursor: Cursor,
        payload: u64,
    },
    Gap(Told),
    /// A checkpoint.
    Mark(Cursor),
}

/// A gap that the client was told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) requested: Cursor,
    pub(crate) resume: Cursor,
    /// The newest cursor when the server wrote this, if it still knew.
    pub(crate) head: Option<Cursor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The connection broke.
    Cut,
    /// The client left.
    Left,
    /// The body ended as it should.
    Whole,
    /// There was no body: 204.
    NoContent,
}

/// What is wrong with a history, or with the numbers that publishers were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A publisher's event got a lower number than the one before it.
    Reordered(Cursor),
    /// A number of this epoch was left out, given out twice, or given to nobody.
    Misnumbered(u64),
    /// Nothing with this cursor was published.
    Invented(Cursor),
    /// Something else was published with this cursor.
    Changed(Cursor),
    /// Two events next to each other on one connection are not neighbours.
    Jumped { from: Cursor, to: Cursor },
    /// An event came again, or after a later one, on one connection.
    Repeated { after: Cursor, got: Cursor },
    /// A client that drops what it has seen misses something and was not told.
    Untold { after: Cursor, got: Cursor },
    /// The gap does not begin where the client stood, or leads nowhere.
    WrongBounds(Told),
    /// The gap counts events as lost that were still kept.
    StillKept(Told),
    /// A checkpoint is not where the client stands.
    Misplaced(Cursor),
    /// A client that was sent an id came back without one.
    Forgotten(Cursor),
    /// An event was told as lost and sent later.
    CameBack(Cursor),
    /// The stream ended, or was said to be over, before the last event.
    EndedEarly(Option<Cursor>),
    /// The client was never told that the stream is over.
    NeverEnded,
}

/// What a history consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Events, without those that came again.
    pub(crate) delivered: u64,
    /// Events that came again because the client asked for them.
    pub(crate) repeated: u64,
    pub(crate) gaps: u64,
    /// Events that were told as lost, within one epoch.
    pub(crate) lost: u64,
    /// Gaps from one epoch to the next.
    pub(crate) epochs: u64,
    /// Checkpoints.
    pub(crate) marks: u64,
}

/// Goes through a history as a client does that drops what it has seen.
pub(crate) fn check(record: &Record, history: &[Connection]) -> Result<Tally, Fault> {
    let mut reader = Reader {
        record,
        tally: Tally::default(),
        place: None,
        known: None,
        told: HashMap::new(),
    };
    for connection in history {
        reader.connection(connection)?;
    }
    if history.last().is_none_or(|last| last.end != End::NoContent) {
        return Err(Fault::NeverEnded);
    }
    Ok(reader.tally)
}

struct Reader<'a> {
    record: &'a Record,
    tally: Tally,
    /// Up to here the client was sent everything, or told that it is lost.
    place: Option<Cursor>,
    /// The last id that it was sent.
    known: Option<Cursor>,
    /// The newest number of each epoch that was told as lost.
    told: HashMap<u64, u64>,
}

impl Reader<'_> {
    fn connection(&mut self, connection: &Connection) -> Result<(), Fault> {
        // On the wire there is no leeway: each item follows from the one before it.
        let mut at = match connection.asked {
            Asked::After(cursor) => Some(cursor),
            Asked::Nothing => match self.known {
                Some(known) => return Err(Fault::Forgotten(known)),
                None => {
                    self.place = None;
                    None
                }
            },
            Asked::End => Some(self.record.last()),
        };
        for item in &connection.got {
            at = Some(match *item {
                Item::Event { cursor, payload } => {
                    self.event(at, cursor, payload)?;
                    self.known = Some(cursor);
                    cursor
                }
                Item::Gap(told) => {
                    self.gap(at, told)?;
                    told.resume
                }
                Item::Mark(cursor) => {
                    self.mark(at, cursor)?;
                    self.known = Some(cursor);
                    cursor
                }
            });
        }
        let last = self.record.last();
        let early = match connection.end {
            End::Cut | End::Left => false,
            // To who has seen nothing, a closed topic has nothing to say.
            End::NoContent => {
                at.is_some_and(|at| at != last) || self.place.is_some_and(|it| it != last)
            }
            // A log that is gone ends its streams, and the next one tells of the gap.
            End::Whole => at.is_some_and(|at| at.epoch() == last.epoch() && at != last),
        };
        if early {
            return Err(Fault::EndedEarly(at));
        }
        Ok(())
    }

    fn event(&mut self, at: Option<Cursor>, got: Cursor, payload: u64) -> Result<(), Fault> {
        match self.record.payload(got) {
            None => return Err(Fault::Invented(got)),
            Some(published) if published != payload => return Err(Fault::Changed(got)),
            Some(_) => {}
        }
        if let Some(at) = at {
            if at.epoch() == got.epoch() && got.seq() <= at.seq() {
                return Err(Fault::Repeated { after: at, got });
            }
            if !follows(at, got) {
                return Err(Fault::Jumped { from: at, to: got });
            }
        }
        if self
            .told
            .get(&got.epoch())
            .is_some_and(|told| got.seq() <= *told)
        {
            return Err(Fault::CameBack(got));
        }
        match self.place {
            Some(place) if place.epoch() == got.epoch() && got.seq() <= place.seq() => {
                self.tally.repeated += 1;
                return Ok(());
            }
            Some(after) if !follows(after, got) => return Err(Fault::Untold { after, got }),
            _ => {}
        }
        self.tally.delivered += 1;
        self.place = Some(got);
        Ok(())
    }

    /// A client that was sent nothing stands there now; any other stood there already.
    fn mark(&mut self, at: Option<Cursor>, cursor: Cursor) -> Result<(), Fault> {
        let exists = cursor.seq() == 0 && self.record.order(cursor).is_some();
        if !exists && !self.record.has(cursor) || at.is_some_and(|at| at != cursor) {
            return Err(Fault::Misplaced(cursor));
        }
        self.place.get_or_insert(cursor);
        self.tally.marks += 1;
        Ok(())
    }

    fn gap(&mut self, at: Option<Cursor>, told: Told) -> Result<(), Fault> {
        let Told {
            requested,
            resume,
            head,
        } = told;
        let order = |cursor| self.record.order(cursor);
        let (from, to) = (order(requested), order(resume));
        let forward = from < to || from == to && requested.seq() < resume.seq();
        let known = from.is_some() && (resume.seq() == 0 || self.record.has(resume));
        if !forward || !known || at.is_some_and(|at| at != requested) {
            return Err(Fault::WrongBounds(told));
        }
        // The log keeps so many of the newest, and only what came before them is lost.
        let removed = |head: Cursor| head.seq().saturating_sub(self.record.kept());
        if head.is_some_and(|head| head.epoch() == resume.epoch() && resume.seq() > removed(head)) {
            return Err(Fault::StillKept(told));
        }
        if let Some(after) = self.place
            && after.epoch() == requested.epoch()
            && after.seq() < requested.seq()
        {
            let got = requested;
            return Err(Fault::Untold { after, got });
        }
        let newest = self.told.entry(resume.epoch()).or_default();
        *newest = resume.seq().max(*newest);
        self.tally.gaps += 1;
        match self.place {
            Some(place) if place.epoch() == resume.epoch() => {
                self.tally.lost += resume.seq().saturating_sub(place.seq());
                if resume.seq() > place.seq() {
                    self.place = Some(resume);
                }
            }
            _ => {
                self.tally.epochs += u64::from(from != to);
                self.place = Some(resume);
            }
        }
        Ok(())
    }
}

fn follows(before: Cursor, next: Cursor) -> bool {
    before.epoch() == next.epoch() && before.seq() + 1 == next.seq()
}
