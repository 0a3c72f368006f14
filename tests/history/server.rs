//! The servers under test.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use futures_util::stream;
use sse_tower::{
    Cursor, FromSseEvent, Lag, Missed, Resume, Retention, Sse, SseEvent, SseLayer, Subscription,
    Topic,
};
use tokio::net::TcpListener;

use crate::small_socket;

/// How many events are kept: fewer than are published in a large burst.
pub(crate) const KEPT: usize = 128;

#[derive(SseEvent, FromSseEvent, Debug)]
pub(crate) enum Feed {
    #[sse(data = "text")]
    Row(String),
    /// A gap, told to the client.
    Lost {
        requested: String,
        resume: String,
        head: Option<String>,
    },
    #[sse(terminal)]
    Over,
}

impl Feed {
    pub(crate) fn lost(requested: Cursor, resume: Cursor, head: Option<Cursor>) -> Self {
        Self::Lost {
            requested: requested.to_string(),
            resume: resume.to_string(),
            head: head.map(|head| head.to_string()),
        }
    }
}

/// A server of one topic, that clients read at `/tell` and `/close`, named after what happens
/// when they fall behind, and at `/mark`, where they have checkpoints.
pub(crate) trait Server: Clone + Send + Sync + 'static {
    /// Where it is now.
    fn address(&self) -> SocketAddr;

    /// Publishes rows, in this order. `None` if the server died before it answered: then some of
    /// them are published, or all, or none.
    fn publish(&self, rows: Vec<String>) -> impl Future<Output = Option<Vec<Cursor>>> + Send;

    /// Publishes the last event.
    fn close(&self) -> impl Future<Output = Cursor> + Send;

    /// Ends and begins again, with what the store has kept.
    fn restart(&self) -> impl Future<Output = ()> + Send;

    /// The epochs that there were, in their order.
    fn epochs(&self) -> Vec<u64>;
}

/// A topic in memory: a restart forgets all of it.
#[derive(Clone)]
pub(crate) struct Memory {
    address: SocketAddr,
    /// The newest is the one that is served.
    topics: Topics,
}

#[derive(Clone, Default)]
struct Topics(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    served: Option<Arc<Topic<Feed>>>,
    epochs: Vec<u64>,
}

impl Memory {
    pub(crate) async fn start() -> Self {
        let topics = Topics::default();
        topics.begin();
        let app = Router::new()
            .route("/{way}", get(feed))
            // A keep-alive would repair a wake-up that is lost.
            .layer(SseLayer::new().no_keep_alive())
            .with_state(topics.clone());
        let listener = listen();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, topics }
    }
}

/// What is accepted inherits the small buffers.
pub(crate) fn listen() -> TcpListener {
    let socket = small_socket().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1024).unwrap()
}

impl Server for Memory {
    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn publish(&self, rows: Vec<String>) -> Option<Vec<Cursor>> {
        let publish = |row| self.topics.served().publish(Feed::Row(row)).unwrap();
        let cursors = rows.into_iter().map(publish);
        Some(cursors.map(|it| it.expect("a row is kept")).collect())
    }

    async fn close(&self) -> Cursor {
        let cursor = self.topics.served().close(Feed::Over).unwrap();
        cursor.expect("the last event is kept")
    }

    async fn restart(&self) {
        self.topics.begin();
    }

    fn epochs(&self) -> Vec<u64> {
        self.topics.0.lock().unwrap().epochs.clone()
    }
}

impl Topics {
    fn begin(&self) {
        let topic = Topic::new(Retention::events(KEPT).bytes(usize::MAX));
        let mut shared = self.0.lock().unwrap();
        shared.epochs.push(topic.head().epoch());
        shared.served = Some(Arc::new(topic));
    }

    fn served(&self) -> Arc<Topic<Feed>> {
        let shared = self.0.lock().unwrap();
        Arc::clone(shared.served.as_ref().expect("it has begun"))
    }
}

async fn feed(
    State(topics): State<Topics>,
    Path(way): Path<String>,
    resume: Resume<Cursor>,
) -> Result<Sse<Feed>, Missed> {
    let topic = topics.served();
    // A stream must not keep a topic alive that the server has forgotten.
    let weak = Arc::downgrade(&topic);
    let way = way_of(way, move || Some(weak.upgrade()?.head()));
    go_on(
        topic.subscribe(resume),
        way,
        || topic.from_start(),
        || topic.head(),
    )
}

/// How a client reads that asked for this path.
pub(crate) fn way_of(
    name: String,
    head: impl Fn() -> Option<Cursor> + Send + Sync + 'static,
) -> impl FnOnce(Subscription<Feed>) -> Subscription<Feed> {
    move |subscription| match &*name {
        "tell" => subscription.lag(Lag::tell(move |gap| {
            Feed::lost(gap.requested(), gap.resume(), head())
        })),
        "mark" => subscription.checkpoints(),
        _ => subscription,
    }
}

/// Goes on where the client was or, behind an event that tells of the gap, where the topic begins.
pub(crate) fn go_on(
    subscribed: Result<Subscription<Feed>, Missed>,
    way: impl FnOnce(Subscription<Feed>) -> Subscription<Feed>,
    from_start: impl FnOnce() -> Subscription<Feed>,
    head: impl FnOnce() -> Cursor,
) -> Result<Sse<Feed>, Missed> {
    match subscribed {
        Ok(rest) => Ok(way(rest).into()),
        Err(Missed::Gap(gap)) => {
            // More may have gone since, so the gap ends where this begins.
            let kept = way(from_start());
            let lost = Feed::lost(gap.requested(), kept.cursor(), Some(head()));
            Ok(kept.behind(stream::iter([lost])))
        }
        Err(missed) => Err(missed),
    }
}
