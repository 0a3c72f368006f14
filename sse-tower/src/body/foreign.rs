//! A body that somebody else made.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sse_core::EventBuffer;

use crate::body::scan::BlockScan;
use crate::body::silence::Silence;
use crate::ids::IdAssigner;
use crate::native::{Control, Plan};
use crate::registry::{self, EndReason, LiveStream};

pin_project! {
    /// Passes an event stream on and adds to it between its events.
    ///
    /// Its bytes are never copied: what is added are frames of their own.
    pub(crate) struct ForeignBody<B> {
        #[pin]
        inner: B,
        stage: Stage,
        #[pin]
        silence: Silence,
        edit: Edit,
        live: Vec<LiveStream>,
    }
}

enum Stage {
    /// Not polled yet: layers further out may still change the settings.
    Planned(Control),
    Open,
    /// What is waiting goes out, then the trailers, then nothing ever.
    Ended(Option<HeaderMap>),
}

/// A body of frames that leave nothing to send must let others run too.
const MOST_FRUITLESS: usize = 64;

/// What happens to the bytes on their way.
#[derive(Debug, Default)]
struct Edit {
    scan: BlockScan,
    bom: Bom,
    ids: IdAssigner,
    /// Pieces that wait to be sent.
    out: VecDeque<Bytes>,
    events: u64,
    /// The stream began with a retry hint, whose block has nothing else so far.
    hint_alone: bool,
    started: bool,
}

impl<B> ForeignBody<B> {
    pub(crate) fn new(inner: B, control: Control) -> Self {
        Self {
            inner,
            stage: Stage::Planned(control),
            silence: Silence::new(None),
            edit: Edit::default(),
            live: Vec::new(),
        }
    }
}

impl<B: Body<Data = Bytes>> Body for ForeignBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();

        if let Stage::Planned(control) = this.stage {
            let plan = control.begin();
            this.silence.set(Silence::new(plan.settings.keep_alive()));
            (*this.edit, *this.live) = begin(plan);
            *this.stage = Stage::Open;
        }
        // Any bytes to send end this call, so only frames that leave none are counted.
        let mut fruitless = 0;
        loop {
            if let Some(bytes) = this.edit.out.pop_front() {
                this.edit.started = true;
                this.silence.as_mut().broken();
                registry::count(this.live, 0, bytes.len());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Stage::Ended(trailers) = this.stage {
                return Poll::Ready(
                    trailers
                        .take()
                        .map(|trailers| Ok(Frame::trailers(trailers))),
                );
            }
            let asked = registry::asked_to_end(this.live);
            if asked && this.edit.scan.is_between_events() {
                this.edit.end();
                registry::ended(this.live, EndReason::Shutdown);
                *this.stage = Stage::Ended(None);
                continue;
            }
            match this.inner.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => {
                        let events = this.edit.events;
                        this.edit.pass(bytes, asked);
                        registry::count(this.live, this.edit.events - events, 0);
                        fruitless += 1;
                        if this.edit.out.is_empty() && fruitless == MOST_FRUITLESS {
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                    // Nothing may follow them.
                    Err(frame) => {
                        this.edit.end();
                        registry::ended(this.live, EndReason::Ended);
                        *this.stage = Stage::Ended(frame.into_trailers().ok());
                    }
                },
                Poll::Ready(Some(Err(error))) => {
                    registry::ended(this.live, EndReason::Error);
                    *this.stage = Stage::Ended(None);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    this.edit.end();
                    registry::ended(this.live, EndReason::Ended);
                    *this.stage = Stage::Ended(None);
                }
                Poll::Pending => {
                    registry::watch(this.live, cx);
                    if !this.edit.scan.is_between_events() {
                        return Poll::Pending;
                    }
                    if registry::asked_to_end(this.live) {
                        continue;
                    }
                    if !this.edit.started {
                        // Headers and proxies wait for the first byte.
                        this.edit.out.push_back(Bytes::from_static(b":\n"));
                        continue;
                    }
                    let comment = std::task::ready!(this.silence.as_mut().poll(cx));
                    registry::count(this.live, 0, comment.len());
                    return Poll::Ready(Some(Ok(Frame::data(comment))));
                }
            }
        }
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

fn begin(plan: Plan) -> (Edit, Vec<LiveStream>) {
    let Plan {
        settings,
        context,
        live,
        source: _,
    } = plan;
    let mut edit = Edit {
        ids: IdAssigner::new(settings.ids, context.as_ref()),
        ..Edit::default()
    };
    if let Some(retry) = settings.retry {
        let mut line = EventBuffer::new();
        line.open_stream(Some(retry.draw()));
        edit.out.push_back(line.take());
        edit.hint_alone = true;
    }
    (edit, live)
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
        let Self {
            scan,
            ids,
            out,
            events,
            hint_alone,
            ..
        } = self;
        // Offsets are those of the whole chunk; `taken` of it is in `out` already.
        let mut taken = 0;
        let mut whole = 0;
        let bytes = chunk.clone();
        scan.feed(&bytes, |blank, behind, fields| {
            *events += u64::from(fields.data);
            whole = behind;
            if *hint_alone && !fields.any {
                // Some clients drop a block with nothing but a hint: it waits for an event.
                push(out, chunk.split_to(blank - taken));
                chunk.advance(behind - blank);
                taken = behind;
                return;
            }
            *hint_alone = false;
            if fields.id {
                ids.stop();
            } else if fields.data
                && let Some(id) = ids.next()
            {
                push(out, chunk.split_to(blank - taken));
                taken = blank;
                push(out, Bytes::from(format!("id: {id}\n")));
            }
        });
        if cut && whole > 0 {
            chunk.truncate(whole - taken);
            *scan = BlockScan::default();
        }
        push(out, chunk);
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
enum Bom {
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
    fn strip(&mut self, chunk: &mut Bytes) -> Option<Bytes> {
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
