//! What the layer costs per frame, against a wrapper that does nothing and a search for the
//! ends of lines.
//!
//! `cargo bench -p sse-tower --bench wrap`. All of a table run in turns in one process; what
//! counts are the ratios of the medians, and the number of allocations.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response, sse};
use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use http::{HeaderValue, Request, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use memchr::memchr2_iter;
use pin_project_lite::pin_project;
use sse_tower::{Block, Closed, Event, Ids, Sse, SseLayer};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// Bytes per stream, so that what a response costs does not count; at most so many frames.
const BYTES: usize = 16 << 20;
const FRAMES: usize = 20_000;
const ROUNDS: usize = 51;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let _context = runtime.enter();

    native();
    let token = "event: token\ndata: {\"text\":\"Hello, you there\"}\n\n";
    assert_eq!(token.len(), 48);
    foreign("48 B, an event", &[token.to_owned()]);
    foreign("1 KiB, an event", &[event(1024)]);
    foreign("64 KiB, an event", &[event(64 << 10)]);
    foreign("64 KiB, an event of 80 B lines", &[lines(64 << 10)]);
    foreign("1 KiB, 21 events", &[token.repeat(21)]);
    let large = event(64 << 10);
    let parts = large.as_bytes().chunks(1024);
    let parts: Vec<_> = parts.map(|part| text(part.to_vec())).collect();
    foreign("1 KiB, a 64th of an event", &parts);
    axums();
    keep_alive(token);
}

/// An event of `len` bytes, whose data is one line.
fn event(len: usize) -> String {
    format!("data: {:x<1$}\n\n", "", len - 8)
}

fn lines(len: usize) -> String {
    format!("data: {:x<73}\n", "").repeat(len / 80) + "\n"
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("ASCII")
}

/// Frames of our own body: one block each, because a batch would hide the difference.
fn native() {
    let block = Block::encode(&Event::new().data("Hello, you there")).expect("valid");
    let ours = move || {
        let blocks = stream::iter(std::iter::repeat_n(block.clone(), FRAMES));
        Sse::new(blocks).into_response()
    };
    let (bare, wrapped) = (ours.clone(), ours.clone());
    let table = [
        row("our body", move || bare().into_body()),
        row("in a no-op wrapper", move || {
            Body::new(NoOp::new(wrapped().into_body()))
        }),
        row("under the layer", move || through(&SseLayer::new(), ours())),
    ];
    let [_, no_op, layer] = measure("our body, a block per frame", FRAMES, table);
    println!("  layer over no-op {:.2}; target at most 1", layer / no_op);
}

fn foreign(name: &str, frames: &[String]) {
    let frames: Vec<_> = frames
        .iter()
        .map(|frame| Bytes::from(frame.clone()))
        .collect();
    let size: usize = frames.iter().map(Bytes::len).sum();
    let count = (BYTES / size * frames.len()).min(FRAMES);
    let frames = move || Frames {
        frames: frames.clone(),
        left: count,
        at: 0,
        paced: None,
    };
    let (no_op, lines) = (frames.clone(), frames.clone());
    let (observed, with_ids) = (frames.clone(), frames.clone());
    let table = [
        row("no-op wrapper", move || Body::new(NoOp::new(no_op()))),
        row("memchr pass", move || Body::new(Lines::new(lines()))),
        row("layer, nothing to add", move || {
            through(&SseLayer::new(), answer(frames()))
        }),
        row("layer, observed", move || {
            through(
                &SseLayer::new().observe(|_: &Closed| ()),
                answer(observed()),
            )
        }),
        row("layer, ids", move || {
            through(&SseLayer::new().ids(Ids::sequence()), answer(with_ids()))
        }),
    ];
    let [no_op, pass, layer, observed, ids] = measure(&format!("frames of {name}"), count, table);
    println!(
        "  over no-op: memchr pass {:+.1} ns, layer {:+.1} ns, observed {:+.1} ns, ids {:+.1} ns",
        pass - no_op,
        layer - no_op,
        observed - no_op,
        ids - no_op
    );
    println!(
        "  over memchr pass: layer {:.2}, target at most 1; observed {:.2}; ids {:.2}",
        layer / pass,
        observed / pass,
        ids / pass
    );
}

/// Frames that are not ready-made: somebody encodes them.
fn axums() {
    let sse = || {
        let events = (0..FRAMES).map(|_| {
            let event = sse::Event::default().event("token");
            Ok::<_, Infallible>(event.data("{\"text\":\"Hello, you there\"}"))
        });
        sse::Sse::new(stream::iter(events)).into_response()
    };
    let table = [
        row("no-op wrapper", move || {
            Body::new(NoOp::new(sse().into_body()))
        }),
        row("layer, nothing to add", move || {
            through(&SseLayer::new(), sse())
        }),
        row("layer, ids", move || {
            through(&SseLayer::new().ids(Ids::sequence()), sse())
        }),
    ];
    let [no_op, layer, ids] = measure("axum's Sse, events of 48 B", FRAMES, table);
    println!(
        "  layer over no-op {:.2}; ids over no-op {:.2}, target at most 2",
        layer / no_op,
        ids / no_op
    );
}

fn keep_alive(token: &str) {
    for (name, paced) in [("ready", None), ("one per wake", Some(false))] {
        let frame = Bytes::from(token.to_owned());
        let frames = move || Frames {
            frames: vec![frame.clone()],
            left: FRAMES,
            at: 0,
            paced,
        };
        let (off, no_op) = (frames.clone(), frames.clone());
        let table = [
            row("no-op wrapper", move || Body::new(NoOp::new(no_op()))),
            row("no keep-alive", move || {
                through(&SseLayer::new().no_keep_alive(), answer(off()))
            }),
            row("keep-alive", move || {
                through(&SseLayer::new(), answer(frames()))
            }),
        ];
        let [_, off, on] = measure(&format!("keep-alive, events {name}"), FRAMES, table);
        println!("  on over off {:.2}, {:+.1} ns", on / off, on - off);
    }
}

type Row = (&'static str, Box<dyn Fn() -> Body>);

fn row(name: &'static str, make: impl Fn() -> Body + 'static) -> Row {
    (name, Box::new(make))
}

/// Reads the bodies of all rows in turns; returns the nanoseconds per frame of each.
fn measure<const N: usize>(name: &str, frames: usize, rows: [Row; N]) -> [f64; N] {
    println!("{name}");
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((_, make), times) in rows.iter().zip(&mut times) {
            let body = make();
            let start = Instant::now();
            black_box(read(body));
            times.push(start.elapsed().as_secs_f64() * 1e9 / frames as f64);
        }
    }
    let medians = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    for ((name, make), time) in rows.iter().zip(medians) {
        let body = make();
        let count = allocation_counter::measure(|| {
            read(body);
        });
        let count = count.count_total as f64 / frames as f64;
        println!("  {name:22} {time:8.1} ns  {count:6.3} allocations");
    }
    medians
}

/// Polls a body to its end; returns its length.
fn read(mut body: Body) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let mut len = 0;
    loop {
        match Pin::new(&mut body).poll_frame(&mut cx) {
            Poll::Ready(Some(frame)) => {
                len += frame.expect("no error").into_data().expect("data").len();
            }
            Poll::Ready(None) => return len,
            Poll::Pending => {}
        }
    }
}

/// The body of `response` behind `layer`.
fn through<B>(layer: &SseLayer, response: Response<B>) -> Body
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError> + Send> + Send + 'static,
{
    let mut response = Some(response);
    let service = service_fn(move |_: Request<()>| {
        let response = response.take().expect("one request");
        async move { Ok::<_, Infallible>(response) }
    });
    let response = layer.layer(service).oneshot(Request::new(()));
    let response = response
        .now_or_never()
        .expect("at once")
        .expect("infallible");
    Body::new(response.into_body())
}

fn answer(frames: Frames) -> Response<Frames> {
    let mut response = Response::new(frames);
    let event_stream = HeaderValue::from_static("text/event-stream");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, event_stream);
    response
}

/// The same frames again and again.
#[derive(Clone)]
struct Frames {
    frames: Vec<Bytes>,
    left: usize,
    at: usize,
    /// Pending after each frame, and whether that is so now.
    paced: Option<bool>,
}

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if let Some(pending) = &mut self.paced {
            *pending = !*pending;
            if !*pending {
                return Poll::Pending;
            }
        }
        let frame = self.frames[self.at].clone();
        self.left -= 1;
        self.at += 1;
        if self.at == self.frames.len() {
            self.at = 0;
        }
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}

pin_project! {
    /// Passes everything on.
    struct NoOp<B> {
        #[pin]
        inner: B,
    }
}

impl<B> NoOp<B> {
    fn new(inner: B) -> Self {
        Self { inner }
    }
}

impl<B: HttpBody> HttpBody for NoOp<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

pin_project! {
    /// Passes everything on after it has looked for the ends of lines.
    struct Lines<B> {
        #[pin]
        inner: B,
        lines: usize,
    }
}

impl<B> Lines<B> {
    fn new(inner: B) -> Self {
        Self { inner, lines: 0 }
    }
}

impl<B: HttpBody<Data = Bytes>> HttpBody for Lines<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = this.inner.poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            *this.lines += black_box(memchr2_iter(b'\r', b'\n', data).count());
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
