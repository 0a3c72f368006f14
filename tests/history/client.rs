//! A client that reconnects until it is told that the stream is over, and remembers everything.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use fastrand::Rng;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use sse_tower::{Cursor, Decoder, END_ID, FromSseEvent as _, RawEvent};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::checker::{Asked, Connection, End, History, Item, Told};
use crate::server::Feed;
use crate::{between, small_socket};

/// What stands for the text of an event.
pub(crate) fn payload(data: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}

pub(crate) struct Client {
    address: SocketAddr,
    rng: Rng,
    habits: Habits,
    /// Events that all clients were sent.
    delivered: Arc<AtomicU64>,
    history: History,
    last_event_id: String,
}

struct Habits {
    path: &'static str,
    /// Pauses after every frame.
    slow: bool,
    /// Now and then reads nothing for a while.
    stalls: bool,
    /// Leaves in the middle of a stream and comes back.
    leaves: bool,
    /// Comes back with an id that is not its newest.
    forgets: bool,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, mut rng: Rng, delivered: Arc<AtomicU64>) -> Self {
        let habits = Habits {
            path: ["/tell", "/close", "/mark"][rng.usize(..3)],
            slow: rng.u8(..4) == 0,
            stalls: rng.u8(..4) == 0,
            leaves: rng.u8(..3) == 0,
            forgets: rng.u8(..8) == 0,
        };
        Self {
            address,
            rng,
            habits,
            delivered,
            history: Vec::new(),
            last_event_id: String::new(),
        }
    }

    /// Follows the stream to its end, or to the deadline, and returns what it has seen.
    pub(crate) async fn run(mut self, deadline: Instant) -> History {
        // Late is in the history too: it does not end as it should.
        drop(timeout_at(deadline, self.follow()).await);
        self.history
    }

    async fn follow(&mut self) {
        loop {
            self.forget();
            let mut io = JoinSet::new();
            let Some(response) = self.connect(&mut io).await else {
                // The request or the head was cut.
                sleep(between(&mut self.rng, 1, 20)).await;
                continue;
            };
            let asked = match &*self.last_event_id {
                "" => Asked::Nothing,
                END_ID => Asked::End,
                id => Asked::After(id.parse().unwrap()),
            };
            let over = response.status() == StatusCode::NO_CONTENT;
            assert!(over || response.status() == StatusCode::OK, "{response:?}");
            self.history.push(Connection {
                asked,
                got: Vec::new(),
                end: if over { End::NoContent } else { End::Cut },
            });
            if over {
                return;
            }
            let end = self.read(response.into_body()).await;
            self.connection().end = end;
        }
    }

    fn connection(&mut self) -> &mut Connection {
        self.history.last_mut().expect("there is one")
    }

    async fn connect(&self, io: &mut JoinSet<hyper::Result<()>>) -> Option<Response<Incoming>> {
        let stream = small_socket().unwrap().connect(self.address).await.ok()?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut requests, connection) = handshake.await.ok()?;
        io.spawn(connection);
        let mut request = Request::get(self.habits.path)
            .header("host", "localhost")
            .header("accept", "text/event-stream");
        if !self.last_event_id.is_empty() {
            request = request.header("last-event-id", &self.last_event_id);
        }
        let request = request.body(Body::empty()).unwrap();
        requests.send_request(request).await.ok()
    }

    async fn read(&mut self, mut body: Incoming) -> End {
        let mut decoder = Decoder::new().with_last_event_id(&*self.last_event_id);
        let most = match self.habits.leaves {
            true => self.rng.usize(1..2000),
            false => usize::MAX,
        };
        let end = loop {
            let frame = match body.frame().await {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => break End::Cut,
                None => break End::Whole,
            };
            decoder.push(frame.into_data().unwrap());
            while let Some(event) = decoder.next_event().unwrap() {
                let item = item(&event);
                let events = u64::from(matches!(item, Some(Item::Event { .. })));
                self.delivered.fetch_add(events, Ordering::Relaxed);
                self.connection().got.extend(item);
            }
            if self.connection().got.len() > most {
                break End::Left;
            }
            self.pause().await;
        };
        decoder.last_event_id().clone_into(&mut self.last_event_id);
        end
    }

    async fn pause(&mut self) {
        if self.habits.slow {
            sleep(between(&mut self.rng, 1, 8)).await;
        }
        if self.habits.stalls && self.rng.u8(..100) == 0 {
            sleep(between(&mut self.rng, 50, 500)).await;
        }
    }

    /// Goes back to an older id, as a page does that was loaded from a cache.
    fn forget(&mut self) {
        if !self.habits.forgets || self.last_event_id == END_ID {
            return;
        }
        let items = self.history.iter().flat_map(|it| &it.got).rev();
        let cursors = items.filter_map(|item| match item {
            Item::Event { cursor, .. } => Some(*cursor),
            Item::Gap(_) | Item::Mark(_) => None,
        });
        if let Some(older) = cursors.take(self.rng.usize(1..100)).last() {
            self.last_event_id = older.to_string();
        }
    }
}

/// What the history remembers of an event; nothing of the one that ends a stream.
fn item(event: &RawEvent<'_>) -> Option<Item> {
    let cursor = |text: &str| -> Cursor { text.parse().unwrap() };
    if event.id() == Some(END_ID) {
        return None;
    }
    if event.name() == Some("sse-tower:cursor") {
        return Some(Item::Mark(cursor(event.id().expect("it has nothing else"))));
    }
    if let Feed::Lost {
        requested,
        resume,
        head,
    } = Feed::from_event(event).unwrap()
    {
        assert_eq!(event.id(), None, "a gap is no event of the log");
        return Some(Item::Gap(Told {
            requested: cursor(&requested),
            resume: cursor(&resume),
            head: head.as_deref().map(cursor),
        }));
    }
    Some(Item::Event {
        cursor: cursor(event.id().expect("what is kept has an id")),
        payload: payload(event.data()),
    })
}
