//! Streams that change a page.

use serde_json::{Value, json};
use sse_core::{FromSseEvent, SseEvent};

use crate::{both, writes};

#[derive(SseEvent)]
#[sse(
    prefix = "datastar-",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    data = "lines"
)]
enum Datastar {
    PatchElements {
        selector: Option<&'static str>,
        mode: Option<&'static str>,
        use_view_transition: Option<bool>,
        elements: Option<String>,
    },
    PatchSignals {
        only_if_missing: Option<bool>,
        #[sse(json)]
        signals: Value,
    },
}

#[test]
fn row_8_datastar_elements() {
    let patch = Datastar::PatchElements {
        selector: Some("#feed"),
        mode: Some("append"),
        use_view_transition: None,
        elements: Some("<div>\n  1\n</div>".into()),
    };
    writes(
        &patch,
        "event: datastar-patch-elements\ndata: selector #feed\ndata: mode append\n\
         data: elements <div>\ndata: elements   1\ndata: elements </div>\n\n",
    );
    let remove = Datastar::PatchElements {
        selector: Some("#feed"),
        mode: Some("remove"),
        use_view_transition: Some(true),
        elements: None,
    };
    writes(
        &remove,
        "event: datastar-patch-elements\ndata: selector #feed\ndata: mode remove\n\
         data: useViewTransition true\n\n",
    );
}

#[test]
fn row_8b_datastar_signals() {
    let patch = Datastar::PatchSignals {
        only_if_missing: Some(true),
        signals: json!({"a": 1}),
    };
    writes(
        &patch,
        "event: datastar-patch-signals\ndata: onlyIfMissing true\ndata: signals {\"a\":1}\n\n",
    );
}

#[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
#[sse(data = "text")]
enum Htmx {
    ChatMessage(String),
    #[sse(data = "empty", terminal)]
    Close,
    Swap {
        #[sse(event)]
        target: String,
        html: String,
    },
}

#[test]
fn row_9_htmx_2() {
    both(
        &Htmx::ChatMessage("<p>\nhi</p>".into()),
        "event: chat_message\ndata: <p>\ndata: hi</p>\n\n",
    );
    let swap = Htmx::Swap {
        target: "row-7".into(),
        html: "<td>1</td>".into(),
    };
    assert_eq!(swap.event_name(), Some("row-7"));
    both(&swap, "event: row-7\ndata: <td>1</td>\n\n");
    both(&Htmx::Close, "event: close\ndata:\n\n");
}

#[test]
fn row_9b_htmx_4_and_turbo() {
    #[derive(SseEvent, FromSseEvent, Debug, PartialEq)]
    #[sse(unnamed, data = "text")]
    enum Turbo {
        Stream(String),
    }
    both(
        &Turbo::Stream("<turbo-stream action=\"append\">\n…</turbo-stream>".into()),
        "data: <turbo-stream action=\"append\">\ndata: …</turbo-stream>\n\n",
    );
}
