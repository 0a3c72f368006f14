//! Enums that `build.rs` wrote.

use std::fmt::{Debug, Display};
use std::time::Duration;

use fastrand::Rng;
use serde::Serialize;
use sse_core::{Decoder, FromSseEvent, Keep, RawEvent, SseEvent};

use crate::values::{any, text};
use crate::{come_back, comes_back, written};

/// An enum with values, and what they are on the wire.
pub(crate) trait Sample: SseEvent + FromSseEvent + PartialEq + Debug {
    const SOURCE: &'static str;
    const VARIANTS: usize;

    fn sample(variant: usize, rng: &mut Rng) -> Self;
    fn wire(&self) -> Wire;
}

fn check<E: Sample>() {
    // Whichever assertion fails, this is what it was about.
    println!("SSE_SEED={}\n{}", env!("SSE_SEED"), E::SOURCE);
    let mut rng = Rng::with_seed(env!("SSE_SEED").parse().unwrap());
    for variant in (0..E::VARIANTS).cycle().take(8 * E::VARIANTS) {
        let value = E::sample(variant, &mut rng);
        let wire = value.wire();
        let bytes = String::from_utf8(written(&value)).unwrap();
        assert_eq!(bytes, wire.bytes(), "{value:?}");
        assert_eq!(value.is_terminal(), wire.terminal, "{value:?}");
        assert_eq!(value.keep(), wire.keep, "{value:?}");
        if !wire.is_read {
            continue;
        }
        comes_back(&value);
        assert_eq!(value.ends_stream(), wire.terminal, "{value:?}");
        if let (Some(alias), Some((_, rest))) = (wire.alias, bytes.split_once('\n')) {
            let mut decoder = Decoder::new();
            decoder.push(format!("event: {alias}\n{rest}"));
            let event = decoder.next_event().unwrap().unwrap();
            assert_eq!(E::from_event(&event).unwrap(), value);
        }
    }
    let values = (0..E::VARIANTS).cycle().take(4 * E::VARIANTS);
    let values = values.map(|variant| E::sample(variant, &mut rng));
    let events: Vec<_> = values.filter(|value| value.wire().is_read).collect();
    come_back(&events, &mut rng);
}

/// What a value is on the wire.
pub(crate) struct Wire {
    is_event: bool,
    comment: Option<String>,
    name: Option<String>,
    id: Option<String>,
    retry: Option<Duration>,
    data: String,
    terminal: bool,
    keep: Keep<'static>,
    alias: Option<&'static str>,
    is_read: bool,
}

impl Wire {
    pub(crate) fn event(data: String) -> Self {
        Self {
            is_event: true,
            data,
            is_read: true,
            ..Self::nothing()
        }
    }

    fn comment(text: &str) -> Self {
        Self {
            comment: Some(text.to_owned()),
            ..Self::nothing()
        }
    }

    fn raw(event: &RawEvent<'_>) -> Self {
        let out = Self::event(event.data().to_owned())
            .retry(event.retry())
            .id(event.id());
        event.name().map_or(Self::nothing(), |name| out.name(name))
    }

    fn nothing() -> Self {
        Self {
            is_event: false,
            comment: None,
            name: None,
            id: None,
            retry: None,
            data: String::new(),
            terminal: false,
            keep: Keep::All,
            alias: None,
            is_read: false,
        }
    }

    pub(crate) fn name(self, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..self
        }
    }

    fn id(self, id: Option<impl Display>) -> Self {
        Self {
            id: id.map(|id| id.to_string()),
            ..self
        }
    }

    fn retry(self, retry: Option<Duration>) -> Self {
        Self { retry, ..self }
    }

    pub(crate) fn terminal(self) -> Self {
        Self {
            terminal: true,
            ..self
        }
    }

    fn keep(self, keep: Keep<'static>) -> Self {
        Self { keep, ..self }
    }

    fn alias(self, alias: &'static str) -> Self {
        Self {
            alias: Some(alias),
            ..self
        }
    }

    fn unread(self) -> Self {
        Self {
            is_read: false,
            ..self
        }
    }

    fn bytes(&self) -> String {
        let mut out = String::new();
        let mut line = |field: &str, value: &str| out.extend([field, ":", value, "\n"]);
        let comment = self.comment.iter().flat_map(|text| text.split('\n'));
        comment.for_each(|text| line("", &spaced(text)));
        let retry = self.retry.map(|retry| retry.as_millis().to_string());
        for (field, value) in [("event", &self.name), ("id", &self.id), ("retry", &retry)] {
            value
                .iter()
                .for_each(|value| line(field, &format!(" {value}")));
        }
        if self.is_event && self.data.is_empty() {
            line("data", "");
        } else if self.is_event {
            let data = self.data.split('\n');
            data.for_each(|text| line("data", &format!(" {text}")));
        }
        if self.is_event {
            out.push('\n');
        }
        out
    }
}

/// A comment has a space only before a text.
fn spaced(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(" {text}"),
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

fn show(value: &impl Display) -> String {
    value.to_string()
}

/// `key value` lines.
fn lines(fields: &[(&str, Option<String>)]) -> String {
    let values = fields
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_ref()?)));
    let lines =
        values.flat_map(|(key, value)| value.split('\n').map(move |line| format!("{key} {line}")));
    lines.collect::<Vec<_>>().join("\n")
}

fn latest(kind: &'static str, key: String) -> Keep<'static> {
    Keep::Latest {
        kind,
        key: key.into(),
    }
}

const SOURCE: &str = include_str!(concat!(env!("OUT_DIR"), "/enums.rs"));

/// A generator that stopped making something would still pass.
#[test]
fn every_word_occurs() {
    #[rustfmt::skip]
    let words = [
        // On the enum.
        "\n#[sse(tag", "\n#[serde(tag", "\n#[sse(content", "\n#[serde(content", "\n#[sse(untagged)",
        "\n#[sse(rename_all =", "\n#[serde(rename_all =", "\n#[sse(rename_all_fields", "\n#[serde(rename_all_fields",
        "\n#[sse(prefix", "\n#[sse(unnamed)", "\n#[sse(data = \"json", "\n#[sse(data = \"text", "\n#[sse(data = \"lines",
        "\n#[sse(data = \"empty", "\n#[serde(deny_unknown_fields)", "\n#[sse(bound", "\n#[sse(crate", "enum Events<'a, T>",
        // On a variant.
        "\n    #[sse(rename", "\n    #[serde(rename", "\n    #[sse(alias", "\n    #[serde(alias", "\n    #[sse(unnamed)",
        "\n    #[sse(data = \"json", "\n    #[sse(data = \"text", "\n    #[sse(data = \"lines", "\n    #[sse(data = \"empty",
        "\n    #[sse(literal", "\n    #[sse(terminal)", "\n    #[sse(comment)", "\n    #[sse(flatten)", "\n    #[sse(other)",
        "\n    #[sse(skip)]", "\n    #[serde(skip)]", "\n    #[sse(retry", "\n    #[sse(replay = \"all", "\n    #[sse(replay = \"latest",
        "\n    #[sse(replay = \"never", "\n    #[serde(rename_all", "\n    #[serde(skip_deserializing)",
        // On a field.
        "\n        #[sse(id)]\n        id: ", "\n        #[sse(id, keep)]\n        id: ", "\n        #[sse(retry)]", "\n        #[sse(event)]", "\n        #[sse(data)]",
        "\n        #[sse(json)]", "\n        #[sse(key)]", "\n        #[sse(rename", "\n        #[serde(rename",
        "\n        #[sse(skip)]", "\n        #[serde(skip)]", "\n        #[serde(default)]", "\n        #[serde(flatten)]",
        "\n        #[serde(default, skip_serializing_if", "\n        #[serde(with",
        "Option<u32>,", "Option<Ticket>,", "Option<Duration>,", "Box<Nested>,", "RawEvent<'static>,", "EventName,",
        "BTreeMap<String, String>,", "\n        BTreeMap<Key, u8>,", "Flat,", "Cow<'a, str>,", " T,",
    ];
    let missing: Vec<_> = words
        .iter()
        .filter(|word| !SOURCE.contains(**word))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for id in ["#[sse(id)]\n        ", "#[sse(id, keep)]\n        "] {
        let mut found = SOURCE.match_indices(id);
        let by_place = found.any(|(at, _)| !SOURCE[at + id.len()..].starts_with("id: "));
        assert!(by_place, "{id} in a tuple");
    }
    #[rustfmt::skip]
    let rules = [
        "lowercase", "UPPERCASE", "PascalCase", "camelCase", "snake_case", "SCREAMING_SNAKE_CASE", "kebab-case",
        "SCREAMING-KEBAB-CASE", "dot.case",
    ];
    for rule in rules {
        assert!(
            SOURCE.contains(&format!("(rename_all = {rule:?}")),
            "{rule}"
        );
        assert!(
            SOURCE.contains(&format!("(rename_all_fields = {rule:?}")),
            "{rule}"
        );
    }
}

#[allow(
    unused,
    non_shorthand_field_patterns,
    clippy::all,
    clippy::use_self,
    reason = "it is written by a program"
)]
mod enums {
    use std::borrow::Cow;
    use std::collections::BTreeMap;

    use sse_core::EventName;

    use super::*;
    use crate::values::*;

    include!(concat!(env!("OUT_DIR"), "/enums.rs"));
}
