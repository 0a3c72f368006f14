//! The attributes of the enum.

use proc_macro2::Span;
use syn::{Attribute, LitStr, Path, WherePredicate};

use super::{ENUM, bound, case, form, one_way, unknown, unknown_to_serde};
use crate::errors::Errors;
use crate::event::case::Case;
use crate::event::model::{Form, Side};
use crate::words::{self, set};

/// On the enum.
#[derive(Default)]
pub(crate) struct EnumAttrs {
    pub(crate) rename_all: Option<Case>,
    pub(crate) rename_all_fields: Option<Case>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) tag: Option<Tag>,
    pub(crate) unnamed: Option<Span>,
    pub(crate) data: Option<(Form, Span)>,
    pub(crate) bound: Option<Vec<WherePredicate>>,
    pub(crate) root: Option<Path>,
    pub(crate) deny_unknown_fields: bool,
}

/// Where the JSON has the name as well.
#[derive(Clone)]
pub(crate) struct Tag {
    pub(crate) key: LitStr,
    /// The key of the rest, if that does not stand beside the tag.
    pub(crate) content: Option<LitStr>,
}

/// What serde's attributes say, for all that ours leave open.
#[derive(Default)]
struct Serde {
    rename_all: Option<Case>,
    tag: Option<LitStr>,
    content: Option<LitStr>,
}

impl EnumAttrs {
    pub(crate) fn parse(attrs: &[Attribute], side: Side, errors: &mut Errors) -> Self {
        let mut out = Self::default();
        let (mut tag, mut content, mut untagged) = (None, None, None);
        for word in words::in_attributes(attrs, "sse", errors) {
            match word.name.to_string().as_str() {
                "rename_all" => set(&mut out.rename_all, &word, case(&word), errors),
                "rename_all_fields" => set(&mut out.rename_all_fields, &word, case(&word), errors),
                "prefix" => set(&mut out.prefix, &word, word.text(), errors),
                "tag" => set(&mut tag, &word, word.text(), errors),
                "content" => set(&mut content, &word, word.text(), errors),
                "untagged" => set(&mut untagged, &word, word.flag(), errors),
                "unnamed" => set(&mut out.unnamed, &word, word.flag(), errors),
                "data" => set(&mut out.data, &word, form(&word), errors),
                "bound" => match bound(&word, side) {
                    Ok(None) => {}
                    given => {
                        let given = given.map(Option::unwrap_or_default);
                        set(&mut out.bound, &word, given, errors);
                    }
                },
                "crate" => set(&mut out.root, &word, word.root(), errors),
                _ => errors.push(unknown("enum", &word, ENUM)),
            }
        }
        let serde = out.parse_serde(attrs, side, errors);
        if let (Some(span), Some(_)) = (untagged, tag.as_ref().or(content.as_ref())) {
            errors.at(
                span,
                "`untagged` leaves the tag out, so it goes without `tag` and `content`",
            );
        }
        // A tag of serde's is kept as serde writes it, with the names as they stand.
        let is_serde = tag.is_none() && untagged.is_none() && serde.tag.is_some();
        let default = is_serde.then_some(Case::Pascal);
        out.rename_all = out.rename_all.or(serde.rename_all).or(default);
        if untagged.is_none() {
            let content = if tag.is_some() {
                content
            } else {
                content.or(serde.content)
            };
            out.tag = Tag::new(tag.or(serde.tag), content, errors);
        }
        out
    }

    fn parse_serde(&mut self, attrs: &[Attribute], side: Side, errors: &mut Errors) -> Serde {
        let mut serde = Serde::default();
        for word in words::in_attributes(attrs, "serde", errors) {
            match word.name.to_string().as_str() {
                "rename_all" => {
                    let rule = errors.ok(one_way(&word, side)).flatten();
                    serde.rename_all = rule.and_then(|rule| errors.ok(Case::from_serde(&rule)));
                }
                "rename_all_fields" if self.rename_all_fields.is_none() => {
                    let rule = errors.ok(one_way(&word, side)).flatten();
                    self.rename_all_fields = rule.and_then(|rule| errors.ok(Case::from_serde(&rule)));
                }
                "tag" => serde.tag = errors.ok(word.text()),
                "content" => serde.content = errors.ok(word.text()),
                "deny_unknown_fields" => self.deny_unknown_fields = true,
                "bound" if self.bound.is_none() => {
                    self.bound = errors.ok(bound(&word, side)).flatten();
                }
                name if replaces_the_enum(name, side) => errors.at(
                    word.span(),
                    format!(
                        "an event is the content of its variant, which `#[serde({name})]` on the enum would \
                         replace; that cannot be followed here"
                    ),
                ),
                // The rest is about the enum as a value of its own.
                name if SERDE_ENUM.contains(&name) => {}
                _ => errors.push(unknown_to_serde("container", &word)),
            }
        }
        serde
    }
}

/// The words of serde for an enum.
const SERDE_ENUM: &[&str] = &[
    "bound",
    "crate",
    "default",
    "expecting",
    "field_identifier",
    "from",
    "into",
    "remote",
    "rename",
    "rename_all_fields",
    "try_from",
    "untagged",
    "variant_identifier",
];

/// Whether it makes serde write or read something else than the variants.
fn replaces_the_enum(word: &str, side: Side) -> bool {
    match side {
        Side::Write => ["into", "remote", "transparent"].contains(&word),
        Side::Read => [
            "field_identifier",
            "from",
            "remote",
            "transparent",
            "try_from",
            "variant_identifier",
        ]
        .contains(&word),
    }
}

impl Tag {
    fn new(key: Option<LitStr>, content: Option<LitStr>, errors: &mut Errors) -> Option<Self> {
        let Some(key) = key else {
            if let Some(content) = content {
                errors.at(
                    content.span(),
                    "`content` is the key of the payload beside a tag; add `tag = \"…\"`",
                );
            }
            return None;
        };
        if let Some(content) = content
            .as_ref()
            .filter(|content| content.value() == key.value() && !key.value().is_empty())
        {
            errors.at(
                content.span(),
                "`tag` and `content` are keys of one object, so they need different names",
            );
        }
        if key.value().is_empty() {
            errors.at(
                key.span(),
                "a tag cannot be empty: it is the key of the name in the payload\n\
                 help: to send no tag leave it out",
            );
        }
        let is_empty = |content: &&LitStr| content.value().is_empty() && !key.value().is_empty();
        if let Some(content) = content.as_ref().filter(is_empty) {
            errors.at(
                content.span(),
                "`content` cannot be empty: it is the key of the payload beside the tag",
            );
        }
        Some(Self { key, content })
    }
}
