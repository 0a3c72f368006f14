//! A field of a variant.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Index, LitStr, Member, Type};

use super::Side;
use crate::errors::Errors;
use crate::event::attr::{FieldAttrs, FieldSerde};
use crate::event::case::Case;

/// A field of a variant.
pub(crate) struct Field {
    pub(crate) index: u32,
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) role: Role,
    /// In the payload as well as in the `id:` line.
    pub(crate) kept: bool,
    /// The word for that, also where there is no such payload.
    pub(crate) keep: Option<Span>,
    /// The key in the payload.
    pub(crate) key: String,
    /// Where its role is chosen, else at its type.
    pub(crate) span: Span,
    /// What logs tell events of this variant apart by.
    pub(crate) is_log_key: Option<Span>,
    /// As JSON among `key value` lines.
    pub(crate) as_json: Option<Span>,
    /// The key, where it is chosen by a word of ours.
    pub(crate) renamed: Option<Span>,
    pub(crate) serde: FieldSerde,
}

/// Where the value of a field goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// One of the fields of the payload.
    Payload,
    /// The payload.
    Value,
    Id,
    Retry,
    Event,
    /// Nowhere.
    Skip,
}

impl Field {
    pub(crate) fn from_syn(
        index: u32,
        field: &syn::Field,
        keys: Option<Case>,
        side: Side,
        errors: &mut Errors,
    ) -> Self {
        let attrs = FieldAttrs::parse(&field.attrs, side, errors);
        let (role, span) = role(&attrs, errors).unwrap_or((Role::Payload, field.ty.span()));
        if let (Some(keep), None) = (attrs.keep, attrs.id) {
            errors.at(
                keep,
                "`keep` leaves an `id` in the payload as well: `#[sse(id, keep)]`",
            );
        }
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(Index {
                index,
                span: field.ty.span(),
            }),
        };
        let name = match &field.ident {
            Some(ident) => ident.unraw().to_string(),
            None => index.to_string(),
        };
        let key = match &attrs.serde.rename {
            Some(name) => name.value(),
            None => keys.map_or(name.clone(), |case| case.apply_to_field(&name)),
        };
        Self {
            index,
            member,
            ty: field.ty.clone(),
            role,
            kept: attrs.keep.is_some(),
            keep: attrs.keep,
            key,
            span,
            is_log_key: attrs.key,
            as_json: attrs.json,
            renamed: attrs.rename.as_ref().map(LitStr::span),
            serde: attrs.serde,
        }
    }

    /// What the user calls it.
    pub(crate) fn name(&self) -> String {
        match &self.member {
            Member::Named(name) => name.unraw().to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }

    /// Whether it is sent in the payload.
    pub(crate) fn is_payload(&self) -> bool {
        self.has_place() && self.serde.skip.is_none()
    }

    /// Whether it counts as a field of the payload for serde, though it may be skipped there.
    pub(crate) fn has_place(&self) -> bool {
        matches!(self.role, Role::Payload | Role::Value) || self.kept
    }

    /// The variable that holds it in generated code.
    pub(crate) fn binding(&self) -> Ident {
        Ident::new(&format!("__{}", self.index), self.ty.span())
    }
}

/// The one role that the words give.
fn role(attrs: &FieldAttrs, errors: &mut Errors) -> Option<(Role, Span)> {
    let roles = [
        ("id", attrs.id, Role::Id),
        ("retry", attrs.retry, Role::Retry),
        ("event", attrs.event, Role::Event),
        ("data", attrs.data, Role::Value),
        ("skip", attrs.skip, Role::Skip),
    ];
    let mut given = roles
        .iter()
        .filter_map(|(word, span, role)| span.map(|span| (*word, span, *role)));
    let (first, span, role) = given.next()?;
    if let Some((second, span, _)) = given.next() {
        errors.at(
            span,
            format!("a field has one place, but this one is marked both `{first}` and `{second}`"),
        );
    }
    Some((role, span))
}
