//! The enum as the derive sees it.

mod field;
mod variant;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Generics, Ident, LitStr, Path, WherePredicate};

use super::attr::{EnumAttrs, Tag};
use crate::errors::Errors;

pub(crate) use field::{Field, Role};
pub(crate) use variant::{Form, Line, Payload, Replay, Shape, Variant};

/// Which derive it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// `SseEvent`.
    Write,
    /// `FromSseEvent`.
    Read,
}

/// An enum of events.
pub(crate) struct EventEnum {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) side: Side,
    /// The crate that generated code names.
    pub(crate) root: Path,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) tag: Option<Tag>,
    pub(crate) bound: Option<Vec<WherePredicate>>,
    pub(crate) deny_unknown_fields: bool,
    /// Generated code uses something deprecated, which is not its user's concern.
    pub(crate) deprecated: bool,
    pub(crate) variants: Vec<Variant>,
}

impl Side {
    pub(crate) fn derive(self) -> &'static str {
        match self {
            Self::Write => "SseEvent",
            Self::Read => "FromSseEvent",
        }
    }

    /// The word for one direction, as in `#[serde(rename(serialize = "…"))]`.
    pub(crate) fn serde_word(self) -> &'static str {
        match self {
            Self::Write => "serialize",
            Self::Read => "deserialize",
        }
    }

    /// The function in the module of `#[serde(with = "…")]`.
    pub(crate) fn serde_function(self) -> Ident {
        Ident::new(self.serde_word(), Span::call_site())
    }
}

impl EventEnum {
    /// Reads the enum; `None` if it is none.
    pub(crate) fn from_syn(
        input: &DeriveInput,
        side: Side,
        root: Path,
        errors: &mut Errors,
    ) -> Option<Self> {
        let data = match &input.data {
            Data::Enum(data) => data,
            Data::Struct(_) => return refuse(input, side, "a struct", errors),
            Data::Union(_) => return refuse(input, side, "a union", errors),
        };
        let attrs = EnumAttrs::parse(&input.attrs, side, errors);
        let variants = data.variants.iter();
        let fields = variants.clone().flat_map(|variant| &variant.fields);
        let mut attributes = variants.clone().flat_map(|variant| &variant.attrs);
        let mut attributes_of_fields = fields.flat_map(|field| &field.attrs);
        let is_deprecated = |attr: &Attribute| attr.path().is_ident("deprecated");
        Some(Self {
            variants: variants
                .map(|variant| Variant::from_syn(variant, &attrs, side, errors))
                .collect(),
            deprecated: attributes.any(is_deprecated) || attributes_of_fields.any(is_deprecated),
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            side,
            root: attrs.root.unwrap_or(root),
            prefix: attrs.prefix,
            tag: attrs.tag,
            bound: attrs.bound,
            deny_unknown_fields: attrs.deny_unknown_fields,
        })
    }

    /// The path of all that generated code may name.
    pub(crate) fn private(&self) -> TokenStream {
        let root = &self.root;
        quote!(#root::__private)
    }

    /// The tag, for a variant that has it.
    pub(crate) fn tag(&self, variant: &Variant) -> Option<&Tag> {
        let tag = self.tag.as_ref()?;
        (variant.is_json() && !variant.untagged).then_some(tag)
    }
}

fn refuse(input: &DeriveInput, side: Side, kind: &str, errors: &mut Errors) -> Option<EventEnum> {
    let name = input.ident.unraw();
    let instead = match side {
        Side::Write => "send the value as",
        Side::Read => "read the value as",
    };
    errors.at(
        input.ident.span(),
        format!(
            "`{}` names one event per variant, so it needs an enum; `{name}` is {kind}\n\
             help: {instead} `Json(value)`, or wrap it: `enum Events {{ {name}({name}) }}`",
            side.derive(),
        ),
    );
    None
}
