//! What observers and metrics are told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use futures_util::stream;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use sse_tower::{CloseReason, Closed, Json, Metrics, Observe, Retention, Shutdown, Topic};

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observe for Log {
    fn opened(&self) {
        self.push("opened".to_owned());
    }

    fn sent(&self, events: u64, bytes: u64) {
        self.push(format!("{events} events, {bytes} bytes"));
    }

    fn closed(&self, closed: &Closed) {
        let id = closed.last_id.as_ref().map(|id| id.as_str());
        let Closed {
            reason,
            events,
            bytes,
            ..
        } = closed;
        self.push(format!("{}: {events} {bytes} {id:?}", reason.as_str()));
    }
}

#[tokio::test]
async fn an_observer_is_told_of_all_there_is() {
    let log = Log::default();
    let events = || {
        Sse::new(stream::iter(
            [7_u64, 8].map(|id| Event::new().id(id).data("x")),
        ))
    };
    let app = app(&layer().observe(log.clone()), events);
    let response = get(&app).await;
    assert!(log.take().is_empty(), "not before it is sent");
    Reader::of(response).rest().await;
    assert_eq!(
        log.take(),
        ["opened", "2 events, 30 bytes", "ended: 2 30 Some(\"8\")"]
    );
}

#[tokio::test]
async fn streams_of_others_are_observed_alike() {
    for ours in OURS_AND_FOREIGN {
        let log = Log::default();
        let fed = Fed::new(&layer().observe(log.clone()), ours);
        let mut reader = fed.open(Method::GET).await;
        fed.send("x");
        reader.frame().await;
        drop(reader);
        assert_eq!(
            log.take(),
            ["opened", "1 events, 9 bytes", "client_gone: 1 9 None"]
        );
    }
}

#[tokio::test]
async fn the_last_id_is_known_whoever_wrote_it() {
    for ours in OURS_AND_FOREIGN {
        let log = Log::default();
        let layer = layer().ids(sse_tower::Ids::sequence()).observe(log.clone());
        let fed = Fed::new(&layer, ours);
        fed.send("a");
        fed.send("b");
        let mut reader = fed.open(Method::GET).await;
        while !reader.frame().await.contains("id: 2") {}
        drop(reader);
        let last = log.take().pop().unwrap();
        assert!(last.ends_with("Some(\"2\")"), "{last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_is_an_event_too() {
    for ours in OURS_AND_FOREIGN {
        let (log, stop) = (Log::default(), Shutdown::new());
        let goodbye = Event::named("bye").id(7).data("x");
        let layer = layer().shutdown(&stop).observe(log.clone());
        let fed = Fed::new(&layer.goodbye(&goodbye).unwrap(), ours);
        let rest = fed.open_silent(Method::GET).await;
        stop.begin();
        rest.await.unwrap();
        assert_eq!(log.take().last().unwrap(), "shutdown: 1 40 Some(\"7\")");
    }
}

#[tokio::test]
async fn each_layer_tells_its_observers_and_a_closure_is_one() {
    let closed = Arc::new(AtomicU64::new(0));
    let count = |closed: &Arc<AtomicU64>| {
        let closed = Arc::clone(closed);
        move |how: &Closed| {
            assert_eq!(how.reason, CloseReason::Ended);
            closed.fetch_add(1, Ordering::Relaxed);
        }
    };
    let inner = layer().observe(count(&closed)).observe(count(&closed));
    let app = app(&inner, || Sse::new(stream::iter([Event::new().data("x")])));
    let app = app.layer(layer().observe(count(&closed)));
    Reader::of(get(&app).await).rest().await;
    assert_eq!(closed.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_head_request_and_a_refused_one_are_no_streams() {
    let log = Log::default();
    let app = app(&layer().max_streams(0).observe(log.clone()), || {
        Sse::new(stream::pending::<Event>())
    });
    call(&app, Method::HEAD, &[]).await;
    get(&app).await;
    call(&app, Method::POST, &[]).await;
    assert!(log.take().is_empty());
}

struct Panics;

impl Observe for Panics {
    fn opened(&self) {
        panic!("an observer that panics at the beginning");
    }

    fn closed(&self, _: &Closed) {
        panic!("an observer that panics at the end");
    }
}

#[tokio::test(start_paused = true)]
async fn the_panic_of_an_observer_is_its_own() {
    for ours in OURS_AND_FOREIGN {
        let log = Log::default();
        let layer = layer().observe(Panics).observe(log.clone());
        let fed = Fed::new(&layer, ours);
        let mut reader = fed.open(Method::GET).await;
        assert_eq!(reader.frame().await, ":\n");
        drop(reader);
        assert_eq!(log.take().len(), 3, "opened, sent and closed");
        assert_eq!(layer.open_streams(), 0);
    }
}

/// A second panic while the first one unwinds would abort the process.
#[tokio::test(start_paused = true)]
async fn a_stream_that_panics_survives_observers_that_do() {
    let log = Log::default();
    let layer = layer().observe(Panics);
    let told = log.clone();
    let app = app(&layer, move || {
        let told = told.clone();
        Sse::new(stream::poll_fn(|_| -> Poll<Option<Event>> {
            panic!("a stream")
        }))
        .on_close(|_| panic!("the first to be told"))
        .on_close(move |closed| told.push(closed.reason.as_str().to_owned()))
    });
    let reader = Reader::of(get(&app).await);
    assert!(tokio::spawn(reader.rest()).await.unwrap_err().is_panic());
    assert_eq!(log.take(), ["error"]);
    assert_eq!(layer.open_streams(), 0);
}

/// A stream that ends and, meanwhile, one that stays open until the server stops.
async fn two_streams(stop_before_reading: bool) -> Option<Reader> {
    let stop = Shutdown::new();
    let layer = layer().observe(Metrics::new()).shutdown(&stop);
    let fed = Fed::new(&layer, true);
    let mut silent = fed.open(Method::GET).await;
    silent.frame().await;
    let app = app(&layer, || Sse::new(stream::iter([Event::new().data("x")])));
    Reader::of(get(&app).await).rest().await;
    if stop_before_reading {
        stop.begin();
        while silent.next().await.is_some() {}
        return None;
    }
    Some(silent)
}

/// The metrics after `work`, while what it returned is still there.
fn metrics_of<T>(work: impl Future<Output = T>) -> Vec<String> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _open = metrics::with_local_recorder(&recorder, || runtime.block_on(work));
    let snapshot = snapshotter.snapshot().into_vec().into_iter();
    let mut lines: Vec<_> = snapshot
        .map(|(key, _, _, value)| match value {
            DebugValue::Counter(count) => format!("{} {count}", key.key()),
            DebugValue::Gauge(value) => format!("{} {value}", key.key()),
            DebugValue::Histogram(values) => format!("{} {values:?}", key.key()),
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn metrics_hold_how_far_clients_are_behind() {
    let lines = metrics_of(async {
        let topic = Topic::<Json<u32>>::new(Retention::events(16));
        let feed = topic.clone();
        let observed = layer().observe(Metrics::new());
        let app = app(&observed, move || Sse::from(feed.live()));
        let mut reader = Reader::of(get(&app).await);
        topic.publish_all((0..3).map(Json)).unwrap();
        reader.frame().await;
        topic.publish(Json(4)).unwrap();
        reader.frame().await;
        // Thirteen of them are gone when it reads, which ends it.
        topic.publish_all((0..29).map(Json)).unwrap();
        reader.next().await.unwrap().unwrap_err();
    });
    let lag = "Key(sse_lag_events) [3.0, 1.0]";
    assert!(lines.iter().any(|line| line == lag), "{lines:?}");
}

#[test]
fn no_stream_stays_counted_that_panics_or_is_dropped() {
    let lines = metrics_of(async {
        let layer = layer().observe(Metrics::new());
        let panics = || stream::iter([1]).map(|_| -> Result<Event, Infallible> { panic!("a bug") });
        let ours = app(&layer, move || Sse::new(panics()));
        let foreign = async move || {
            let events = panics().map(|_| Ok::<_, Infallible>(sse::Event::default()));
            sse::Sse::new(events)
        };
        let foreign = Router::new().route("/", any(foreign)).layer(layer.clone());
        for app in [ours, foreign] {
            let reader = Reader::of(get(&app).await);
            assert!(tokio::spawn(reader.rest()).await.unwrap_err().is_panic());
            drop(get(&app).await);
        }
        for ours in OURS_AND_FOREIGN {
            let fed = Fed::new(&layer, ours);
            let mut reader = fed.open(Method::GET).await;
            reader.frame().await;
        }
    });
    let has = |line: &str| assert!(lines.iter().any(|it| it == line), "{line}: {lines:?}");
    has("Key(sse_streams_open) 0");
    has("Key(sse_streams_opened_total) 4");
    has("Key(sse_streams_closed_total, [reason = error]) 2");
    has("Key(sse_streams_closed_total, [reason = client_gone]) 2");
}

#[test]
fn metrics_count_what_happens() {
    let name = |line: &str, value: u64| format!("Key({line}) {value}");
    let open = metrics_of(two_streams(false));
    assert!(open.contains(&name("sse_streams_open", 1)), "{open:?}");
    assert_eq!(
        metrics_of(two_streams(true)),
        [
            name("sse_bytes_total", 2 + 13 + 9),
            name("sse_events_total", 1),
            name("sse_streams_closed_total, [reason = ended]", 1),
            name("sse_streams_closed_total, [reason = shutdown]", 1),
            name("sse_streams_open", 0),
            name("sse_streams_opened_total", 2),
        ]
    );
}
