//! What a subscription gives next.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use sse_core::log::Read;
use sse_core::{Block, Cursor, EventBuffer, Gap};

use super::{End, Subscription};
use crate::body::{Filled, MaybeBatch, Source};
use crate::life::CloseReason;
use crate::topic::edit::CHECKPOINT;
use crate::topic::lag::{Lagged, Policy};

/// The blocks that are sent, and no block for the end.
///
/// As a response, a subscription that is over tells a client that was not sent the last event
/// that there is no more, by the end marker of [`SseLayer`](crate::SseLayer). A stream that is
/// made of this one goes on behind it, and ends like any other: the browser comes back.
impl<E> Stream for Subscription<E> {
    type Item = Result<Block, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // A reader whose events are all left out must let others run too.
        for _ in 0..16 {
            if this.end.is_some() {
                return Poll::Ready(None);
            }
            let block = match this.reader.poll_next(cx) {
                Poll::Pending => {
                    return match this.checkpoint_at_rest() {
                        Some(block) => Poll::Ready(Some(Ok(block))),
                        None => Poll::Pending,
                    };
                }
                Poll::Ready(Read::Block(block)) if this.edit.is_none() => {
                    this.untold &= block.last_id().is_none();
                    return Poll::Ready(Some(Ok(block)));
                }
                Poll::Ready(Read::Block(block)) => this.sift(block),
                Poll::Ready(Read::Gap(gap)) => match this.fall_behind(gap) {
                    Ok(told) => told,
                    Err(lagged) => {
                        this.end = Some(End::Lagged);
                        return Poll::Ready(Some(Err(lagged)));
                    }
                },
                Poll::Ready(Read::Closed) => {
                    this.end = Some(End::Closed);
                    None
                }
                Poll::Ready(_) => {
                    this.end = Some(End::Detached);
                    None
                }
            };
            if let Some(block) = block {
                return Poll::Ready(Some(Ok(block)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<E> Source for Subscription<E> {
    fn poll_fill(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        batch: &mut MaybeBatch,
    ) -> Poll<Filled> {
        let next = ready!(self.as_mut().poll_next(cx));
        let filled = filled(next, self.end, self.take_waited());
        if matches!(filled, Filled::Over(_)) && self.take_untold() {
            end_without_event(batch);
        }
        Poll::Ready(filled)
    }
}

/// As for any stream of blocks, but they are moved, and the end is told from others.
pub(in crate::topic) fn filled(
    next: Option<Result<Block, Lagged>>,
    end: Option<End>,
    waited: Option<u64>,
) -> Filled {
    match (next, end) {
        (Some(Ok(block)), _) => Filled::Block(block, waited),
        (Some(Err(lagged)), _) => Filled::Failed(lagged.into()),
        // The topic is not over, so what follows its last event must not follow here.
        (None, Some(End::Detached)) => Filled::Over(CloseReason::Shutdown),
        (None, _) => Filled::Over(CloseReason::Ended),
    }
}

/// The place behind a block, if it has one.
fn place(block: &Block) -> Option<Cursor> {
    block.last_id()?.as_str().parse().ok()
}

/// Ends the response to a client that was not sent the last event, and would come back for it.
///
/// What a handler adds to the end still follows. In the stream this would be the end of whatever
/// it is merged with.
pub(in crate::topic) fn end_without_event(batch: &mut MaybeBatch) {
    let end = Block::stored(Bytes::new(), 0, None, true);
    batch.get_or_insert_default().add_block(end, true);
}

impl<E> Subscription<E> {
    /// Whether the topic is over and the client was not sent its last event; told once.
    pub(in crate::topic) fn take_untold(&mut self) -> bool {
        mem::take(&mut self.untold) && self.end == Some(End::Closed)
    }

    /// What this client is sent of a block; if nothing, a checkpoint, if it is time.
    fn sift(&mut self, block: Block) -> Option<Block> {
        let newest = block.last_id().is_some().then(|| self.cursor());
        let (events, last) = (block.events(), block.is_terminal());
        let kept = match &mut self.edit {
            Some(edit) => edit.filter(block),
            None => Some(block),
        };
        let sent = match &kept {
            Some(kept) if kept.events() == events => newest,
            kept => kept.as_ref().and_then(place),
        };
        self.note(newest, sent);
        match kept {
            Some(kept) => Some(self.seal(kept)),
            // The end is told otherwise.
            None if last => None,
            // Not only at rest, which a busy topic may never be.
            None => self.checkpoint(),
        }
    }

    /// A checkpoint, if it is time and no event is on its way from a store.
    fn checkpoint_at_rest(&mut self) -> Option<Block> {
        if self.edit.is_none() || self.is_reading() {
            return None;
        }
        self.checkpoint()
    }

    /// A checkpoint, if it is time.
    fn checkpoint(&mut self) -> Option<Block> {
        let cursor = self.cursor();
        let known = &mut self.edit.as_mut()?.checkpoints.as_mut()?.known;
        let ahead = |known: Cursor| cursor.seq().saturating_sub(known.seq());
        if known.is_some_and(|known| ahead(known) < CHECKPOINT) {
            return None;
        }
        *known = Some(cursor);
        self.untold = false;
        let mut buffer = EventBuffer::new();
        buffer.checkpoint(&cursor.into());
        Some(self.seal(buffer.take_block()))
    }

    /// Notes up to where the client was sent what was read up to `newest`, if that was numbered.
    fn note(&mut self, newest: Option<Cursor>, sent: Option<Cursor>) {
        if newest.is_some() {
            self.untold = sent != newest;
        }
        let checkpoints = self
            .edit
            .as_mut()
            .and_then(|edit| edit.checkpoints.as_mut());
        if let (Some(checkpoints), Some(_)) = (checkpoints, sent) {
            checkpoints.known = sent;
        }
    }

    fn seal(&self, block: Block) -> Block {
        match &self.edit {
            Some(edit) => edit.seal(block),
            None => block,
        }
    }

    /// What the client is sent instead of what it missed.
    fn fall_behind(&mut self, gap: Gap) -> Result<Option<Block>, Lagged> {
        self.untold = true;
        match self
            .edit
            .as_ref()
            .map_or(&Policy::Close, |edit| &edit.lag.0)
        {
            Policy::Close => Err(Lagged(gap)),
            Policy::Tell(event) => match event(&gap) {
                Ok(block) => Ok(Some(self.seal(block))),
                Err(error) => {
                    tracing::error!(error = %error, "the event that tells of a gap cannot be encoded");
                    Err(Lagged(gap))
                }
            },
            Policy::Skip => {
                self.reader.skip_to_latest();
                Ok(None)
            }
        }
    }
}
