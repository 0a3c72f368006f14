//! The attributes of a field.

use proc_macro2::{Ident, Span};
use syn::punctuated::Punctuated;
use syn::{Attribute, ExprPath, LitStr, Meta, Token, WherePredicate, parse_quote};

use super::{FIELD, bound, one_way, unknown};
use crate::errors::Errors;
use crate::event::model::Side;
use crate::words::{self, Value, Word, set};

/// On a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) id: Option<Span>,
    pub(crate) keep: Option<Span>,
    pub(crate) retry: Option<Span>,
    pub(crate) event: Option<Span>,
    pub(crate) data: Option<Span>,
    pub(crate) json: Option<Span>,
    pub(crate) key: Option<Span>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) skip: Option<Span>,
    pub(crate) serde: FieldSerde,
}

/// The serde attributes of a field: all of them, and what we must know of them.
#[derive(Default)]
pub(crate) struct FieldSerde {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) rename: Option<LitStr>,
    /// The function that replaces `Serialize::serialize`, or `Deserialize::deserialize`.
    pub(crate) with: Option<ExprPath>,
    pub(crate) skip: Option<Span>,
    /// The words that only JSON can follow.
    pub(crate) for_json: Vec<Ident>,
    /// The field may be absent, and is `Default::default()` then.
    pub(crate) default: bool,
    /// It has no key of its own.
    pub(crate) flatten: Option<Span>,
    /// Bounds that replace the inferred ones.
    pub(crate) bound: Option<Vec<WherePredicate>>,
    /// Nothing but words of which we know that they leave the JSON of the value as it is.
    pub(crate) is_plain: bool,
}

impl FieldAttrs {
    pub(crate) fn parse(attrs: &[Attribute], side: Side, errors: &mut Errors) -> Self {
        let mut out = Self::default();
        for word in words::in_attributes(attrs, "sse", errors) {
            match word.name.to_string().as_str() {
                "id" => set(&mut out.id, &word, word.flag(), errors),
                "keep" => set(&mut out.keep, &word, word.flag(), errors),
                "retry" => set(&mut out.retry, &word, word.flag(), errors),
                "event" => set(&mut out.event, &word, word.flag(), errors),
                "data" => set(&mut out.data, &word, flag_here(&word), errors),
                "json" => set(&mut out.json, &word, word.flag(), errors),
                "key" => set(&mut out.key, &word, word.flag(), errors),
                "rename" => set(&mut out.rename, &word, word.text(), errors),
                "skip" => set(&mut out.skip, &word, word.flag(), errors),
                _ => errors.push(unknown("field", &word, FIELD)),
            }
        }
        out.serde = FieldSerde::parse(attrs, side);
        if let Some(name) = &out.rename {
            out.serde.rename(name);
        }
        out
    }
}

impl FieldSerde {
    /// Mistakes in these are serde's to report: it gets them unchanged.
    fn parse(attrs: &[Attribute], side: Side) -> Self {
        let mut out = Self::default();
        let mut has_default = false;
        let is_serde = |attr: &&Attribute| attr.path().is_ident("serde");
        out.attrs = attrs.iter().filter(is_serde).cloned().collect();
        let mut mistakes = Errors::default();
        let words = words::in_attributes(&out.attrs, "serde", &mut mistakes);
        // A word given twice is a mistake, which is for serde to report.
        let is_new = |(n, word): (usize, &Word)| words[..n].iter().all(|w| w.name != word.name);
        out.is_plain = mistakes.finish().is_ok()
            && words.iter().all(is_plain)
            && words.iter().enumerate().all(is_new);
        for word in words {
            match (word.name.to_string().as_str(), side) {
                ("flatten" | "with", _)
                | ("serialize_with" | "skip_serializing_if", Side::Write)
                | ("deserialize_with", Side::Read) => out.for_json.push(word.name.clone()),
                _ => {}
            }
            match (word.name.to_string().as_str(), side) {
                ("rename", _) => out.rename = one_way(&word, side).ok().flatten(),
                ("skip", _)
                | ("skip_serializing", Side::Write)
                | ("skip_deserializing", Side::Read) => out.skip = Some(word.span()),
                ("serialize_with", Side::Write) | ("deserialize_with", Side::Read) => {
                    out.with = path(&word);
                }
                ("with", _) => {
                    let function = side.serde_function();
                    out.with = path(&word).map(|mut path| {
                        path.path.segments.push(parse_quote!(#function));
                        path
                    });
                }
                ("default", _) => {
                    has_default = true;
                    out.default = matches!(word.value, Value::None);
                }
                ("flatten", _) => out.flatten = Some(word.span()),
                ("bound", _) => out.bound = bound(&word, side).ok().flatten(),
                _ => {}
            }
        }
        // Left out, it is made up when reading, unless a function does that.
        out.default |= out.skip.is_some() && !has_default;
        out
    }

    /// All attributes but these words of theirs.
    pub(crate) fn attrs_without(&self, words: &[&str]) -> Vec<Attribute> {
        let without = |attr: &Attribute| {
            let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
            let Ok(all) = attr.parse_args_with(parser) else {
                return attr.clone();
            };
            let is_other = |meta: &&Meta| !words.iter().any(|word| meta.path().is_ident(word));
            let others = all.iter().filter(is_other);
            parse_quote!(#[serde(#(#others),*)])
        };
        self.attrs.iter().map(without).collect()
    }

    /// Replaces the `rename` of serde, should there be one.
    fn rename(&mut self, name: &LitStr) {
        self.attrs = self.attrs_without(&["rename"]);
        self.attrs.push(parse_quote!(#[serde(rename = #name)]));
        self.rename = Some(name.clone());
    }
}

/// Whether a value is written as if the word was not there, or just under another key.
fn is_plain(word: &Word) -> bool {
    match word.name.to_string().as_str() {
        "rename" | "alias" => word.text().is_ok(),
        "default" | "skip" => word.flag().is_ok(),
        _ => false,
    }
}

fn path(word: &Word) -> Option<ExprPath> {
    word.text().ok()?.parse().ok()
}

/// `data` on a field takes no form: that belongs to its variant.
fn flag_here(word: &Word) -> syn::Result<Span> {
    word.flag().map_err(|error| {
        let message = "on a field `data` stands alone: this field is the payload\n\
                       help: the form goes on the variant: `#[sse(data = \"…\")]`";
        syn::Error::new(error.span(), message)
    })
}
