//! A body that somebody else made.

use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sse_core::EventBuffer;

use crate::body::ending::{Ending, write_opening};
use crate::body::scan::{Blank, BlockScan};
use crate::body::silence::{Silence, Whose};
use crate::ids::{AssignedId, IdAssigner};
use crate::life::{CloseReason, Life};
use crate::native::{Control, Plan, Waiting};

pin_project! {
    /// Passes an event stream on and adds to it between its events.
    ///
    /// Frames that nothing goes into are passed on as they are. The others are taken apart
    /// without a copy, but for pieces so short that another frame would cost more.
    pub(crate) struct ForeignBody<B>
    where
        B: Body,
    {
        #[pin]
        inner: B,
        stage: Stage<B::Error>,
        edit: Edit,
        life: Life,
        ending: Ending,
        silence: Silence,
        // It ends for this reason, as soon as the event that is under way is complete.
        cut: Option<CloseReason>,
    }
}

enum Stage<E> {
    /// Not polled yet: layers further out may still change the settings.
    Planned {
        waiting: Waiting,
        kept_alive: bool,
    },
    Open,
    /// The error comes next.
    Failed(E),
    /// What is waiting goes out, then the trailers, then nothing ever.
    Ended(Option<HeaderMap>),
}

/// A body of frames that leave nothing to send must let others run too.
const MOST_FRUITLESS: usize = 64;

/// A piece of at most this size is copied to travel in one frame with what is around it.
const SHORT: usize = 1024;

/// Copied pieces travel in one frame of at least this size.
const FULL: usize = 8 * 1024;

/// Where the last id of a frame is.
#[derive(Debug)]
enum LastId {
    /// It is ours.
    Assigned(AssignedId),
    /// The scan saw it.
    Scanned,
}

/// What happens to the bytes on their way.
#[derive(Debug, Default)]
struct Edit {
    scan: BlockScan,
    bom: Bom,
    ids: IdAssigner,
    /// Pieces that wait to be sent.
    out: VecDeque<Bytes>,
    /// What follows them: short pieces, copied.
    joined: BytesMut,
    events: u64,
    last_id: Option<LastId>,
    /// The stream began with a retry hint, whose block has nothing else so far.
    hint_alone: bool,
    started: bool,
}

impl<B: Body> ForeignBody<B> {
    /// `kept_alive` if there probably is a layer inside.
    pub(crate) fn new(inner: B, control: Control, kept_alive: bool) -> Self {
        Self {
            inner,
            stage: Stage::Planned {
                waiting: Waiting::new(control),
                kept_alive,
            },
            edit: Edit::default(),
            life: Life::new(None),
            ending: Ending::default(),
            silence: Silence::new(Whose::Foreign),
            cut: None,
        }
    }
}

impl<B: Body<Data = Bytes>> ForeignBody<B> {
    fn poll_inner(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();

        if let Stage::Planned {
            waiting,
            kept_alive,
        } = this.stage
        {
            let mut plan = waiting.begin();
            let layers = mem::take(&mut plan.layers);
            this.life.begin(layers, Arc::clone(&plan.signal));
            *this.ending = plan.ending();
            let whose = if *kept_alive {
                Whose::BeyondALayer
            } else {
                Whose::Foreign
            };
            *this.silence = Silence::new(whose);
            *this.edit = begin(&plan, this.life);
            *this.stage = Stage::Open;
        }
        // Any bytes to send end this call, so only frames that leave none are counted.
        let mut fruitless = 0;
        loop {
            if let Some(bytes) = this.edit.out.pop_front() {
                this.edit.started = true;
                this.silence.broken();
                let events = mem::take(&mut this.edit.events);
                if let Some(id) = this.edit.last_id.take() {
                    match id {
                        LastId::Assigned(id) => id.with_str(|id| this.life.sent_id(id)),
                        LastId::Scanned => {
                            this.life.sent_id(this.edit.scan.last_id().unwrap_or(""))
                        }
                    }
                }
                this.life.sent(events, bytes.len());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if !matches!(this.stage, Stage::Open) {
                return Poll::Ready(match mem::replace(this.stage, Stage::Ended(None)) {
                    Stage::Failed(error) => Some(Err(error)),
                    Stage::Ended(trailers) => trailers.map(|it| Ok(Frame::trailers(it))),
                    Stage::Planned { .. } | Stage::Open => None,
                });
            }
            if this.cut.is_none()
                && let Poll::Ready(reason) = this.ending.poll(this.life, cx)
            {
                *this.cut = Some(reason);
            }
            if let Some(reason) = *this.cut
                && this.edit.scan.is_between_events()
            {
                let mut last = EventBuffer::new();
                this.ending.write(reason, &this.life.load(), &mut last);
                this.edit.events += u64::from(last.events());
                if let Some(id) = last.last_id() {
                    this.life.sent_id(id);
                }
                this.edit.out.push_back(last.take());
                this.life.ended(reason);
                *this.stage = Stage::Ended(None);
                continue;
            }
            match this.inner.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => {
                        this.edit.pass(bytes, this.cut.is_some());
                        fruitless += 1;
                        if this.edit.out.is_empty() && fruitless == MOST_FRUITLESS {
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                    // Nothing may follow them.
                    Err(frame) => {
                        this.edit.end();
                        this.life.ended(CloseReason::Ended);
                        *this.stage = Stage::Ended(frame.into_trailers().ok());
                    }
                },
                Poll::Ready(Some(Err(error))) => {
                    this.life.ended(CloseReason::Error);
                    *this.stage = Stage::Failed(error);
                    // As in `NativeBody`: hyper first sends what came before it.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(None) => {
                    this.edit.end();
                    this.life.ended(CloseReason::Ended);
                    *this.stage = Stage::Ended(None);
                }
                Poll::Pending => {
                    this.edit.rest();
                    let Some(signal) = this.life.watch(cx) else {
                        return Poll::Pending;
                    };
                    if this.ending.is_asked(this.life) && this.cut.is_none() {
                        continue;
                    }
                    if !this.edit.scan.is_between_events() {
                        return Poll::Pending;
                    }
                    if !this.edit.started {
                        // Headers and proxies wait for the first byte.
                        this.edit.out.push_back(Bytes::from_static(b":\n"));
                        continue;
                    }
                    let keep_alive = this.ending.settings().keep_alive();
                    let comment = ready!(this.silence.poll(keep_alive, signal));
                    this.life.sent(0, comment.len());
                    return Poll::Ready(Some(Ok(Frame::data(comment))));
                }
            }
        }
    }
}

impl<B: Body<Data = Bytes>> Body for ForeignBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let life = self.as_mut().project().life;
        life.poll_begins();
        let polled = match life.span() {
            None => self.as_mut().poll_inner(cx),
            Some(span) => span.in_scope(|| self.as_mut().poll_inner(cx)),
        };
        self.project().life.poll_ends();
        polled
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.stage, Stage::Ended(None)) && self.edit.out.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            SizeHint::with_exact(0)
        } else {
            SizeHint::default()
        }
    }
}

fn begin(plan: &Plan, life: &Life) -> Edit {
    let mut opening = EventBuffer::new();
    let hint_alone = write_opening(&plan.settings, life, &mut opening);
    let mut edit = Edit {
        ids: IdAssigner::new(plan.settings.ids.clone(), plan.context.as_ref()),
        hint_alone,
        ..Edit::default()
    };
    push(&mut edit.out, opening.take());
    edit
}

impl Edit {
    /// Takes a chunk of the stream apart where something goes in between; `cut` also drops
    /// what follows its last whole event.
    fn pass(&mut self, mut chunk: Bytes, cut: bool) {
        if let Some(held) = self.bom.strip(&mut chunk) {
            self.split(held, cut);
        }
        self.split(chunk, cut);
    }

    fn split(&mut self, mut chunk: Bytes, cut: bool) {
        // Both are offsets in what is left of the chunk.
        let mut at = 0;
        let mut whole = None;
        while let Some(Blank { at: blank, fields }) = self.scan.next_blank(&chunk, &mut at) {
            self.events += u64::from(fields.data);
            if self.hint_alone && !fields.any {
                // Some clients drop a block with nothing but a hint: it waits for an event.
                self.join(&mut chunk, blank);
                chunk.advance(at - blank);
                at = 0;
            } else {
                self.hint_alone = false;
                if fields.id {
                    self.last_id = Some(LastId::Scanned);
                    self.ids.stop();
                } else if fields.data
                    && let Some(id) = self.ids.next()
                {
                    self.join(&mut chunk, blank);
                    at -= blank;
                    id.put_line(&mut self.joined);
                    self.last_id = Some(LastId::Assigned(id));
                }
            }
            whole = Some(at);
        }
        if cut && let Some(whole) = whole {
            chunk.truncate(whole);
            self.scan = BlockScan::default();
        }
        if !self.joined.is_empty() {
            let rest = chunk.len();
            self.join(&mut chunk, rest);
            self.flush();
        }
        push(&mut self.out, chunk);
    }

    /// Moves the first `len` bytes of `chunk` behind what waits already.
    fn join(&mut self, chunk: &mut Bytes, len: usize) {
        if len <= SHORT {
            self.joined.extend_from_slice(&chunk[..len]);
            chunk.advance(len);
        } else {
            self.flush();
            self.out.push_back(chunk.split_to(len));
        }
        if self.joined.len() >= FULL {
            self.flush();
        }
    }

    fn flush(&mut self) {
        push(&mut self.out, self.joined.split().freeze());
    }

    /// Nothing is to be sent for now: gives the buffer back.
    fn rest(&mut self) {
        self.joined = BytesMut::new();
    }

    fn end(&mut self) {
        push(&mut self.out, self.bom.rest());
        if self.hint_alone && self.scan.is_between_events() {
            self.out.push_back(Bytes::from_static(b"\n"));
        }
    }
}

fn push(out: &mut VecDeque<Bytes>, bytes: Bytes) {
    if !bytes.is_empty() {
        out.push_back(bytes);
    }
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Removes the byte order mark, which counts at the very start of a stream only: we may put
/// a line before it.
#[derive(Debug)]
pub(crate) enum Bom {
    /// This many bytes of it were seen, and nothing else.
    Matching(usize),
    Past,
}

impl Default for Bom {
    fn default() -> Self {
        Self::Matching(0)
    }
}

impl Bom {
    /// Takes the mark off `chunk`; returns what was held back and is no mark after all.
    pub(crate) fn strip(&mut self, chunk: &mut Bytes) -> Option<Bytes> {
        let Self::Matching(seen) = *self else {
            return None;
        };
        let expected = &MARK[seen..];
        let len = expected.len().min(chunk.len());
        if chunk[..len] != expected[..len] {
            return Some(self.rest());
        }
        chunk.advance(len);
        *self = Self::Matching(seen + len);
        if seen + len == MARK.len() {
            *self = Self::Past;
        }
        None
    }

    /// What was held back when the stream turned out to have no mark.
    fn rest(&mut self) -> Bytes {
        match std::mem::replace(self, Self::Past) {
            Self::Matching(seen) => Bytes::from_static(&MARK[..seen]),
            Self::Past => Bytes::new(),
        }
    }
}
