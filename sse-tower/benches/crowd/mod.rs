//! Many subscribers in one thread, which count what they are sent.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use memchr::memchr_iter;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, spawn_local};

use super::child::Server;

/// Once in every event, and nowhere else in what a server sends.
pub(crate) const MARK: u8 = b'!';

/// The subscribers of one server; dropped, they leave. Lives in a `LocalSet`.
pub(crate) struct Crowd {
    size: u64,
    tally: Rc<Tally>,
    publisher: TcpStream,
    tasks: Vec<AbortHandle>,
}

#[derive(Default)]
struct Tally {
    /// Answers that have begun, and events that have come.
    open: Cell<u64>,
    events: Cell<u64>,
    /// Who waits is told when so many have come.
    goal: Cell<u64>,
    reached: Notify,
    /// When the event was published that is on its way, if the delay is of interest.
    published: Cell<Option<Instant>>,
    delays: RefCell<Vec<Duration>>,
}

impl Crowd {
    /// Subscribes, and waits until everybody is sent events.
    pub(crate) async fn gather(server: &Server, size: u64) -> Self {
        let tally = Rc::new(Tally::default());
        let mut tasks = Vec::new();
        for _ in 0..size {
            let socket = into_tokio(server.get("/events"));
            tasks.push(spawn_local(subscriber(socket, Rc::clone(&tally))).abort_handle());
            // So that the server's backlog does not overflow.
            tokio::task::yield_now().await;
        }
        while tally.open.get() < size {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let publisher = into_tokio(server.connect());
        let mut crowd = Self {
            size,
            tally,
            publisher,
            tasks,
        };
        // The first events grow what is kept for the later ones.
        for _ in 0..3 {
            crowd.publish(1).await;
        }
        crowd
    }

    /// Has events published next to each other, and waits until everybody has them.
    pub(crate) async fn publish(&mut self, events: u64) {
        let tally = &self.tally;
        tally.goal.set(tally.events.get() + events * self.size);
        let request = format!("POST /publish/{events} HTTP/1.1\r\nhost: x\r\n\r\n");
        self.publisher
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
        tally.reached.notified().await;
        let mut answer = [0; 1024];
        let len = self.publisher.read(&mut answer).await.expect("an answer");
        assert!(answer[..len].starts_with(b"HTTP/1.1 200"), "published");
    }

    /// Has one event published every `interval`; returns the sorted delays of all deliveries.
    pub(crate) async fn pace(&mut self, interval: Duration, events: u64) -> Vec<Duration> {
        let mut ticks = tokio::time::interval(interval);
        for _ in 0..events {
            ticks.tick().await;
            self.tally.published.set(Some(Instant::now()));
            self.publish(1).await;
        }
        self.tally.published.set(None);
        let mut delays = self.tally.delays.take();
        delays.sort();
        delays
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

async fn subscriber(mut socket: TcpStream, tally: Rc<Tally>) {
    // Larger than a burst: a read that fills it would be followed by one more.
    let mut buffer = [0; 4096];
    let mut open = false;
    loop {
        let len = socket.read(&mut buffer).await.expect("a stream");
        assert!(len > 0, "the stream goes on");
        if !open {
            open = true;
            tally.open.set(tally.open.get() + 1);
        }
        let new = memchr_iter(MARK, &buffer[..len]).count() as u64;
        let events = tally.events.get() + new;
        tally.events.set(events);
        if let Some(published) = tally.published.get()
            && new > 0
        {
            tally.delays.borrow_mut().push(published.elapsed());
        }
        if new > 0 && events == tally.goal.get() {
            tally.reached.notify_one();
        }
    }
}

fn into_tokio(socket: std::net::TcpStream) -> TcpStream {
    socket.set_nonblocking(true).expect("a socket");
    TcpStream::from_std(socket).expect("a runtime")
}
