//! The dialects of the example `llm-gateway`: what each is on the wire, and one made of another.

use std::convert::Infallible;
use std::fmt::Debug;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sse_tower::{Decoder, EventBuffer, FromSseEvent, SseEvent};

use crate::dialect::anthropic::{self, Anthropic};
use crate::dialect::openai::{self, Chat};
use crate::dialect::responses;
use crate::dialect::ui::{self, UiMessage};
use crate::dialect::{Failure, Piece, Reason, Usage, Whole, collect, translate};

const ANSWER: &str = r#": hello

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"lo\n"},"finish_reason":null}]}

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}

data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}

data: [DONE]

"#;

fn pieces() -> [Piece; 4] {
    [
        Piece::Started {
            id: "c1".into(),
            model: "m".into(),
        },
        Piece::Text("Hel".into()),
        Piece::Text("lo\n".into()),
        Piece::Finished {
            reason: Reason::Length,
            usage: Usage {
                input: 7,
                output: 2,
            },
        },
    ]
}

/// The answer in another dialect, which reads as what was written.
async fn written<E, I>(events: impl FnMut(Piece) -> I) -> String
where
    E: SseEvent + FromSseEvent + PartialEq + Debug,
    I: IntoIterator<Item = E>,
{
    let pieces = stream::iter(pieces().map(Ok::<_, Infallible>));
    let events: Vec<E> = translate(pieces, events)
        .map(Result::unwrap)
        .collect()
        .await;
    let mut buffer = EventBuffer::new();
    for event in &events {
        buffer.write(event).unwrap();
    }
    let mut decoder = Decoder::new();
    decoder.push(buffer.as_bytes());
    for event in events {
        let read = decoder.next_event().unwrap().unwrap();
        assert_eq!(E::from_event(&read).unwrap(), event);
    }
    String::from_utf8(buffer.take().into()).unwrap()
}

/// What is read of an answer, and why it ended early.
async fn read(bytes: &str) -> (Vec<Piece>, Option<Failure>) {
    let (mut read, mut failure) = (Vec::new(), None);
    let mut pieces = std::pin::pin!(openai::pieces(stream::iter([bytes.to_owned()])));
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => read.push(piece),
            Err(error) => assert_eq!(failure.replace(error), None),
        }
    }
    (read, failure)
}

#[tokio::test]
async fn an_answer_without_a_word_has_begun_all_the_same() {
    let (pieces, failure) = read("data: [DONE]\n\n").await;
    let nameless = String::new;
    let (id, model) = (nameless(), nameless());
    let (reason, usage) = (Reason::Stop, Usage::default());
    let expected = [
        Piece::Started { id, model },
        Piece::Finished { reason, usage },
    ];
    assert_eq!((pieces, failure), (expected.into(), None));
}

#[tokio::test]
async fn openai_is_read_with_usage_and_finish_reason_and_written_again() {
    assert_eq!(read(ANSWER).await, (pieces().into(), None));
    let mut writer = openai::Writer::new(true);
    let text = written(|piece| writer.events(piece)).await;
    assert_eq!(text, ANSWER.replace(": hello\n\n", ""));
    let mut writer = openai::Writer::new(false);
    let without_usage = written(|piece| writer.events(piece)).await;
    assert!(!without_usage.contains("usage"));
}

#[tokio::test]
async fn services_differ_in_what_they_leave_out() {
    let odd = "data: {\"choices\":null,\"error\":null}\n\n\
        data: {\"choices\":[{\"delta\":null}]}\n\n\
        data: {\"choices\":[{\"delta\":{\"content\":null}}]}\n\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"x\":1}],\"usage\":null,\"y\":2}\n\n\
        data: {\"choices\":[{\"delta\":{\"tool_calls\":[]},\"finish_reason\":\"tool_calls\"}]}\n\n\
        data: {\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n\n";
    let expected = [
        Piece::Started {
            id: String::new(),
            model: String::new(),
        },
        Piece::Text("a".into()),
        Piece::Finished {
            reason: Reason::Other,
            usage: Usage::default(),
        },
    ];
    assert_eq!(read(odd).await, (expected.to_vec(), None));
}

#[tokio::test]
async fn a_service_may_set_to_null_what_it_does_not_know() {
    let odd = "data: {\"id\":null,\"object\":null,\"created\":null,\"model\":null,\
        \"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],\
        \"usage\":{\"prompt_tokens\":1,\"completion_tokens\":null}}\n\n";
    let (pieces, failure) = read(odd).await;
    assert_eq!(failure, None);
    let usage = Usage {
        input: 1,
        output: 0,
    };
    let reason = Reason::Stop;
    assert_eq!(pieces.last(), Some(&Piece::Finished { reason, usage }));
}

#[tokio::test]
async fn an_answer_that_no_memory_should_hold_is_a_failure() {
    let text = "x".repeat(1 << 19);
    let chunk = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    let (read, failure) = read(&chunk.repeat(9)).await;
    assert_eq!(read.len(), 1 + 8);
    assert_eq!(failure, Some(Failure::new(502, "the answer is too long")));
}

#[test]
fn a_usage_that_is_absurd_is_written() {
    let usage = Usage {
        input: u64::MAX,
        output: 1,
    };
    let finished = Piece::Finished {
        reason: Reason::Stop,
        usage,
    };
    let total = format!("\"total_tokens\":{}", u64::MAX);
    let mut buffer = EventBuffer::new();
    for event in openai::Writer::new(true).events(finished.clone()) {
        buffer.write(&event).unwrap();
    }
    assert!(str::from_utf8(buffer.as_bytes()).unwrap().contains(&total));
    let mut buffer = EventBuffer::new();
    for event in responses::Writer::default().events(finished) {
        buffer.write(&event).unwrap();
    }
    assert!(str::from_utf8(buffer.as_bytes()).unwrap().contains(&total));
}

#[tokio::test]
async fn an_answer_that_is_not_whole_is_a_failure() {
    let half = ANSWER.split_once("data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{}").unwrap().0;
    for (rest, message) in [
        ("", "the upstream stopped in the middle"),
        (
            "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n",
            "boom",
        ),
        (
            "data: {\"error\":{\"message\":\"boom\",\"type\":null,\"code\":1}}\n\n",
            "boom",
        ),
        ("data: {\"error\":\"boom\"}\n\n", "boom"),
        ("data: {\"choices\":\"none\"}\n\n", "the upstream broke off"),
    ] {
        let (read, failure) = read(&format!("{half}{rest}")).await;
        assert_eq!(read, pieces()[..3]);
        assert_eq!(failure, Some(Failure::new(502, message)), "{rest}");
    }
}

#[tokio::test]
async fn openai_says_what_is_wrong_in_a_chunk() {
    let mut buffer = EventBuffer::new();
    let error = Failure::new(502, "boom").into();
    buffer.write(&Chat::Error { error }).unwrap();
    let bytes = "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n";
    assert_eq!(buffer.as_bytes(), bytes.as_bytes());
}

#[tokio::test]
async fn an_answer_is_one_message_of_anthropic() {
    assert_eq!(
        written(anthropic::events).await,
        r#"event: message_start
data: {"type":"message_start","message":{"id":"c1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo\n"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"input_tokens":7,"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

"#
    );
    let error: Anthropic = Failure::new(529, "busy").into();
    let mut buffer = EventBuffer::new();
    buffer.write(&error).unwrap();
    buffer.write(&Anthropic::Ping).unwrap();
    assert_eq!(
        str::from_utf8(buffer.as_bytes()).unwrap(),
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\
         \"message\":\"busy\"}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n"
    );
}

#[tokio::test]
async fn an_answer_is_one_message_of_the_ai_sdk() {
    assert_eq!(
        written(ui::events).await,
        r#"data: {"type":"start","messageId":"c1"}

data: {"type":"text-start","id":"t1"}

data: {"type":"text-delta","id":"t1","delta":"Hel"}

data: {"type":"text-delta","id":"t1","delta":"lo\n"}

data: {"type":"text-end","id":"t1"}

data: {"type":"finish","finishReason":"length","messageMetadata":{"inputTokens":7,"outputTokens":2}}

"#
    );
    let mut buffer = EventBuffer::new();
    let error: UiMessage = Failure::new(502, "boom").into();
    buffer.write(&error).unwrap();
    buffer.write(&UiMessage::Done).unwrap();
    assert_eq!(
        str::from_utf8(buffer.as_bytes()).unwrap(),
        "data: {\"type\":\"error\",\"errorText\":\"boom\"}\n\ndata: [DONE]\n\n"
    );
}

#[tokio::test]
async fn an_answer_is_numbered_events_of_openai_responses() {
    let mut writer = responses::Writer::default();
    let text = written(|piece| writer.events(piece)).await;
    let delta = |number: u32, delta: &str| {
        format!(
            "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
             \"sequence_number\":{number},\"item_id\":\"msg_c1\",\"output_index\":0,\
             \"content_index\":0,\"delta\":\"{delta}\"}}\n\n"
        )
    };
    assert!(text.starts_with(
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,"
    ));
    let names: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("event: response."))
        .collect();
    assert_eq!(
        names,
        [
            "created",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "incomplete"
        ]
    );
    assert!(text.contains(&(delta(3, "Hel") + &delta(4, "lo\\n"))));
    assert!(text.contains("\"incomplete_details\":{\"reason\":\"max_output_tokens\"}"));
    assert!(text.contains("\"status\":\"incomplete\"") && text.contains("\"total_tokens\":9"));
}

#[tokio::test]
async fn who_wants_no_stream_gets_the_whole() {
    let pieces = stream::iter(pieces().map(Ok::<_, Failure>));
    let whole = collect(pieces).await.unwrap();
    let Whole { text, reason, .. } = &whole;
    assert_eq!((&**text, *reason), ("Hello\n", Reason::Length));
    let completion = openai::completion(whole.clone());
    assert_eq!(completion["choices"][0]["message"]["content"], "Hello\n");
    assert_eq!(completion["choices"][0]["finish_reason"], "length");
    assert_eq!(completion["usage"]["total_tokens"], 9);
    let message = anthropic::message(whole);
    assert_eq!(message["content"][0]["text"], "Hello\n");
    assert_eq!(message["stop_reason"], "max_tokens");
    assert_eq!(message["usage"]["output_tokens"], 2);

    let failed = stream::iter([Ok(Piece::Text("a".into())), Err(Failure::new(401, "no"))]);
    let failure = collect(failed.into_stream()).await.unwrap_err();
    assert_eq!(openai::refusal(failure.clone())["error"]["message"], "no");
    let refusal = anthropic::refusal(failure);
    assert_eq!(refusal["error"]["type"], "authentication_error");
}

#[test]
fn texts_are_joined_and_nothing_else() {
    let [started, mut hel, lo, finished] = pieces();
    assert_eq!(hel.merge(lo), None);
    assert_eq!(hel, Piece::Text("Hello\n".into()));
    assert_eq!(hel.merge(finished.clone()), Some(finished));
    assert_eq!(started.clone().merge(hel.clone()), Some(hel));
}

#[test]
fn what_an_upstream_refuses_with_is_read() {
    for error in [
        "{\"message\":\"no\",\"type\":null,\"param\":null}",
        "\"no\"",
    ] {
        let body = format!("{{\"error\":{error}}}");
        let openai::Refusal { error } = serde_json::from_str(&body).unwrap();
        assert_eq!(error.into_message(), "no");
    }
}
