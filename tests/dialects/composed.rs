//! Enums inside enums, and events that nobody knows.

use sse_core::{END_ID, EventMeta, FromSseEvent, RawEvent, SseEvent};

use crate::llm::Anthropic;
use crate::{both, reads};

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
enum Progress<T> {
    Progress {
        position: u64,
    },
    #[sse(terminal)]
    Done(T),
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
enum App {
    #[sse(flatten)]
    Chat(Anthropic),
    #[sse(flatten)]
    Job(Progress<u32>),
    Own,
}

#[test]
fn row_14_composition() {
    let ping = App::Chat(Anthropic::Ping);
    both(&ping, "event: ping\ndata: {\"type\":\"ping\"}\n\n");
    assert_eq!(ping.event_name(), Some("ping"));
    let progress = App::Job(Progress::Progress { position: 3 });
    both(&progress, "event: progress\ndata: {\"position\":3}\n\n");
    let done = App::Job(Progress::Done(7));
    both(&done, "event: done\ndata: 7\n\n");
    assert!(SseEvent::is_terminal(&done) && !SseEvent::is_terminal(&progress));
    both(&App::Own, "event: own\ndata: {}\n\n");

    let mut events: Vec<EventMeta> = Vec::new();
    App::describe(&mut events);
    let names: Vec<_> = events.iter().filter_map(|event| event.name).collect();
    assert_eq!(
        names,
        [
            "content_block_delta",
            "ping",
            "message_stop",
            "error",
            "progress",
            "done",
            "own"
        ]
    );
}

#[test]
fn row_15_unknown_event_proxied() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum Proxied {
        #[sse(flatten)]
        Chat(Anthropic),
        #[sse(other)]
        Other(RawEvent<'static>),
    }
    for bytes in [
        "event: from.tomorrow\nid: 7\nretry: 100\ndata: {\"type\":\"from.tomorrow\",\ndata:  \"x\":1.0}\n\n",
        "data:\n\n",
        "id: 8\ndata: [DONE]\n\n",
    ] {
        let event = reads::<Proxied>(bytes).unwrap();
        assert!(matches!(event, Proxied::Other(_)));
        both(&event, bytes);
    }
    let known = reads::<Proxied>("event: ping\ndata: {\"type\":\"ping\"}\n\n").unwrap();
    assert_eq!(known, Proxied::Chat(Anthropic::Ping));
    // The end of an upstream is the end here too, and this server says so itself.
    let end = format!("event: {END_ID}\nid: {END_ID}\ndata: {{}}\n\n");
    let end = reads::<Proxied>(&end).unwrap();
    assert!(end.is_terminal() && end.ends_stream());
    crate::writes(&end, "");
    // It is for unknown events, not for broken ones.
    let broken = reads::<Proxied>("event: content_block_delta\nid: 3\ndata: {\n\n").unwrap_err();
    assert_eq!(
        (broken.event(), broken.id()),
        ("content_block_delta", Some("3"))
    );

    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    enum Dropped {
        Known,
        #[sse(other)]
        Other,
    }
    assert_eq!(reads::<Dropped>("data: x\n\n").unwrap(), Dropped::Other);
    crate::writes(&Dropped::Other, "");
}
