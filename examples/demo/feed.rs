//! A live feed with resume: the load and the memory of this machine, once a second.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use futures_util::stream;
use sse_tower::{Cursor, Gap, Missed, Resume, Retention, Sse, SseEvent, Topic, sse_handler};
use sysinfo::System;
use tokio::time::{MissedTickBehavior, interval};

use crate::App;

/// How many samples a client can have missed and still be sent.
const KEPT: usize = 300;

#[derive(SseEvent)]
pub(crate) enum Feed {
    Sample(Sample),
    /// The first event of each connection: samples up to this number were taken before it.
    Connected {
        newest: u64,
    },
    /// How many samples are gone for good: the client was away for longer than they are kept.
    Lost {
        samples: u64,
    },
}

#[derive(serde::Serialize)]
pub(crate) struct Sample {
    /// How busy the processors are, in percent.
    load: f32,
    memory_used: u64,
    memory_total: u64,
}

/// Sends the samples after the last one that the client has seen, then each new one.
#[sse_handler(retry = "3s")]
pub(crate) async fn feed(State(app): State<App>, resume: Resume<Cursor>) -> Sse<Feed> {
    let newest = app.feed.head().seq();
    let subscribed = match resume {
        Resume::Fresh => Ok(app.feed.from_start()),
        resume => app.feed.subscribe(resume),
    };
    let mut first = vec![Feed::Connected { newest }];
    let samples = subscribed.unwrap_or_else(|missed| {
        let kept = app.feed.from_start();
        if let Missed::Gap(gap) = missed {
            // More may have gone since, so the gap ends where the rest begins. To a client of
            // another run of the server, whose samples are unknown, nothing is said to be lost.
            let gap = Gap::new(gap.requested(), kept.cursor(), gap.cause());
            first.extend(gap.lost().map(|samples| Feed::Lost { samples }));
        }
        kept
    });
    samples.behind(stream::iter(first))
}

/// Ends every stream of the feed. Browsers come back after the `retry` above.
pub(crate) async fn drop_connections(State(app): State<App>) -> StatusCode {
    app.feed_streams.end_streams();
    StatusCode::NO_CONTENT
}

/// A topic with a new sample each second.
pub(crate) fn start() -> Topic<Feed> {
    let feed = Topic::new(Retention::events(KEPT));
    tokio::spawn(sample(feed.clone()));
    feed
}

async fn sample(feed: Topic<Feed>) {
    let mut system = System::new();
    // The load is that of the time between two readings.
    system.refresh_cpu_usage();
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    second.tick().await;
    loop {
        second.tick().await;
        system.refresh_cpu_usage();
        system.refresh_memory();
        let published = feed.publish(Feed::Sample(Sample {
            load: system.global_cpu_usage(),
            memory_used: system.used_memory(),
            memory_total: system.total_memory(),
        }));
        if let Err(error) = published {
            eprintln!("a sample was not published: {error}");
        }
    }
}
