//! Who reads a topic, from where on, and how far behind they are.

use std::sync::Arc;

use sse_core::log::{Behind, GapCause};
use sse_core::{Cursor, Gap, Missed as LogMissed, SseEvent};

use super::DurableTopic;
use super::reader::DurableReader;
use super::shared::Shared;
use crate::extract::Resume;
use crate::topic::topic::now;
use crate::topic::{Missed, Subscription, TopicClosed};

impl<E: SseEvent> DurableTopic<E> {
    /// Subscribes where `resume` says: after the cursor that the client has seen, or, if it has
    /// seen nothing, to what is published from now on. Of a topic that is closed, that is its last
    /// event.
    ///
    /// # Errors
    ///
    /// As [`Topic::subscribe`](crate::Topic::subscribe): a gap is told for what is not in the
    /// store any more. [`Missed::Stopped`] if another writer has taken the topic over, which is
    /// noticed at the first commit after that, or if it was [stopped](Self::stop): what this
    /// process knows of the topic is old.
    pub fn subscribe(&self, resume: Resume<Cursor>) -> Result<Subscription<E>, Missed> {
        match resume {
            _ if self.shared.has_stopped() => Err(Missed::Stopped),
            Resume::Fresh => {
                let live = self.live();
                match self.is_closed() && live.cursor() == self.head() {
                    true => Err(Missed::Closed(TopicClosed)),
                    false => Ok(live),
                }
            }
            Resume::After(cursor) => self.subscribe_after(cursor).map(Subscription::resumed),
            Resume::Unreadable(_) => Err(Missed::Unreadable),
        }
    }

    fn subscribe_after(&self, cursor: Cursor) -> Result<Subscription<E>, Missed> {
        let start = self.shared.start();
        let cause = match self.shared.log.reader_after(cursor) {
            Ok(reader) => {
                let reader = DurableReader::live(Arc::clone(&self.shared), reader);
                return Ok(Subscription::durable(reader));
            }
            Err(LogMissed::Gap(gap)) => gap.cause(),
            Err(missed) => return Err(missed.into()),
        };
        if cause == GapCause::Evicted && cursor.seq() >= start.seq() {
            return Ok(self.behind(cursor));
        }
        Err(Missed::Gap(Gap::new(cursor, start, cause)))
    }

    /// Subscribes to what is published from now on. Of a topic that is closed, that is its last
    /// event.
    ///
    /// With a snapshot, subscribe first and take the snapshot then, as with
    /// [`Topic::live`](crate::Topic::live). It ends at once if the topic has
    /// [stopped](Missed::Stopped).
    pub fn live(&self) -> Subscription<E> {
        let reader = self.shared.log.reader();
        if self.is_closed() && reader.cursor() == self.head() {
            // It was closed in another process, so its last event is not in the ring.
            return self.behind(self.shared.before_latest());
        }
        Subscription::durable(DurableReader::live(Arc::clone(&self.shared), reader))
    }

    /// Subscribes to everything that the store has, and what is published from now on.
    ///
    /// It ends before that if the topic has [stopped](Missed::Stopped).
    pub fn from_start(&self) -> Subscription<E> {
        self.behind(self.shared.start())
    }

    /// The newest cursor that was given out.
    #[must_use]
    pub fn head(&self) -> Cursor {
        self.shared.log.head()
    }

    /// How many subscriptions there are.
    #[must_use]
    pub fn subscribers(&self) -> usize {
        self.shared.log.readers() + self.shared.places.readers()
    }

    /// How far the slowest subscriber is behind; `None` without subscribers. Bytes and age are of
    /// what the ring holds.
    ///
    /// As with [`Topic::slowest`](crate::Topic::slowest), a client that stopped reading is seen
    /// here, and it is for a metric rather than for each event.
    #[must_use]
    pub fn slowest(&self) -> Option<Behind> {
        let Shared { log, places, .. } = &*self.shared;
        let store = places.lowest();
        let store = store.map(|seq| log.behind(Cursor::new(log.head().epoch(), seq), now()));
        let all = log.slowest(now()).into_iter().chain(store);
        all.max_by_key(|behind| behind.events)
    }

    /// How many subscribers are behind what the store keeps: they [lag](crate::Lag), whether they
    /// are polled or not, and what they missed is gone.
    #[must_use]
    pub fn lagging(&self) -> usize {
        let (start, shared) = (self.shared.start(), &*self.shared);
        shared.log.readers_before(start) + shared.places.before(start.seq())
    }

    /// Whether the topic is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.log.is_closed()
    }

    fn behind(&self, cursor: Cursor) -> Subscription<E> {
        Subscription::durable(DurableReader::behind(Arc::clone(&self.shared), cursor))
    }
}
