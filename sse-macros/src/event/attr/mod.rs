//! What `#[sse(...)]` and `#[serde(...)]` say, with the place where they say it.

mod on_enum;
mod on_field;
mod on_variant;

use proc_macro2::{Span, TokenStream};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{LitStr, Token, WherePredicate};

use super::case::Case;
use super::model::{Form, Side};
use crate::errors::Errors;
use crate::words::{self, Value, Word};

pub(crate) use on_enum::{EnumAttrs, Tag};
pub(crate) use on_field::{FieldAttrs, FieldSerde};
pub(crate) use on_variant::VariantAttrs;

const ENUM: &[&str] = &[
    "rename_all",
    "rename_all_fields",
    "prefix",
    "tag",
    "content",
    "untagged",
    "unnamed",
    "data",
    "bound",
    "crate",
];
const VARIANT: &[&str] = &[
    "rename", "alias", "unnamed", "data", "literal", "terminal", "comment", "flatten", "other",
    "skip", "retry", "replay",
];
const FIELD: &[&str] = &[
    "id", "keep", "retry", "event", "data", "json", "key", "rename", "skip",
];

/// What other crates call our words.
const HABITS: &[(&str, &str)] = &[
    ("name", "rename"),
    ("event", "rename"),
    ("event_name", "rename"),
    ("rename_fields", "rename_all_fields"),
    ("serialize_all", "rename_all"),
    ("done", "terminal"),
    ("end", "terminal"),
    ("last", "terminal"),
    ("transparent", "flatten"),
    ("nested", "flatten"),
    ("ignore", "skip"),
    ("disabled", "skip"),
    ("default", "other"),
    ("fallback", "other"),
    ("catch_all", "other"),
    ("unknown", "other"),
    ("value", "literal"),
    ("constant", "literal"),
    ("payload", "data"),
    ("event_id", "id"),
];

/// The mistake in a word that does not go here.
fn unknown(place: &str, word: &Word, known: &[&str]) -> syn::Error {
    let name = word.name.to_string();
    let is_habit = HABITS
        .iter()
        .any(|(other, here)| *other == name && known.contains(here));
    let places = [
        ("the enum", ENUM),
        ("a variant", VARIANT),
        ("a field", FIELD),
    ];
    let elsewhere = places
        .iter()
        .find(|(_, words)| !is_habit && words.contains(&name.as_str()));
    match elsewhere {
        Some((elsewhere, _)) => {
            let expected = words::list(known);
            let message = format!(
                "unknown {place} attribute `{name}`, which goes on {elsewhere}\nexpected one of: {expected}"
            );
            syn::Error::new(word.span(), message)
        }
        None => words::unknown(&format!("{place} attribute"), &word.name, known, HABITS),
    }
}

fn case(word: &Word) -> syn::Result<Case> {
    Case::from_lit(&word.text()?)
}

fn form(word: &Word) -> syn::Result<(Form, Span)> {
    let text = word.text()?;
    match Form::from_word(&text.value()) {
        Some(form) => Ok((form, text.span())),
        None => {
            let message = format!(
                "unknown payload form {:?}, expected one of \"json\", \"text\", \"lines\", \"empty\"",
                text.value()
            );
            Err(syn::Error::new(text.span(), message))
        }
    }
}

/// The text of `word = "…"` or of `word(serialize = "…", deserialize = "…")`, as serde has them.
fn one_way(word: &Word, side: Side) -> syn::Result<Option<LitStr>> {
    let Value::List(list) = &word.value else {
        return word.text().map(Some);
    };
    let mut errors = Errors::default();
    let words = words::in_tokens(list.clone(), &mut errors);
    errors.finish()?;
    let ours = words.iter().find(|word| word.name == side.serde_word());
    ours.map(Word::text).transpose()
}

/// The predicates of a `bound`.
fn bound(word: &Word, side: Side) -> syn::Result<Option<Vec<WherePredicate>>> {
    let Some(text) = one_way(word, side)? else {
        return Ok(None);
    };
    let tokens: TokenStream = text.parse()?;
    let predicates = Punctuated::<_, Token![,]>::parse_terminated.parse2(tokens);
    let predicates = predicates.map_err(|error| syn::Error::new(text.span(), error))?;
    Ok(Some(predicates.into_iter().collect()))
}

/// In serde's own words, so that with its derive beside ours it is one error.
fn unknown_to_serde(place: &str, word: &Word) -> syn::Error {
    let message = format!("unknown serde {place} attribute `{}`", word.name);
    syn::Error::new(word.span(), message)
}

fn unsupported(word: &Word, side: Side) -> syn::Error {
    let (word, derive) = (word, side.derive());
    let message = format!(
        "`{derive}` does not know the serde attribute `{}` on a variant\n\
         help: put `#[serde({})]` on its field",
        word.name, word.name,
    );
    syn::Error::new(word.span(), message)
}
