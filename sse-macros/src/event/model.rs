//! The enum as the derive sees it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DeriveInput, Fields, Generics, Ident, Index, LitStr, Member, Meta, Path, Type,
};

use super::attr::{EnumAttrs, FieldAttrs, FieldSerde, VariantAttrs};
use super::case::Case;
use crate::errors::Errors;
use crate::words;

/// An enum of events.
pub(crate) struct EventEnum {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The crate that generated code names.
    pub(crate) root: Path,
    pub(crate) rename_all_fields: Option<LitStr>,
    /// Generated code uses something deprecated, which is not its user's concern.
    pub(crate) deprecated: bool,
    pub(crate) variants: Vec<Variant>,
}

/// One event.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) name: Name,
    pub(crate) line: Line,
    pub(crate) payload: Payload,
    /// Where the form was chosen: at the variant's own word, else at the variant.
    pub(crate) payload_span: Span,
    pub(crate) terminal: bool,
    pub(crate) doc: String,
    pub(crate) shape: Shape,
    pub(crate) fields: Vec<Field>,
    pub(crate) rename_all: Option<LitStr>,
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
}

/// The word of `data = "…"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Text,
    Empty,
}

/// The `data:` lines.
pub(crate) enum Payload {
    Form(Form),
    Literal(LitStr),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Unit,
    Tuple,
    Struct,
}

/// A field of a variant.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) role: Role,
    pub(crate) span: Span,
    pub(crate) serde: FieldSerde,
}

/// Where the value of a field goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Payload,
    Id,
    Retry,
}

impl EventEnum {
    /// Reads the enum; `None` if it is none.
    pub(crate) fn from_syn(input: &DeriveInput, root: Path, errors: &mut Errors) -> Option<Self> {
        let data = match &input.data {
            Data::Enum(data) => data,
            Data::Struct(_) => return refuse(input, "a struct", errors),
            Data::Union(_) => return refuse(input, "a union", errors),
        };
        let attrs = EnumAttrs::parse(&input.attrs, errors);
        let variants = data.variants.iter();
        let fields = variants.clone().flat_map(|variant| &variant.fields);
        let mut attributes = variants.clone().flat_map(|variant| &variant.attrs);
        let mut attributes_of_fields = fields.flat_map(|field| &field.attrs);
        let is_deprecated = |attr: &Attribute| attr.path().is_ident("deprecated");
        Some(Self {
            variants: variants
                .map(|v| Variant::from_syn(v, &attrs, errors))
                .collect(),
            deprecated: attributes.any(is_deprecated) || attributes_of_fields.any(is_deprecated),
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            root: attrs.root.unwrap_or(root),
            rename_all_fields: attrs.rename_all_fields,
        })
    }

    /// The path of all that generated code may name.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.root;
        quote!(#root::__private)
    }
}

fn refuse(input: &DeriveInput, kind: &str, errors: &mut Errors) -> Option<EventEnum> {
    let name = input.ident.unraw();
    errors.at(
        input.ident.span(),
        format!(
            "`SseEvent` names one event per variant, so it needs an enum; `{name}` is {kind}\n\
             help: send the value as `Json(value)`, or wrap it: `enum Events {{ {name}({name}) }}`"
        ),
    );
    None
}

impl Variant {
    fn from_syn(variant: &syn::Variant, on_enum: &EnumAttrs, errors: &mut Errors) -> Self {
        let attrs = VariantAttrs::parse(&variant.attrs, errors);
        let derived = on_enum.rename_all.unwrap_or(Case::Snake);
        let unnamed = on_enum.unnamed.or(attrs.unnamed);
        if let (Some(_), Some((_, span))) = (&attrs.literal, attrs.data) {
            errors.at(
                span,
                "`literal` is the whole payload, so it cannot have a form as well",
            );
        }
        let form = attrs.data.or(on_enum.data);
        let (payload, payload_span) = match (attrs.literal, attrs.data) {
            (Some(text), _) => {
                let span = text.span();
                (Payload::Literal(text), span)
            }
            (None, Some((form, span))) => (Payload::Form(form), span),
            (None, None) => {
                let form = form.map_or(Form::Json, |(form, _)| form);
                (Payload::Form(form), variant.ident.span())
            }
        };
        Self {
            ident: variant.ident.clone(),
            name: match attrs.rename {
                Some(name) => Name {
                    wire: name.value(),
                    span: name.span(),
                    explicit: true,
                },
                None => Name {
                    wire: derived.apply(&variant.ident.unraw().to_string()),
                    span: variant.ident.span(),
                    explicit: false,
                },
            },
            line: if unnamed.is_some() {
                Line::None
            } else {
                Line::Name
            },
            payload,
            payload_span,
            terminal: attrs.terminal.is_some(),
            doc: doc(&variant.attrs),
            shape: match &variant.fields {
                Fields::Unit => Shape::Unit,
                Fields::Unnamed(_) => Shape::Tuple,
                Fields::Named(_) => Shape::Struct,
            },
            fields: (0..)
                .zip(&variant.fields)
                .map(|(i, field)| Field::from_syn(i, field, errors))
                .collect(),
            rename_all: attrs.rename_all,
        }
    }

    /// The fields that are sent as the payload.
    pub(crate) fn payload_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(|field| field.role == Role::Payload && !field.serde.skip)
    }

    /// Whether the payload is a value as it is, not an array or an object around fields.
    pub(crate) fn is_one_value(&self) -> bool {
        let fields = self
            .fields
            .iter()
            .filter(|field| field.role == Role::Payload);
        self.shape == Shape::Tuple && fields.count() == 1
    }

    /// The field that goes to the `id:` or `retry:` line.
    pub(crate) fn field(&self, role: Role) -> Option<&Field> {
        self.fields.iter().find(|field| field.role == role)
    }
}

impl Field {
    fn from_syn(index: u32, field: &syn::Field, errors: &mut Errors) -> Self {
        let attrs = FieldAttrs::parse(&field.attrs, errors);
        let ty_span = syn::spanned::Spanned::span(&field.ty);
        if let (Some(_), Some(span)) = (attrs.id, attrs.retry) {
            errors.at(
                span,
                "a field is the `id` or the `retry` of its event, not both",
            );
        }
        let (role, span) = match (attrs.id, attrs.retry) {
            (Some(span), _) => (Role::Id, span),
            (None, Some(span)) => (Role::Retry, span),
            (None, None) => (Role::Payload, ty_span),
        };
        Self {
            member: match &field.ident {
                Some(ident) => Member::Named(ident.clone()),
                None => Member::Unnamed(Index {
                    index,
                    span: ty_span,
                }),
            },
            ty: field.ty.clone(),
            role,
            span,
            serde: attrs.serde,
        }
    }
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
