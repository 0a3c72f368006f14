//! What `#[sse(...)]` and `#[serde(...)]` say, with the place where they say it.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Attribute, ExprPath, LitStr, Path, Token, WherePredicate};

use super::case::Case;
use super::model::Form;
use crate::errors::Errors;
use crate::words::{self, Value, Word, set};

const ENUM: &[&str] = &["rename_all", "unnamed", "data", "crate"];
const VARIANT: &[&str] = &["rename", "unnamed", "data", "literal", "terminal"];
const FIELD: &[&str] = &["id", "retry"];

/// What other crates call our words.
const HABITS: &[(&str, &str)] = &[
    ("name", "rename"),
    ("event", "rename"),
    ("done", "terminal"),
    ("end", "terminal"),
    ("last", "terminal"),
    ("transparent", "flatten"),
];

/// On the enum.
#[derive(Default)]
pub(crate) struct EnumAttrs {
    pub(crate) rename_all: Option<Case>,
    pub(crate) unnamed: Option<Span>,
    pub(crate) data: Option<(Form, Span)>,
    pub(crate) root: Option<Path>,
    /// `rename_all_fields` of serde, for the payload keys.
    pub(crate) rename_all_fields: Option<LitStr>,
}

/// On a variant.
#[derive(Default)]
pub(crate) struct VariantAttrs {
    pub(crate) rename: Option<LitStr>,
    pub(crate) unnamed: Option<Span>,
    pub(crate) data: Option<(Form, Span)>,
    pub(crate) literal: Option<LitStr>,
    pub(crate) terminal: Option<Span>,
    /// `rename_all` of serde, for the payload keys.
    pub(crate) rename_all: Option<LitStr>,
}

/// On a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) id: Option<Span>,
    pub(crate) retry: Option<Span>,
    pub(crate) serde: FieldSerde,
}

/// The serde attributes of a field: all of them, and what we must know of them.
#[derive(Default)]
pub(crate) struct FieldSerde {
    pub(crate) attrs: Vec<Attribute>,
    /// The function that replaces `Serialize::serialize`.
    pub(crate) with: Option<ExprPath>,
    pub(crate) skip: bool,
    /// Bounds that replace the inferred ones.
    pub(crate) bound: Option<Vec<WherePredicate>>,
}

impl EnumAttrs {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut out = Self::default();
        for word in words::in_attributes(attrs, "sse", errors) {
            match word.name.to_string().as_str() {
                "rename_all" => set(&mut out.rename_all, &word, case(&word), errors),
                "unnamed" => set(&mut out.unnamed, &word, word.flag(), errors),
                "data" => set(&mut out.data, &word, form(&word), errors),
                "crate" => set(&mut out.root, &word, word.root(), errors),
                _ => errors.push(unknown("enum", &word, ENUM)),
            }
        }
        let mut rename_all = None;
        for word in words::in_attributes(attrs, "serde", errors) {
            match word.name.to_string().as_str() {
                "rename_all" => {
                    let rule = errors.ok(for_serialize(&word)).flatten();
                    rename_all = rule.and_then(|rule| errors.ok(Case::from_lit(&rule)));
                }
                "rename_all_fields" => {
                    out.rename_all_fields = errors.ok(for_serialize(&word)).flatten();
                }
                "tag" | "content" | "untagged" => errors.push(unsupported(&word)),
                // Everything else is about reading or about the enum as a value of its own.
                _ => {}
            }
        }
        out.rename_all = out.rename_all.or(rename_all);
        out
    }
}

impl VariantAttrs {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut out = Self::default();
        for word in words::in_attributes(attrs, "sse", errors) {
            match word.name.to_string().as_str() {
                "rename" => set(&mut out.rename, &word, word.text(), errors),
                "unnamed" => set(&mut out.unnamed, &word, word.flag(), errors),
                "data" => set(&mut out.data, &word, form(&word), errors),
                "literal" => set(&mut out.literal, &word, word.text(), errors),
                "terminal" => set(&mut out.terminal, &word, word.flag(), errors),
                _ => errors.push(unknown("variant", &word, VARIANT)),
            }
        }
        let mut rename = None;
        for word in words::in_attributes(attrs, "serde", errors) {
            match word.name.to_string().as_str() {
                "rename" => rename = errors.ok(for_serialize(&word)).flatten(),
                "rename_all" => out.rename_all = errors.ok(for_serialize(&word)).flatten(),
                "skip" | "skip_serializing" | "untagged" | "with" | "serialize_with" => {
                    errors.push(unsupported(&word));
                }
                _ => {}
            }
        }
        out.rename = out.rename.or(rename);
        out
    }
}

impl FieldAttrs {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut out = Self::default();
        for word in words::in_attributes(attrs, "sse", errors) {
            match word.name.to_string().as_str() {
                "id" => set(&mut out.id, &word, word.flag(), errors),
                "retry" => set(&mut out.retry, &word, word.flag(), errors),
                _ => errors.push(unknown("field", &word, FIELD)),
            }
        }
        let is_serde = |attr: &&Attribute| attr.path().is_ident("serde");
        out.serde.attrs = attrs.iter().filter(is_serde).cloned().collect();
        // Mistakes in these are serde's to report: it gets them unchanged.
        for word in words::in_attributes(&out.serde.attrs, "serde", &mut Errors::default()) {
            match word.name.to_string().as_str() {
                "skip" | "skip_serializing" => out.serde.skip = true,
                "serialize_with" => out.serde.with = path(&word),
                "with" => {
                    out.serde.with = path(&word).map(|mut path| {
                        path.path.segments.push(syn::parse_quote!(serialize));
                        path
                    });
                }
                "bound" => {
                    let text = for_serialize(&word).ok().flatten();
                    let predicates = Punctuated::<_, Token![,]>::parse_terminated;
                    let bound = text.and_then(|text| text.parse_with(predicates).ok());
                    out.serde.bound = bound.map(|bound| bound.into_iter().collect());
                }
                _ => {}
            }
        }
        out
    }
}

fn path(word: &Word) -> Option<ExprPath> {
    word.text().ok()?.parse().ok()
}

fn case(word: &Word) -> syn::Result<Case> {
    Case::from_lit(&word.text()?)
}

fn form(word: &Word) -> syn::Result<(Form, Span)> {
    let text = word.text()?;
    let form = match text.value().as_str() {
        "json" => Form::Json,
        "text" => Form::Text,
        "empty" => Form::Empty,
        other => {
            let message = format!(
                "unknown payload form {other:?}, expected one of \"json\", \"text\", \"empty\""
            );
            return Err(syn::Error::new(text.span(), message));
        }
    };
    Ok((form, text.span()))
}

/// The text of `word = "…"` or of `word(serialize = "…", deserialize = "…")`, as serde has them.
fn for_serialize(word: &Word) -> syn::Result<Option<LitStr>> {
    let Value::List(list) = &word.value else {
        return word.text().map(Some);
    };
    let mut errors = Errors::default();
    let words = words::in_tokens(list.clone(), &mut errors);
    errors.finish()?;
    let serialize = words.iter().find(|word| word.name == "serialize");
    serialize.map(Word::text).transpose()
}

fn unsupported(word: &Word) -> syn::Error {
    let message = format!(
        "the serde attribute `{}` is not supported by `SseEvent` yet",
        word.name
    );
    syn::Error::new(word.span(), message)
}

fn unknown(place: &str, word: &Word, known: &[&str]) -> syn::Error {
    let name = word.name.to_string();
    let places = [
        ("the enum", ENUM),
        ("a variant", VARIANT),
        ("a field", FIELD),
    ];
    match places
        .iter()
        .find(|(_, words)| words.contains(&name.as_str()))
    {
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
