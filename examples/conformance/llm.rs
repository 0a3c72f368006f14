//! Answers that are always the same, for the SDKs of those whose dialects they are in.

use std::convert::Infallible;

use futures_util::stream;
use sse_tower::{Sse, SseEvent};

use crate::dialect::anthropic::{self, Anthropic};
use crate::dialect::openai::{self, Chat};
use crate::dialect::responses::{self, Response};
use crate::dialect::ui::{self, UiMessage};
use crate::dialect::{Piece, Reason, Usage, translate};

pub(crate) async fn chat_completions() -> Sse<Chat> {
    let mut writer = openai::Writer::new(false);
    answer(["Hel", "lo €豆\n", "wörld"], move |piece| {
        writer.events(piece)
    })
}

pub(crate) async fn responses() -> Sse<Response> {
    let mut writer = responses::Writer::default();
    answer(["Hi ", "there"], move |piece| writer.events(piece))
}

pub(crate) async fn messages() -> Sse<Anthropic> {
    answer(["Hel", "lo €豆"], anthropic::events)
}

pub(crate) async fn chat() -> ([(&'static str, &'static str); 1], Sse<UiMessage>) {
    let answer = answer(["Hel", "lo"], ui::events).finish_with(UiMessage::Done);
    ([("x-vercel-ai-ui-message-stream", "v1")], answer)
}

fn answer<E, I, const N: usize>(
    texts: [&'static str; N],
    events: impl FnMut(Piece) -> I + Send + 'static,
) -> Sse<E>
where
    E: SseEvent + Send + 'static,
    I: IntoIterator<Item = E, IntoIter: Send> + Send + 'static,
{
    let started = Piece::Started {
        id: "answer-1".to_owned(),
        model: "m".to_owned(),
    };
    let finished = Piece::Finished {
        reason: Reason::Stop,
        usage: Usage {
            input: 1,
            output: N as u64,
        },
    };
    let texts = texts.map(|text| Piece::Text(text.to_owned()));
    let pieces = [started].into_iter().chain(texts).chain([finished]);
    Sse::new(translate(
        stream::iter(pieces.map(Ok::<_, Infallible>)),
        events,
    ))
}
