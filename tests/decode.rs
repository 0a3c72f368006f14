//! `sse_tower::decode`: a stream of bytes becomes a stream of events.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::FusedStream;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use sse_tower::{Decode, END_ID, FromSseEvent, Limits, RawEvent, ReadError, decode};

#[derive(FromSseEvent, Debug, PartialEq)]
enum Build {
    Log(String),
    #[sse(terminal)]
    Finished {
        success: bool,
    },
}

const DONE: Build = Build::Finished { success: true };
const DONE_BYTES: &str = "event: finished\ndata: {\"success\":true}\n\n";

fn log(text: &str) -> Build {
    Build::Log(text.into())
}

fn log_bytes(text: &str) -> String {
    format!("event: log\nid: {text}\ndata: \"{text}\"\n\n")
}

/// The next item of a stream that is ready.
#[track_caller]
fn next<S: Stream<Item: sse_tower::IntoChunk>, E: FromSseEvent>(
    events: &mut Decode<E, S>,
) -> Option<Result<E, ReadError>>
where
    Decode<E, S>: Unpin,
{
    events.next().now_or_never().expect("not pending")
}

#[test]
fn it_ends_after_a_terminal_event_and_lets_the_bytes_go() {
    let alive = Arc::new(());
    let guard = Arc::downgrade(&alive);
    let chunks = [log_bytes("1"), DONE_BYTES.to_owned() + &log_bytes("2")];
    let bytes = stream::iter(chunks)
        .chain(stream::pending())
        .map(move |chunk| {
            let _ = &alive;
            chunk
        });
    let mut events = decode::<Build, _>(bytes);
    assert_eq!(next(&mut events).unwrap().unwrap(), log("1"));
    assert!(!events.is_finished() && !events.is_terminated() && guard.upgrade().is_some());
    assert_eq!(next(&mut events).unwrap().unwrap(), DONE);
    assert!(events.is_finished() && events.is_terminated() && guard.upgrade().is_none());
    assert!(next(&mut events).is_none());
    assert!(next(&mut events).is_none());
    assert_eq!(events.last_event_id(), "1");
}

#[test]
fn it_ends_with_the_bytes() {
    let chunks = [log_bytes("1"), "retry: 10\ndata: unfinished".to_owned()];
    let mut events = decode::<Build, _>(stream::iter(chunks)).with_last_event_id("0");
    assert_eq!(events.last_event_id(), "0");
    assert_eq!(next(&mut events).unwrap().unwrap(), log("1"));
    assert_eq!(events.retry(), None);
    assert!(next(&mut events).is_none());
    assert!(next(&mut events).is_none());
    assert!(!events.is_finished());
    assert_eq!(events.retry(), Some(Duration::from_millis(10)));
}

#[test]
fn the_reserved_event_is_the_end() {
    let mut writer = sse_tower::EventBuffer::new();
    writer.end_stream();
    let chunks = [
        Bytes::from(log_bytes("1")),
        writer.take(),
        Bytes::from(log_bytes("2")),
    ];
    let mut events = decode::<RawEvent<'static>, _>(stream::iter(chunks));
    assert_eq!(next(&mut events).unwrap().unwrap().data(), "\"1\"");
    assert!(next(&mut events).is_none());
    assert!(events.is_finished());
    // Whoever comes back with it is told 204.
    assert_eq!(events.last_event_id(), END_ID);
}

#[test]
fn a_broken_event_is_one_error() {
    let chunks = [log_bytes("1") + "event: log\nid: 2\ndata: 2\n\n" + &log_bytes("3")];
    let mut events = decode::<Build, _>(stream::iter(chunks));
    assert_eq!(next(&mut events).unwrap().unwrap(), log("1"));
    let error = next(&mut events).unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the payload of the event \"log\" with the id \"2\" does not parse"
    );
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .starts_with("invalid type")
    );
    assert_eq!(events.last_event_id(), "2");
    assert_eq!(next(&mut events).unwrap().unwrap(), log("3"));
    assert!(next(&mut events).is_none());
}

#[test]
fn unknown_events_are_left_out_unless_it_is_strict() {
    let bytes = || stream::iter(["event: later\nid: 5\ndata: 1\n\n".to_owned() + DONE_BYTES]);
    let mut events = decode::<Build, _>(bytes());
    assert_eq!(next(&mut events).unwrap().unwrap(), DONE);
    assert_eq!(events.last_event_id(), "5");

    let mut events = decode::<Build, _>(bytes()).strict();
    let error = next(&mut events).unwrap().unwrap_err();
    assert!(matches!(&error, ReadError::Event(error) if error.is_unknown()));
    assert_eq!(next(&mut events).unwrap().unwrap(), DONE);

    #[derive(FromSseEvent, Debug, PartialEq)]
    enum Any {
        #[sse(other)]
        Other,
    }
    let mut events = decode::<Any, _>(bytes()).strict();
    assert_eq!(next(&mut events).unwrap().unwrap(), Any::Other);
}

#[test]
fn errors_of_the_bytes_and_limits_are_the_last_item() {
    let chunks = [
        Ok(log_bytes("1")),
        Err(io::Error::other("reset")),
        Ok(log_bytes("2")),
    ];
    let mut events = decode::<Build, _>(stream::iter(chunks));
    assert_eq!(next(&mut events).unwrap().unwrap(), log("1"));
    let error = next(&mut events).unwrap().unwrap_err();
    assert!(matches!(error, ReadError::Transport(_)));
    assert_eq!(error.to_string(), "the event stream broke off");
    assert_eq!(error.source().unwrap().to_string(), "reset");
    assert!(next(&mut events).is_none() && !events.is_finished());

    let chunks = [log_bytes("1"), log_bytes(&"x".repeat(100)), log_bytes("2")];
    let limits = Limits::default().with_line(50);
    let mut events = decode::<Build, _>(stream::iter(chunks)).with_limits(limits);
    assert_eq!(next(&mut events).unwrap().unwrap(), log("1"));
    let error = next(&mut events).unwrap().unwrap_err();
    assert!(matches!(error, ReadError::Limit(_)));
    assert_eq!(error.to_string(), "a line is longer than 50 bytes");
    assert!(next(&mut events).is_none());
}

#[test]
fn others_get_their_turn_beside_a_stream_of_comments() {
    let mut polled = 0;
    let bytes = stream::repeat(":\n").inspect(|_| polled += 1);
    let mut events = decode::<Build, _>(bytes);
    assert!(events.next().now_or_never().is_none());
    drop(events);
    assert!((1..1000).contains(&polled), "{polled}");
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_by_itself_after_others_had_their_turn() {
    let comments = stream::repeat(":\n".to_owned()).take(1000);
    let mut events = decode::<Build, _>(comments.chain(stream::iter([log_bytes("1")])));
    let next = tokio::time::timeout(Duration::from_secs(1), events.next());
    assert_eq!(next.await.expect("woken").unwrap().unwrap(), log("1"));
}

#[test]
fn chunks_may_be_cut_anywhere() {
    let bytes = (log_bytes("é") + DONE_BYTES).into_bytes();
    for at in 0..bytes.len() {
        let (head, tail) = bytes.split_at(at);
        let chunks = [
            Ok::<_, io::Error>(head.to_vec()),
            Ok(vec![]),
            Ok(tail.to_vec()),
        ];
        let events = decode::<Build, _>(stream::iter(chunks));
        let events: Vec<_> = events.map(Result::unwrap).collect().now_or_never().unwrap();
        assert_eq!(events, [log("é"), DONE]);
    }
}

#[test]
fn it_reads_the_body_of_a_response() {
    let body = axum::body::Body::from(log_bytes("1") + DONE_BYTES);
    let events = decode::<Build, _>(body.into_data_stream());
    let events: Vec<_> = events.map(Result::unwrap).collect().now_or_never().unwrap();
    assert_eq!(events, [log("1"), DONE]);
}
