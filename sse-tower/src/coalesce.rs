//! Adjacent events of a stream become one.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use pin_project_lite::pin_project;
use sse_core::SseEvent;
use tokio::time::{Instant, Sleep, sleep_until};

/// Joins adjacent events, on streams of events and of `Result`s of anything.
///
/// `Form` tells the two apart and is inferred: `(E,)`, or `Result<E, X>`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use futures_util::{StreamExt, stream};
/// use sse_tower::{CoalesceExt, SseEvent};
///
/// #[derive(SseEvent, Clone, Debug, PartialEq)]
/// enum Answer {
///     Started,
///     Text(String),
///     #[sse(terminal)]
///     Finished,
/// }
///
/// impl Answer {
///     fn merge(&mut self, next: Self) -> Option<Self> {
///         match (self, next) {
///             (Self::Text(text), Self::Text(more)) => text.push_str(&more),
///             (_, next) => return Some(next),
///         }
///         None
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let text = |text: &str| Answer::Text(text.into());
/// let upstream = [Answer::Started, text("a"), text("b"), text("c"), Answer::Finished];
/// let events = stream::iter(upstream).coalesce(Duration::from_millis(20), Answer::merge);
/// assert_eq!(
///     events.collect::<Vec<_>>().await,
///     // The first text does not wait for the others.
///     [Answer::Started, text("a"), text("bc"), Answer::Finished]
/// );
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "the items of `{Self}` cannot be coalesced",
    label = "no stream of events that are `Clone`",
    note = "its items are events, or `Result`s of anything, that implement `Clone`"
)]
pub trait CoalesceExt<Form>: Stream + Sized {
    /// What is joined: the item, or what is in its `Ok`.
    type Event: Clone;

    /// Joins events that follow each other within `window`, such as the deltas of a language
    /// model, of which hundreds a second are of no use to a page.
    ///
    /// `merge` adds the second event to the first, or gives it back if the two do not belong
    /// together. If they have ids, the first takes that of the second: a client that comes back
    /// with the older one would be sent again what it has seen. Then:
    ///
    /// - An event that does not continue the one before it is never delayed: the first delta of
    ///   an answer, and every event after a silence of `window`, passes at once.
    /// - One that does is held, with what continues it, until `window` is over since the last
    ///   event passed.
    /// - An event that does not continue what is held, an error and the end let go of it at
    ///   once. The order stays.
    /// - No more than 64 events become one; [`at_most`](Coalesce::at_most) sets another number.
    ///
    /// So a run of deltas is one event in `window`, and none of it is later than that. With 20 ms
    /// nobody sees a difference. Clamped to an hour.
    ///
    /// To learn whether an event continues one that has passed already, `merge` is called with a
    /// copy of that one, which is dropped.
    ///
    /// The stream is polled on a tokio runtime with its timer enabled. It has a timer only while
    /// it holds something.
    fn coalesce<M>(self, window: Duration, merge: M) -> Coalesce<Self, Self::Event, M>
    where
        M: FnMut(&mut Self::Event, Self::Event) -> Option<Self::Event>;
}

impl<S: Stream<Item: SseEvent + Clone>> CoalesceExt<(S::Item,)> for S {
    type Event = S::Item;

    fn coalesce<M>(self, window: Duration, merge: M) -> Coalesce<Self, S::Item, M>
    where
        M: FnMut(&mut S::Item, S::Item) -> Option<S::Item>,
    {
        Coalesce::new(self, window, merge, Ok, |event| event)
    }
}

impl<S: Stream<Item = Result<E, X>>, E: Clone, X> CoalesceExt<Result<E, X>> for S {
    type Event = E;

    fn coalesce<M>(self, window: Duration, merge: M) -> Coalesce<Self, E, M>
    where
        M: FnMut(&mut E, E) -> Option<E>,
    {
        Coalesce::new(self, window, merge, |item| item.map_err(Err), Ok)
    }
}

pin_project! {
    /// A stream whose adjacent events are joined; made by [`CoalesceExt::coalesce`].
    #[must_use = "streams do nothing unless polled"]
    pub struct Coalesce<S, E, M>
    where
        S: Stream,
    {
        // Gone at the end.
        #[pin]
        stream: Option<S>,
        // Only while something is held.
        #[pin]
        timer: Option<Sleep>,
        held: Held<E>,
        // Follows at once on what was held.
        next: Option<S::Item>,
        merge: M,
        event_of: fn(S::Item) -> Result<E, S::Item>,
        item_of: fn(E) -> S::Item,
    }
}

/// What waits, and what it waits for.
struct Held<E> {
    window: Duration,
    most: usize,
    event: Option<E>,
    /// How many events it was.
    count: usize,
    /// A copy of the event that passed last, and when its window is over.
    passed: Option<(E, Instant)>,
}

/// What becomes of an event.
enum Added<E> {
    Held,
    Passes(E),
    /// What was held passes, and then the other.
    Displaces(E, E),
}

const LONGEST_WINDOW: Duration = Duration::from_secs(60 * 60);

impl<S: Stream, E: Clone, M> Coalesce<S, E, M> {
    fn new(
        stream: S,
        window: Duration,
        merge: M,
        event_of: fn(S::Item) -> Result<E, S::Item>,
        item_of: fn(E) -> S::Item,
    ) -> Self {
        Self {
            stream: Some(stream),
            timer: None,
            held: Held {
                window: window.min(LONGEST_WINDOW),
                most: 64,
                event: None,
                count: 0,
                passed: None,
            },
            next: None,
            merge,
            event_of,
            item_of,
        }
    }

    /// Joins at most so many events into one. Default: 64. At least one.
    ///
    /// It bounds what a merged event can grow to: that number times what one event of the
    /// upstream may have.
    pub fn at_most(mut self, events: usize) -> Self {
        self.held.most = events;
        self
    }
}

impl<S, E, M> Stream for Coalesce<S, E, M>
where
    S: Stream,
    E: Clone,
    M: FnMut(&mut E, E) -> Option<E>,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        if let Some(item) = this.next.take() {
            return Poll::Ready(Some(item));
        }
        loop {
            let Some(stream) = this.stream.as_mut().as_pin_mut() else {
                return Poll::Ready(None);
            };
            let released = match stream.poll_next(cx) {
                Poll::Ready(Some(item)) => match (this.event_of)(item) {
                    Ok(event) => match this.held.add(event, this.merge) {
                        Added::Held => continue,
                        Added::Passes(event) => event,
                        Added::Displaces(event, next) => {
                            *this.next = Some((this.item_of)(next));
                            event
                        }
                    },
                    Err(error) => {
                        this.held.passed = None;
                        let Some(event) = this.held.event.take() else {
                            return Poll::Ready(Some(error));
                        };
                        *this.next = Some(error);
                        event
                    }
                },
                Poll::Ready(None) => {
                    this.stream.set(None);
                    this.timer.set(None);
                    return Poll::Ready(this.held.event.take().map(this.item_of));
                }
                Poll::Pending => {
                    let Some(until) = this.held.until() else {
                        return Poll::Pending;
                    };
                    if this.timer.is_none() {
                        this.timer.set(Some(sleep_until(until)));
                    }
                    if let Some(timer) = this.timer.as_mut().as_pin_mut() {
                        ready!(timer.poll(cx));
                    }
                    let Some(event) = this.held.release() else {
                        continue;
                    };
                    event
                }
            };
            this.timer.set(None);
            return Poll::Ready(Some((this.item_of)(released)));
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ours = usize::from(self.held.event.is_some()) + usize::from(self.next.is_some());
        let theirs = self.stream.as_ref().map_or((0, Some(0)), S::size_hint);
        // All that comes may become one.
        (
            ours.max(theirs.0.min(1)),
            theirs.1.and_then(|most| most.checked_add(ours)),
        )
    }
}

impl<S, E, M> FusedStream for Coalesce<S, E, M>
where
    S: Stream,
    E: Clone,
    M: FnMut(&mut E, E) -> Option<E>,
{
    fn is_terminated(&self) -> bool {
        self.stream.is_none() && self.next.is_none()
    }
}

impl<E: Clone> Held<E> {
    fn add(&mut self, event: E, merge: &mut impl FnMut(&mut E, E) -> Option<E>) -> Added<E> {
        if let Some(held) = &mut self.event {
            return match merge(held, event) {
                None => {
                    self.count += 1;
                    self.if_full()
                }
                Some(event) => {
                    self.passes(&event);
                    match self.event.take() {
                        Some(held) => Added::Displaces(held, event),
                        None => Added::Passes(event),
                    }
                }
            };
        }
        let open = self.passed.take().filter(|(_, end)| Instant::now() < *end);
        if let Some((mut before, end)) = open {
            let copy = event.clone();
            let Some(event) = merge(&mut before, event) else {
                self.event = Some(copy);
                self.count = 1;
                self.passed = Some((before, end));
                return self.if_full();
            };
            self.passes(&event);
            return Added::Passes(event);
        }
        self.passes(&event);
        Added::Passes(event)
    }

    fn if_full(&mut self) -> Added<E> {
        if self.count < self.most {
            return Added::Held;
        }
        self.release().map_or(Added::Held, Added::Passes)
    }

    /// Lets go of what is held.
    fn release(&mut self) -> Option<E> {
        let event = self.event.take()?;
        self.passes(&event);
        Some(event)
    }

    fn passes(&mut self, event: &E) {
        self.passed = Some((event.clone(), Instant::now() + self.window));
    }

    /// When what is held has waited long enough.
    fn until(&self) -> Option<Instant> {
        self.event.as_ref()?;
        self.passed.as_ref().map(|(_, end)| *end)
    }
}

impl<S: Stream, E, M> fmt::Debug for Coalesce<S, E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalesce")
            .field("window", &self.held.window)
            .field("at_most", &self.held.most)
            .finish_non_exhaustive()
    }
}
