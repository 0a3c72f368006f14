//! One event.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::{Attribute, Fields, Ident, LitStr, Meta};

use super::Side;
use super::field::{Field, Role};
use crate::duration::Millis;
use crate::errors::Errors;
use crate::event::attr::{EnumAttrs, VariantAttrs};
use crate::event::case::Case;
use crate::words;

/// One event.
pub(crate) struct Variant {
    pub(crate) index: u32,
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    /// Further names, when reading.
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) line: Line,
    pub(crate) payload: Payload,
    /// Where the payload was chosen: at the variant's own word, else at the variant.
    pub(crate) payload_span: Span,
    pub(crate) untagged: bool,
    pub(crate) terminal: bool,
    pub(crate) retry: Option<Millis>,
    pub(crate) replay: Replay,
    pub(crate) doc: String,
    pub(crate) shape: Shape,
    pub(crate) fields: Vec<Field>,
    /// What it says of itself, for the rules across words.
    pub(crate) attrs: VariantAttrs,
}

/// What the event is called on the wire.
pub(crate) struct Name {
    pub(crate) wire: String,
    pub(crate) span: Span,
    /// Chosen by `rename`, not derived from the variant.
    pub(crate) explicit: bool,
}

/// The `event:` line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Name,
    None,
    /// The value of a field.
    Field,
}

/// The word of `data = "…"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Text,
    Lines,
    Empty,
}

/// What is sent of the content.
pub(crate) enum Payload {
    Form(Form),
    Literal(LitStr),
    /// Comment lines, and no field at all.
    Comment,
    /// Whatever the event inside sends.
    Inner,
    /// Whatever was read, or nothing.
    Other,
    /// Nothing.
    Skip,
}

/// What logs keep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    All,
    Latest,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Unit,
    Tuple,
    Struct,
}

impl Variant {
    pub(crate) fn from_syn(
        index: u32,
        variant: &syn::Variant,
        on_enum: &EnumAttrs,
        side: Side,
        errors: &mut Errors,
    ) -> Self {
        let attrs = VariantAttrs::parse(&variant.attrs, side, errors);
        let keys = attrs.serde.rename_all.or(on_enum.rename_all_fields);
        let mut fields: Vec<_> = (0..)
            .zip(&variant.fields)
            .map(|(i, field)| Field::from_syn(i, field, keys, side, errors))
            .collect();
        if fields.iter().any(|field| field.role == Role::Value) {
            for field in &mut fields {
                field.kept = false;
                if field.role == Role::Payload {
                    field.role = Role::Skip;
                }
            }
        }
        let (payload, payload_span) = payload(variant, &attrs, on_enum, side);
        let line = if fields.iter().any(|field| field.role == Role::Event) {
            Line::Field
        } else if on_enum.unnamed.or(attrs.unnamed).is_some() || payload.is_special() {
            Line::None
        } else {
            Line::Name
        };
        Self {
            index,
            ident: variant.ident.clone(),
            name: name(variant, &attrs, on_enum),
            aliases: attrs.aliases.clone(),
            line,
            payload,
            payload_span,
            untagged: attrs.serde.untagged,
            terminal: attrs.terminal.is_some(),
            retry: attrs.retry.map(|(millis, _)| millis),
            replay: attrs.replay.map_or(Replay::All, |(replay, _)| replay),
            doc: doc(&variant.attrs),
            shape: match &variant.fields {
                Fields::Unit => Shape::Unit,
                Fields::Unnamed(_) => Shape::Tuple,
                Fields::Named(_) => Shape::Struct,
            },
            fields,
            attrs,
        }
    }

    /// The fields that are sent as the payload.
    pub(crate) fn payload_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_payload())
    }

    /// The field whose value is the payload as it is, not in an array or an object.
    pub(crate) fn value_field(&self) -> Option<&Field> {
        if let Some(field) = self.field(Role::Value) {
            return Some(field);
        }
        let mut fields = self.fields.iter().filter(|field| field.has_place());
        let first = fields.next()?;
        let alone = self.shape == Shape::Tuple && fields.next().is_none();
        (alone && first.is_payload()).then_some(first)
    }

    /// The field with a role that only one has.
    pub(crate) fn field(&self, role: Role) -> Option<&Field> {
        self.fields.iter().find(|field| field.role == role)
    }

    pub(crate) fn is_json(&self) -> bool {
        matches!(self.payload, Payload::Form(Form::Json))
    }

    /// The payload, if it is always the same, as it is read: with LF at every line's end.
    pub(crate) fn constant(&self) -> Option<String> {
        match &self.payload {
            Payload::Literal(text) => {
                let text = text.value();
                Some(text.replace("\r\n", "\n").replace('\r', "\n"))
            }
            Payload::Form(Form::Empty) => Some(String::new()),
            _ => None,
        }
    }
}

impl Form {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "json" => Some(Self::Json),
            "text" => Some(Self::Text),
            "lines" => Some(Self::Lines),
            "empty" => Some(Self::Empty),
            _ => None,
        }
    }
}

impl Payload {
    /// Whether it is something else than an event of our own.
    pub(crate) fn is_special(&self) -> bool {
        !matches!(self, Self::Form(_) | Self::Literal(_))
    }
}

fn name(variant: &syn::Variant, attrs: &VariantAttrs, on_enum: &EnumAttrs) -> Name {
    if let Some(name) = attrs.rename.as_ref().or(attrs.serde.rename.as_ref()) {
        return Name {
            wire: name.value(),
            span: name.span(),
            explicit: true,
        };
    }
    let case = on_enum.rename_all.unwrap_or(Case::Snake);
    let prefix = on_enum.prefix.as_ref().map(LitStr::value);
    Name {
        wire: prefix.unwrap_or_default() + &case.apply(&variant.ident.unraw().to_string()),
        span: variant.ident.span(),
        explicit: false,
    }
}

/// The payload and where it was chosen; the words that exclude each other are checked later.
fn payload(
    variant: &syn::Variant,
    attrs: &VariantAttrs,
    on_enum: &EnumAttrs,
    side: Side,
) -> (Payload, Span) {
    let here = variant.ident.span();
    if let Some(span) = attrs.skip {
        return (Payload::Skip, span);
    }
    if attrs.serde.skip {
        return (Payload::Skip, here);
    }
    if let Some(span) = attrs.flatten {
        return (Payload::Inner, span);
    }
    if let Some(span) = attrs.other {
        return (Payload::Other, span);
    }
    // serde writes its `other` variant like any other one.
    if attrs.serde.other && side == Side::Read {
        return (Payload::Other, here);
    }
    if let Some(span) = attrs.comment {
        return (Payload::Comment, span);
    }
    if let Some(text) = &attrs.literal {
        return (Payload::Literal(text.clone()), text.span());
    }
    if let Some((form, span)) = attrs.data {
        return (Payload::Form(form), span);
    }
    let form = on_enum.data.map_or(Form::Json, |(form, _)| form);
    (Payload::Form(form), here)
}

/// The lines of the doc comments, without the blank after `///`.
fn doc(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        if let Meta::NameValue(meta) = &attr.meta
            && meta.path.is_ident("doc")
            && let Some(text) = words::as_text(&meta.value)
        {
            lines.extend(
                text.value()
                    .split('\n')
                    .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()),
            );
        }
    }
    lines.join("\n").trim().to_owned()
}
