//! The enum as the derive sees it.

mod field;
mod variant;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{
    Attribute, Data, DeriveInput, Generics, Ident, LitStr, Path, WherePredicate, parse_quote,
};

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
    /// What is allowed in the enum, also where generated code repeats its tokens.
    pub(crate) lints: Vec<Attribute>,
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
        let attributes = || {
            let of_variants = data.variants.iter().flat_map(|variant| &variant.attrs);
            let fields = data.variants.iter().flat_map(|variant| &variant.fields);
            let of_fields = fields.flat_map(|field| &field.attrs);
            input.attrs.iter().chain(of_variants).chain(of_fields)
        };
        Some(Self {
            variants: (0..)
                .zip(&data.variants)
                .map(|(i, variant)| Variant::from_syn(i, variant, &attrs, side, errors))
                .collect(),
            lints: attributes().filter_map(allowed).collect(),
            deprecated: attributes().any(|attr| attr.path().is_ident("deprecated")),
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

    /// All that generated code may name, as [`Self::import`] brings it in.
    pub(crate) fn private(&self) -> TokenStream {
        quote!(__private)
    }

    /// The one use of the root: a wrong one is one mistake, and `$crate` fits in no string.
    pub(crate) fn import(&self) -> TokenStream {
        let root = &self.root;
        quote!(use #root::__private;)
    }

    /// The tag, for a variant that has it.
    pub(crate) fn tag(&self, variant: &Variant) -> Option<&Tag> {
        let tag = self.tag.as_ref()?;
        (variant.is_json() && !variant.untagged).then_some(tag)
    }
}

/// The lints that an attribute allows; what it expects is in the enum itself.
fn allowed(attr: &Attribute) -> Option<Attribute> {
    let is_allowed = attr.path().is_ident("allow") || attr.path().is_ident("expect");
    let list = attr.meta.require_list().ok().filter(|_| is_allowed)?;
    let lints = &list.tokens;
    Some(parse_quote!(#[allow(#lints)]))
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
