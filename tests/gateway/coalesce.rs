//! `coalesce`: deltas that follow each other closely become one event.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::stream::FusedStream;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use sse_tower::{CoalesceExt, Event, Sse, SseEvent};
use tokio::time::{Instant, sleep_until};

use Answer::{Finished, Started, Text};

#[derive(SseEvent, Clone, Copy, Debug, PartialEq)]
enum Answer {
    Started,
    /// How many tokens it is.
    Text(u32),
    #[sse(terminal)]
    Finished,
}

impl Answer {
    fn merge(&mut self, next: Self) -> Option<Self> {
        match (self, next) {
            (Text(tokens), Text(more)) => *tokens += more,
            (_, next) => return Some(next),
        }
        None
    }
}

const WINDOW: Duration = Duration::from_millis(20);

/// Each item at its millisecond, and the end at the last one.
fn at<T>(start: Instant, items: impl IntoIterator<Item = (u64, T)>) -> impl Stream<Item = T> {
    stream::iter(items).then(move |(at, item)| async move {
        sleep_until(start + Duration::from_millis(at)).await;
        item
    })
}

/// What came, and at which millisecond.
async fn arrivals<T>(start: Instant, events: impl Stream<Item = T>) -> Vec<(u128, T)> {
    let timed = events.map(|event| (start.elapsed().as_millis(), event));
    timed.collect().await
}

/// The events that go in, and those that come out.
#[track_caller]
fn check<const N: usize, const M: usize>(
    sent: [(u64, Answer); N],
    expected: [(u128, Answer); M],
) -> impl Future<Output = ()> {
    let at_caller = std::panic::Location::caller();
    async move {
        let start = Instant::now();
        let events = at(start, sent).coalesce(WINDOW, Answer::merge);
        assert_eq!(arrivals(start, events).await, expected, "{at_caller}");

        let start = Instant::now();
        let results = at(start, sent).map(Ok::<_, &str>);
        let events = results.coalesce(WINDOW, Answer::merge);
        let expected = expected.map(|(at, event)| (at, Ok(event)));
        assert_eq!(arrivals(start, events).await, expected, "{at_caller}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_delta_is_not_delayed_whatever_came_before_it() {
    check(
        [(5, Text(1)), (6, Text(1)), (100, Finished)],
        [(5, Text(1)), (25, Text(1)), (100, Finished)],
    )
    .await;
    check(
        [(5, Started), (6, Text(1)), (7, Started), (7, Text(1))],
        [(5, Started), (6, Text(1)), (7, Started), (7, Text(1))],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_of_deltas_is_one_event_in_a_window() {
    let tokens: [(u64, Answer); 51] = std::array::from_fn(|n| (2 * n as u64, Text(1)));
    check(
        tokens,
        [
            (0, Text(1)),
            (20, Text(10)),
            (40, Text(10)),
            (60, Text(10)),
            (80, Text(10)),
            (100, Text(10)),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn events_further_apart_than_the_window_pass_at_once() {
    check(
        [(0, Text(1)), (20, Text(1)), (45, Text(1)), (65, Text(1))],
        [(0, Text(1)), (20, Text(1)), (45, Text(1)), (65, Text(1))],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_merge_lets_go_of_what_is_held_in_order() {
    check(
        [(0, Text(1)), (1, Text(1)), (2, Text(1)), (3, Finished)],
        [(0, Text(1)), (3, Text(2)), (3, Finished)],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_end_lets_go_of_what_is_held() {
    check(
        [(0, Text(1)), (1, Text(1)), (2, Text(1))],
        [(0, Text(1)), (2, Text(2))],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_follows_at_once_on_what_is_held_and_joins_nothing() {
    let start = Instant::now();
    let items = [
        (0, Ok(Text(1))),
        (1, Ok(Text(2))),
        (2, Err("broken")),
        (3, Ok(Text(4))),
        (4, Err("again")),
    ];
    let events = at(start, items).coalesce(WINDOW, Answer::merge);
    let expected = [
        (0, Ok(Text(1))),
        (2, Ok(Text(2))),
        (2, Err("broken")),
        (3, Ok(Text(4))),
        (4, Err("again")),
    ];
    assert_eq!(arrivals(start, events).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_merged_event_does_not_grow_without_end() {
    // Always ready, so that no timer could end it.
    let mut events = pin!(stream::repeat(Text(1)).coalesce(WINDOW, Answer::merge));
    let first: Vec<_> = events.by_ref().take(3).collect().await;
    assert_eq!(first, [Text(1), Text(64), Text(64)]);

    let few = stream::repeat(Text(1)).coalesce(WINDOW, Answer::merge);
    let few: Vec<_> = few.at_most(3).take(3).collect().await;
    assert_eq!(few, [Text(1), Text(3), Text(3)]);
    let none = stream::repeat(Text(1)).coalesce(WINDOW, Answer::merge);
    let none: Vec<_> = none.at_most(0).take(3).collect().await;
    assert_eq!(none, [Text(1); 3]);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_any_length_is_taken() {
    let merge = Answer::merge;
    let none = stream::repeat(Text(1)).coalesce(Duration::ZERO, merge);
    assert_eq!(none.take(3).collect::<Vec<_>>().await, [Text(1); 3]);
    let all = stream::iter([Text(1); 9]).coalesce(Duration::MAX, merge);
    assert_eq!(all.collect::<Vec<_>>().await, [Text(1), Text(8)]);
}

#[tokio::test(start_paused = true)]
async fn nothing_wakes_it_while_nothing_is_held() {
    let start = Instant::now();
    let sent = at(start, [(0, Text(1)), (1, Text(2)), (2, Started)]).chain(stream::pending());
    let mut events = pin!(sent.coalesce(WINDOW, Answer::merge));
    for event in [Text(1), Text(2), Started] {
        assert_eq!(events.next().await, Some(event));
    }
    assert_eq!(start.elapsed().as_millis(), 2);
    // Paused time goes to the next timer there is: this one, if there is no other.
    let limit = start + Duration::from_secs(60);
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let counting = std::future::poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        events.poll_next_unpin(cx)
    });
    assert!(tokio::time::timeout_at(limit, counting).await.is_err());
    assert_eq!(polls.get(), 2, "once, and once at the limit");
}

#[tokio::test(start_paused = true)]
async fn it_ends_once_and_lets_the_stream_go() {
    let alive = Rc::new(());
    let guard = Rc::downgrade(&alive);
    let sent = stream::iter([Text(1), Text(1)]).map(move |event| {
        let _ = &alive;
        event
    });
    let mut events = pin!(sent.coalesce(WINDOW, Answer::merge));
    assert_eq!(events.size_hint(), (1, Some(2)));
    assert_eq!(events.next().now_or_never(), Some(Some(Text(1))));
    assert!(!events.is_terminated());
    assert_eq!(events.next().now_or_never(), Some(Some(Text(1))));
    assert!(events.is_terminated() && guard.upgrade().is_none());
    assert_eq!(events.next().now_or_never(), Some(None));
    assert_eq!(events.size_hint(), (0, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_closure_merges_and_a_response_is_made_of_it() {
    let words = ["a ", "b ", "c"].map(|word| Ok::<_, std::io::Error>(word.to_owned()));
    let events = stream::iter(words).coalesce(WINDOW, |held, next| {
        held.push_str(&next);
        None
    });
    let response = Sse::new(events.map(|text| text.map(|text| Event::new().data(text))));
    let body = axum::response::IntoResponse::into_response(response).into_body();
    let body = axum::body::to_bytes(body, 1024).await.unwrap();
    assert_eq!(body, "data: a \n\ndata: b c\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_joined_event_has_the_id_that_merge_gives_it() {
    #[derive(SseEvent, Clone)]
    enum Log {
        Lines {
            #[sse(id)]
            newest: u32,
            lines: Vec<u32>,
        },
    }
    let merge = |log: &mut Log, next| {
        let Log::Lines { newest, lines } = log;
        let Log::Lines {
            newest: id,
            lines: more,
        } = next;
        lines.extend(more);
        *newest = id;
        None
    };
    let lines = [1, 2, 3].map(|n| Log::Lines {
        newest: n,
        lines: vec![n],
    });
    let response = Sse::new(stream::iter(lines).coalesce(WINDOW, merge));
    let body = axum::response::IntoResponse::into_response(response);
    let text = axum::body::to_bytes(body.into_body(), 4096).await.unwrap();
    // Who comes back after 3 has seen 2.
    assert_eq!(
        text,
        "event: lines\nid: 1\ndata: {\"lines\":[1]}\n\nevent: lines\nid: 3\ndata: {\"lines\":[2,3]}\n\n"
    );
}
