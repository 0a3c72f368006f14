//! The attributes of a variant.

use proc_macro2::Span;
use syn::{Attribute, LitStr, WherePredicate};

use super::{VARIANT, bound, form, one_way, unknown, unknown_to_serde, unsupported};
use crate::duration::{self, Millis};
use crate::errors::Errors;
use crate::event::case::Case;
use crate::event::model::{Form, Replay, Side};
use crate::words::{self, Word, set};

/// On a variant.
#[derive(Default)]
pub(crate) struct VariantAttrs {
    pub(crate) rename: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) unnamed: Option<Span>,
    pub(crate) data: Option<(Form, Span)>,
    pub(crate) literal: Option<LitStr>,
    pub(crate) terminal: Option<Span>,
    pub(crate) comment: Option<Span>,
    pub(crate) flatten: Option<Span>,
    pub(crate) other: Option<Span>,
    pub(crate) skip: Option<Span>,
    pub(crate) retry: Option<(Millis, Span)>,
    pub(crate) replay: Option<(Replay, Span)>,
    pub(crate) serde: VariantSerde,
}

/// What serde's attributes say.
#[derive(Default)]
pub(crate) struct VariantSerde {
    pub(crate) rename: Option<LitStr>,
    /// The case of the payload keys.
    pub(crate) rename_all: Option<Case>,
    pub(crate) untagged: bool,
    pub(crate) skip: bool,
    /// The unit variant for unknown tags, when reading.
    pub(crate) other: bool,
    /// Bounds that replace the inferred ones.
    pub(crate) bound: Option<Vec<WherePredicate>>,
}

impl VariantAttrs {
    pub(crate) fn parse(attrs: &[Attribute], side: Side, errors: &mut Errors) -> Self {
        let mut out = Self::default();
        for word in words::in_attributes(attrs, "sse", errors) {
            match word.name.to_string().as_str() {
                "rename" => set(&mut out.rename, &word, word.text(), errors),
                "alias" => out.aliases.extend(errors.ok(word.text())),
                "unnamed" => set(&mut out.unnamed, &word, word.flag(), errors),
                "data" => set(&mut out.data, &word, form(&word), errors),
                "literal" => set(&mut out.literal, &word, word.text(), errors),
                "terminal" => set(&mut out.terminal, &word, word.flag(), errors),
                "comment" => set(&mut out.comment, &word, word.flag(), errors),
                "flatten" => set(&mut out.flatten, &word, word.flag(), errors),
                "other" => set(&mut out.other, &word, word.flag(), errors),
                "skip" => set(&mut out.skip, &word, word.flag(), errors),
                "retry" => set(&mut out.retry, &word, retry(&word), errors),
                "replay" => set(&mut out.replay, &word, replay(&word), errors),
                _ => errors.push(unknown("variant", &word, VARIANT)),
            }
        }
        out.parse_serde(attrs, side, errors);
        out
    }

    fn parse_serde(&mut self, attrs: &[Attribute], side: Side, errors: &mut Errors) {
        let serde = &mut self.serde;
        for word in words::in_attributes(attrs, "serde", errors) {
            match (word.name.to_string().as_str(), side) {
                ("rename", _) => serde.rename = errors.ok(one_way(&word, side)).flatten(),
                ("rename_all", _) => {
                    let rule = errors.ok(one_way(&word, side)).flatten();
                    serde.rename_all = rule.and_then(|rule| errors.ok(Case::from_serde(&rule)));
                }
                ("alias", _) => self.aliases.extend(errors.ok(word.text())),
                ("untagged", _) => serde.untagged = true,
                ("other", _) => serde.other = true,
                ("skip", _)
                | ("skip_serializing", Side::Write)
                | ("skip_deserializing", Side::Read) => serde.skip = true,
                ("with", _)
                | ("serialize_with", Side::Write)
                | ("deserialize_with", Side::Read) => errors.push(unsupported(&word, side)),
                ("bound", _) => serde.bound = errors.ok(bound(&word, side)).flatten(),
                // For the other direction, or without a meaning for what is owned.
                (name, _) if SERDE_VARIANT.contains(&name) => {}
                _ => errors.push(unknown_to_serde("variant", &word)),
            }
        }
    }
}

const SERDE_VARIANT: &[&str] = &[
    "borrow",
    "deserialize_with",
    "serialize_with",
    "skip_deserializing",
    "skip_serializing",
];

fn retry(word: &Word) -> syn::Result<(Millis, Span)> {
    let text = word.expr("\"5s\"").and_then(|_| word.text())?;
    Ok((duration::parse(&text.value(), &text)?, text.span()))
}

fn replay(word: &Word) -> syn::Result<(Replay, Span)> {
    let text = word.text()?;
    let replay = match text.value().as_str() {
        "all" => Replay::All,
        "latest" => Replay::Latest,
        "never" => Replay::Never,
        other => {
            let message = format!(
                "unknown replay rule {other:?}, expected one of \"all\", \"latest\", \"never\""
            );
            return Err(syn::Error::new(text.span(), message));
        }
    };
    Ok((replay, text.span()))
}
