//! What an event tells of itself beside its bytes.

use sse_core::{DataFormat, EventMeta, Keep, SseEvent};

use crate::check;

#[test]
fn the_end_is_marked() {
    #[derive(SseEvent)]
    enum Job {
        Step,
        #[sse(terminal)]
        Done,
        #[sse(terminal)]
        Failed(String),
    }
    let ends = [Job::Step, Job::Done, Job::Failed(String::new())].map(|event| event.is_terminal());
    assert_eq!(ends, [false, true, true]);

    #[derive(SseEvent)]
    enum Only {
        #[sse(terminal)]
        Done,
    }
    assert!(Only::Done.is_terminal());

    /// Written by nobody, and the end for those who read it.
    #[derive(SseEvent)]
    enum Read {
        #[serde(skip_serializing)]
        #[sse(terminal)]
        Done,
    }
    assert!(!Read::Done.is_terminal());
}

#[test]
fn descriptions() {
    /// Not this.
    #[derive(SseEvent)]
    #[allow(dead_code)]
    enum Build {
        /// The build began.
        ///
        ///  Second line.
        Started {
            #[sse(id)]
            seq: u64,
        },
        #[sse(data = "text", unnamed)]
        Log(String),
        #[sse(data = "empty")]
        Ping,
        #[sse(literal = "[DONE]", terminal)]
        Done,
    }
    let mut metas = Vec::new();
    Build::describe(&mut metas);
    let meta = |name, tag, format| EventMeta {
        name,
        tag,
        format,
        terminal: false,
        has_id: false,
        doc: "",
    };
    assert_eq!(
        metas,
        [
            EventMeta {
                has_id: true,
                doc: "The build began.\n\n Second line.",
                ..meta(Some("started"), "started", DataFormat::Json)
            },
            meta(None, "log", DataFormat::Text),
            meta(Some("ping"), "ping", DataFormat::Empty),
            EventMeta {
                terminal: true,
                ..meta(Some("done"), "done", DataFormat::Literal("[DONE]"))
            },
        ]
    );
}

#[test]
fn descriptions_of_what_is_not_json() {
    #[derive(SseEvent)]
    #[allow(dead_code)]
    enum Inner {
        Only,
    }
    #[derive(SseEvent)]
    #[allow(dead_code)]
    enum Outer {
        #[sse(data = "lines")]
        Patch { a: u8 },
        #[sse(comment)]
        Heartbeat,
        #[sse(flatten)]
        Inner(Inner),
        Row {
            #[sse(event)]
            name: String,
        },
        #[sse(skip)]
        Skipped,
        #[sse(other)]
        Other,
    }
    let mut metas = Vec::new();
    Outer::describe(&mut metas);
    let seen: Vec<_> = metas
        .iter()
        .map(|meta| (meta.name, meta.tag, meta.format))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("patch"), "patch", DataFormat::Lines),
            (None, "heartbeat", DataFormat::Comment),
            (Some("only"), "only", DataFormat::Json),
            (None, "row", DataFormat::Json),
        ]
    );
}

#[test]
fn what_a_log_keeps() {
    #[derive(SseEvent)]
    #[sse(rename_all = "lowercase")]
    enum Inner {
        #[sse(replay = "never")]
        Cursor,
        #[sse(replay = "latest")]
        Price,
        #[sse(replay = "latest", unnamed, data = "text")]
        TextLine(u8),
        #[sse(replay = "latest", unnamed, data = "text")]
        Textline(u8),
    }
    #[derive(SseEvent)]
    enum Prices {
        #[sse(replay = "latest")]
        Price {
            #[sse(key)]
            symbol: &'static str,
            cents: u32,
        },
        #[sse(replay = "latest", rename = "state-of-market")]
        State(u8),
        #[sse(replay = "all")]
        Trade(u8),
        #[sse(flatten)]
        Inner(Inner),
    }
    let price = Prices::Price {
        symbol: "X",
        cents: 1,
    };
    let latest = |kind, key: &'static str| Keep::Latest {
        kind,
        key: key.into(),
    };
    let path = concat!(module_path!(), "::Prices::Price");
    assert_eq!(price.keep(), latest(path, "X"));
    check(
        &price,
        "event: price\ndata: {\"symbol\":\"X\",\"cents\":1}\n\n",
    );
    let path = concat!(module_path!(), "::Prices::State");
    assert_eq!(Prices::State(1).keep(), latest(path, ""));
    assert_eq!(Prices::Trade(1).keep(), Keep::All);
    assert_eq!(Prices::Inner(Inner::Cursor).keep(), Keep::Never);

    // The same name on the wire, or none, but not the newest of the same.
    let path = concat!(module_path!(), "::Inner::Price");
    assert_eq!(Prices::Inner(Inner::Price).keep(), latest(path, ""));
    assert_ne!(Inner::TextLine(1).keep(), Inner::Textline(1).keep());
}

#[test]
fn ids_are_declared_by_the_enum_that_has_them() {
    #[derive(SseEvent)]
    enum Counted {
        Row(#[sse(id)] u64),
        Ping,
    }
    #[derive(SseEvent)]
    enum App {
        #[sse(flatten)]
        Counted(Counted),
        Own,
    }
    assert!(Counted::Row(1).declares_id());
    assert!(
        Counted::Ping.declares_id(),
        "numbers of ours would not fit among its ids"
    );
    assert!(App::Counted(Counted::Ping).declares_id());
    assert!(App::Own.declares_id(), "the next one may be a row");

    #[derive(SseEvent)]
    enum Boxed {
        #[sse(flatten)]
        #[allow(dead_code, reason = "the declaration counts")]
        Counted(Box<Counted>),
        #[sse(flatten)]
        #[allow(dead_code, reason = "nothing is known of it")]
        Any(Box<dyn SseEvent>),
        Own,
    }
    assert!(Boxed::Own.declares_id());

    #[derive(SseEvent)]
    enum Unsent {
        #[serde(skip_serializing)]
        #[allow(dead_code, reason = "it is read elsewhere")]
        Row(#[sse(id)] u64),
        Own,
    }
    assert!(!Unsent::Own.declares_id());
}
