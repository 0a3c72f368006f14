//! Everything that a client can send an id to, and what each has to make of any id.
//!
//! What is expected is worked out from the text anew, by comparing it with what we write, and
//! not with the code that reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use sse_tower::log::GapCause;
use sse_tower::store::MemoryStore;
use sse_tower::{
    CombineError, Combined, Cursor, Cursors, DurableTopic, END_ID, Event, Gap, Hub, Json, Missed,
    Resume, ResumeLayer, Retention, RunKey, Seal, SealKeys, Sealed, Sse, SseLayer, Subscription,
    Topic,
};
use tokio::runtime::{self, Runtime};
use tower::ServiceExt as _;

type Number = Json<u32>;

/// A server whose topics and run have ten events each, of which the newest four are kept.
pub(crate) struct Site {
    runtime: Runtime,
    app: Router,
    feeds: Arc<Feeds>,
    /// The place behind the newest event of the run.
    run: Cursor,
    runs: Arc<AtomicUsize>,
}

struct Feeds {
    chat: Topic<Number>,
    load: Topic<Number>,
    hub: Hub<u8, Number>,
    durable: DurableTopic<Number>,
    seal: Seal,
}

/// Where ids are sent to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Route {
    Topic,
    Hub,
    Durable,
    Sealed,
    Combined,
    SealedCombined,
    Run,
}

const ROUTES: [Route; 7] = [
    Route::Topic,
    Route::Hub,
    Route::Durable,
    Route::Sealed,
    Route::Combined,
    Route::SealedCombined,
    Route::Run,
];

const KEPT: Retention = Retention::events(4);
const HEAD: u64 = 10;
const START: u64 = 6;

/// What a topic answers: the place to go on at, or why not.
type Outcome = Result<Vec<Cursor>, Missed>;

/// What a run answers: its status, or what is missing, if that is known.
type RunOutcome = Result<StatusCode, Option<Gap>>;

impl Site {
    pub(crate) fn new() -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let feeds = Arc::new(runtime.block_on(Feeds::new()));
        let runs = Arc::new(AtomicUsize::new(0));
        let app = app(&feeds, &runs);
        let request = request(Route::Run, &[]).expect("no header is one");
        let read = async {
            let response = app.clone().oneshot(request).await;
            let mut frames = response
                .expect("it is infallible")
                .into_body()
                .into_data_stream();
            let mut all = Vec::new();
            while let Some(frame) = frames.next().await {
                all.extend_from_slice(&frame.expect("a run that ends well"));
            }
            String::from_utf8(all).expect("text")
        };
        let all = runtime.block_on(read);
        let mut ids = all.lines().filter_map(|line| line.strip_prefix("id: "));
        let run = ids.rfind(|id| *id != END_ID).expect("an id").parse();
        Self {
            runtime,
            app,
            feeds,
            run: run.expect("a cursor"),
            runs,
        }
    }

    /// Sends what the input says, and panics if it is not answered as it should be.
    pub(crate) fn check(&self, input: &[u8]) {
        let mut input = Input(input);
        let route = ROUTES[usize::from(input.byte()) % ROUTES.len()];
        let id = self.id(route, &mut input);
        let Some(request) = request(route, &id) else {
            // No header can hold it.
            return;
        };
        let id = id.trim_ascii();
        // Not UTF-8, so it is read as Latin-1, as the server does.
        let text = str::from_utf8(id).map_or_else(
            |_| id.iter().copied().map(char::from).collect(),
            str::to_owned,
        );
        let (response, frame) = self.runtime.block_on(async {
            let response = self.app.clone().oneshot(request).await;
            let (parts, body) = response.expect("it is infallible").into_parts();
            // What there is to be sent is there at once, but for a page of a store.
            let mut frames = body.into_data_stream();
            let frame = match route {
                Route::Durable => None,
                _ => frames.next().now_or_never().flatten(),
            };
            (parts, frame)
        });
        let frame = frame.map_or_else(String::new, |frame| {
            let frame = frame.expect("it does not break").to_vec();
            String::from_utf8(frame).expect("text")
        });
        let context = || format!("{route:?} was sent {text:?}");
        let runs = self.runs.load(Ordering::Relaxed);
        assert_eq!(runs, 1, "the handler was called again: {}", context());
        if text == END_ID {
            assert_eq!(response.status, StatusCode::NO_CONTENT, "{}", context());
            return;
        }
        if route == Route::Run {
            let expected = self.expected_of_run(&text);
            let told = response.extensions.get::<RunOutcome>();
            let told = told.copied().unwrap_or(Ok(response.status));
            assert_eq!(told, expected, "{}", context());
            if expected == Ok(StatusCode::OK) {
                assert_follows(&frame, &text, str::to_owned);
            }
            return;
        }
        let expected = self.expected(route, &text);
        let told = response.extensions.get::<Outcome>();
        assert_eq!(told, Some(&expected), "{}", context());
        let status = match expected {
            Ok(_) => StatusCode::OK,
            Err(_) => StatusCode::GONE,
        };
        assert_eq!(response.status, status, "{}", context());
        match expected {
            Ok(places) if matches!(route, Route::Topic | Route::Hub) && places[0].seq() < HEAD => {
                assert_follows(&frame, &places[0].to_string(), str::to_owned);
            }
            Ok(places) if route == Route::Sealed && places[0].seq() < HEAD => {
                assert_follows(&frame, &places[0].to_string(), |id| {
                    self.feeds.seal.id(id).as_str().to_owned()
                });
            }
            _ => {}
        }
    }

    /// An id of ours, of somebody else or of nobody, and then changed.
    fn id(&self, route: Route, input: &mut Input<'_>) -> Vec<u8> {
        let ours = match route {
            Route::Hub => self.feeds.hub.topic(&0).head(),
            Route::Durable => self.feeds.durable.head(),
            Route::Run => self.run,
            _ => self.feeds.chat.head(),
        };
        let kind = input.byte();
        let place = Cursor::new(ours.epoch(), u64::from(input.byte()) % 13);
        let bob = || SealKeys::new([7; 32]).seal("chat", "bob");
        let text = match kind % 10 {
            0 => return input.0.to_vec(),
            1 | 2 => place.to_string(),
            3 => Cursor::new(self.feeds.load.head().epoch(), place.seq()).to_string(),
            4 => Cursor::new(u64::MAX, u64::MAX).to_string(),
            5 => self.feeds.seal.id(place).as_str().to_owned(),
            6 => bob().id(place).as_str().to_owned(),
            7 => self.list(input),
            8 => self.feeds.seal.id(self.list(input)).as_str().to_owned(),
            _ => END_ID.to_owned(),
        };
        let mut id = text.into_bytes();
        while let [op, at, byte, ..] = *input.0 {
            input.0 = &input.0[3..];
            let at = usize::from(at) % id.len().max(1);
            match op % 5 {
                0 if !id.is_empty() => id[at] = byte,
                1 if !id.is_empty() => drop(id.remove(at)),
                2 => id.truncate(at),
                3 => {
                    // At times longer than what is read of a header.
                    let end = id.split_off(at);
                    id.extend(end.repeat(usize::from(byte)));
                    id.truncate(9_000);
                }
                _ => id.insert(at, byte),
            }
        }
        id
    }

    /// Up to ten places with labels.
    fn list(&self, input: &mut Input<'_>) -> String {
        let parts = (0..input.byte() % 11).map(|n| {
            let (label, epoch) = match input.byte() % 8 {
                0 | 1 => ("chat".to_owned(), self.feeds.chat.head().epoch()),
                2 | 3 => ("load".to_owned(), self.feeds.load.head().epoch()),
                4..=6 => (format!("other-{n}"), u64::MAX),
                _ => ("x".repeat(17 - usize::from(n % 2)), 1),
            };
            let seq = u64::from(input.byte()) % 13;
            format!("{label}={epoch}.{seq}")
        });
        parts.collect::<Vec<_>>().join(",")
    }

    /// What a finished run answers, whose beginning is gone.
    fn expected_of_run(&self, text: &str) -> RunOutcome {
        let at = match text {
            "" => Cursor::new(self.run.epoch(), 0),
            text => cursor(text).ok_or(None)?,
        };
        match expected_at(self.run, at) {
            Ok(at) if at.seq() == HEAD => Ok(StatusCode::NO_CONTENT),
            Ok(_) => Ok(StatusCode::OK),
            Err(Missed::Gap(gap)) => Err(Some(gap)),
            Err(other) => panic!("{other}"),
        }
    }

    fn expected(&self, route: Route, text: &str) -> Outcome {
        let Feeds {
            chat,
            load,
            hub,
            durable,
            seal,
        } = &*self.feeds;
        let one = |topic: Cursor| expected_of(topic, text).map(|at| vec![at]);
        let both = |text: &str| {
            if text.is_empty() {
                return Ok(vec![chat.head(), load.head()]);
            }
            let places = cursors(text).ok_or(Missed::Unreadable)?;
            let of = |label: &str, topic: Cursor| {
                let mut known = places.iter().filter(|(name, _)| *name == label);
                known
                    .next()
                    .map_or(Ok(topic), |(_, at)| expected_at(topic, *at))
            };
            Ok(vec![of("chat", chat.head())?, of("load", load.head())?])
        };
        match route {
            Route::Topic => one(chat.head()),
            Route::Hub => one(hub.topic(&0).head()),
            Route::Durable => one(durable.head()),
            Route::Combined => both(text),
            Route::Sealed => {
                let inner = opened(seal, text)?;
                expected_of(chat.head(), inner).map(|at| vec![at])
            }
            Route::SealedCombined => both(opened(seal, text)?),
            Route::Run => unreachable!("it answers by its status"),
        }
    }
}

impl Feeds {
    async fn new() -> Self {
        let feeds = Self {
            chat: Topic::new(KEPT),
            load: Topic::new(KEPT),
            hub: Hub::new(KEPT),
            durable: durable_topic().await,
            seal: SealKeys::new([7; 32]).seal("chat", "ann"),
        };
        for n in 1..=10 {
            feeds.chat.publish(Json(n)).expect("it is published");
            feeds.load.publish(Json(n)).expect("it is published");
            feeds.hub.publish(&0, Json(n)).expect("it is published");
        }
        feeds
    }
}

/// One that is opened again, which is when its store is trimmed exactly; its ring is empty.
async fn durable_topic() -> DurableTopic<Number> {
    let store = MemoryStore::new();
    let open = async || {
        let topic = DurableTopic::open(store.clone(), "chat", KEPT).await;
        topic.expect("it opens")
    };
    let topic = open().await;
    let all = topic.publish_all((1..=10).map(Json)).await;
    all.expect("it is stored");
    topic.stop().await;
    open().await
}

fn app(feeds: &Arc<Feeds>, runs: &Arc<AtomicUsize>) -> Router {
    let runs = Arc::clone(runs);
    let answer = move || {
        runs.fetch_add(1, Ordering::Relaxed);
        let events = (1..=10).map(|n: u32| Event::new().data(n.to_string()));
        std::future::ready(Sse::new(stream::iter(events)))
    };
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let resume = ResumeLayer::by(|_| Some(RunKey::new(()).public()));
    let resume = resume.keep(KEPT).forget_after(day).on_gap(|_, gap| {
        let outcome: RunOutcome = Err(gap.gap().copied());
        (StatusCode::GONE, Extension(outcome))
    });
    Router::new()
        .route("/Run", get(answer))
        .layer(resume)
        .route("/Topic", get(topic))
        .route("/Hub", get(hub))
        .route("/Durable", get(durable))
        .route("/Sealed", get(sealed))
        .route("/Combined", get(combined))
        .route("/SealedCombined", get(sealed_combined))
        .layer(SseLayer::new())
        .with_state(Arc::clone(feeds))
}

type Shared = State<Arc<Feeds>>;

async fn topic(State(feeds): Shared, resume: Resume<Cursor>) -> Response {
    one(feeds.chat.subscribe(resume))
}

async fn hub(State(feeds): Shared, resume: Resume<Cursor>) -> Response {
    one(feeds.hub.subscribe(&0, resume))
}

async fn durable(State(feeds): Shared, resume: Resume<Cursor>) -> Response {
    one(feeds.durable.subscribe(resume))
}

async fn sealed(State(feeds): Shared, resume: Resume<Sealed>) -> Response {
    let resume = feeds.seal.open(resume);
    let subscribed = resume.and_then(|resume| feeds.chat.subscribe(resume));
    one(subscribed.map(|it| it.sealed(feeds.seal.clone())))
}

async fn combined(State(feeds): Shared, resume: Resume<Cursors>) -> Response {
    all(feeds.combined(&resume))
}

async fn sealed_combined(State(feeds): Shared, resume: Resume<Sealed>) -> Response {
    let resume = feeds.seal.open(resume).map_err(CombineError::Missed);
    let combined = resume.and_then(|resume| feeds.combined(&resume));
    all(combined.map(|it| it.sealed(feeds.seal.clone())))
}

impl Feeds {
    fn combined(&self, resume: &Resume<Cursors>) -> Result<Combined, CombineError> {
        Combined::new(resume)
            .and("chat", self.chat.subscribe(resume.of("chat")))?
            .and("load", self.load.subscribe(resume.of("load")))
    }
}

fn one(subscribed: Result<Subscription<Number>, Missed>) -> Response {
    let outcome = subscribed.as_ref().map(|it| vec![it.cursor()]);
    told(outcome.map_err(Clone::clone), subscribed)
}

fn all(combined: Result<Combined, CombineError>) -> Response {
    let places = |combined: &Combined| {
        let cursors = combined.cursors();
        ["chat", "load"].map(|label| cursors.get(label).expect("both are followed"))
    };
    let outcome = match &combined {
        Ok(combined) => Ok(places(combined).to_vec()),
        Err(CombineError::Missed(missed)) => Err(missed.clone()),
        Err(other) => panic!("{other}"),
    };
    told(outcome, combined)
}

/// The response, and for this test what it stands for.
fn told(outcome: Outcome, response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.extensions_mut().insert(outcome);
    response
}

fn request(route: Route, id: &[u8]) -> Option<Request<Body>> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(format!("/{route:?}"))
        .header("accept", "text/event-stream");
    let request = match id {
        [] => request,
        id => request.header("last-event-id", id),
    };
    request.body(Body::empty()).ok()
}

/// What a topic whose newest event is at `head` makes of a text.
fn expected_of(head: Cursor, text: &str) -> Result<Cursor, Missed> {
    match (text, cursor(text)) {
        ("", _) => Ok(head),
        (_, None) => Err(Missed::Unreadable),
        (_, Some(at)) => expected_at(head, at),
    }
}

fn expected_at(head: Cursor, at: Cursor) -> Result<Cursor, Missed> {
    let cause = if at.epoch() != head.epoch() {
        GapCause::Epoch
    } else if at.seq() > HEAD {
        GapCause::Future
    } else if at.seq() < START {
        GapCause::Evicted
    } else {
        return Ok(at);
    };
    let start = Cursor::new(head.epoch(), START);
    Err(Missed::Gap(Gap::new(at, start, cause)))
}

/// What stands in an id that we sealed. A client without an id has an empty one.
fn opened<'t>(seal: &Seal, text: &'t str) -> Result<&'t str, Missed> {
    if text.is_empty() {
        return Ok(text);
    }
    let (inner, tag) = text.rsplit_once('.').ok_or(Missed::Unreadable)?;
    if text.len() <= 512 && seal.id(inner).as_str() == text {
        // Nothing is no place, sealed or not.
        return if inner.is_empty() {
            Err(Missed::Unreadable)
        } else {
            Ok(inner)
        };
    }
    // Sixteen bytes, of which the last digit has four bits too many.
    let digit = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let looks_sealed = tag.len() == 22
        && tag.bytes().all(digit)
        && tag.ends_with(['A', 'Q', 'g', 'w'])
        && text.len() <= 512;
    Err(if looks_sealed {
        Missed::Forged
    } else {
        Missed::Unreadable
    })
}

/// The one place that is written like this.
fn cursor(text: &str) -> Option<Cursor> {
    let (epoch, seq) = text.split_once('.')?;
    let number = |text: &str| text.parse::<u64>().ok();
    let cursor = Cursor::new(number(epoch)?, number(seq)?);
    (cursor.to_string() == text).then_some(cursor)
}

/// The places that are written like this: at most eight, each with a label of its own.
fn cursors(text: &str) -> Option<Vec<(&str, Cursor)>> {
    let mut places: Vec<(&str, Cursor)> = Vec::new();
    for part in text.split(',') {
        let (label, at) = part.split_once('=')?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let twice = places.iter().any(|(known, _)| *known == label);
        if !(1..=16).contains(&label.len()) || !label.bytes().all(plain) || twice {
            return None;
        }
        places.push((label, cursor(at)?));
    }
    (places.len() <= 8).then_some(places)
}

/// The first event of the frame is the one after `id`, and has its id in the form that is sent.
#[track_caller]
fn assert_follows(frame: &str, id: &str, sent: impl Fn(&str) -> String) {
    let at = cursor(id).expect("it was taken");
    let next = Cursor::new(at.epoch(), at.seq() + 1);
    let first = frame.lines().find_map(|line| line.strip_prefix("id: "));
    assert_eq!(
        first,
        Some(&*sent(&next.to_string())),
        "after {id}: {frame}"
    );
    let data = frame.lines().find_map(|line| line.strip_prefix("data: "));
    assert_eq!(data, Some(&*next.seq().to_string()), "after {id}: {frame}");
}

/// Bytes that say what to do; zeros follow them.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let (&first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        first
    }
}
