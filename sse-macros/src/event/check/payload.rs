//! Rules for payloads.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{LitStr, Member, Type};

use super::names::has_line_break;
use crate::errors::Errors;
use crate::event::model::{EventEnum, Field, Form, Payload, Role, Shape, Side, Variant};
use crate::event::types;

/// A form has the fields that it sends.
pub(super) fn has_its_fields(variant: &Variant, errors: &mut Errors) {
    let name = variant.ident.unraw();
    let fields = variant.payload_fields().count();
    let count = match fields {
        0 => String::from("no payload field"),
        1 => String::from("1 payload field"),
        more => format!("{more} payload fields"),
    };
    let message = match &variant.payload {
        Payload::Form(Form::Text) if fields == 0 => format!(
            "`data = \"text\"` sends one field, but `{name}` has {count}; use `data = \"empty\"` or `data = \"json\"`"
        ),
        Payload::Form(Form::Text) if fields > 1 => format!(
            "`data = \"text\"` sends one field, but `{name}` has {count}; mark the one to send with \
             `#[sse(data)]`, or use `data = \"json\"`"
        ),
        Payload::Form(Form::Empty) if fields > 0 => format!(
            "`data = \"empty\"` sends nothing, but `{name}` has {count}; use `data = \"json\"`"
        ),
        Payload::Form(Form::Lines)
            if variant.shape == Shape::Tuple && fields > 0
                || variant.field(Role::Value).is_some() =>
        {
            format!(
                "`data = \"lines\"` writes a key before each value, so `{name}` needs named fields"
            )
        }
        Payload::Literal(_) if fields > 0 => format!(
            "`literal` is the whole payload, but `{name}` has {count}; make it a unit variant"
        ),
        _ => return,
    };
    errors.at(variant.payload_span, message);
}

/// Every line of `key value` has a key of its own.
pub(super) fn lines_have_keys(variant: &Variant, errors: &mut Errors) {
    if !matches!(variant.payload, Payload::Form(Form::Lines)) {
        return;
    }
    let mut seen = HashMap::new();
    for field in variant.payload_fields() {
        let Member::Named(name) = &field.member else {
            continue;
        };
        let (key, span) = (&field.key, key_span(field).unwrap_or(name.span()));
        if key.is_empty() {
            errors.at(
                span,
                "a key cannot be empty: under `data = \"lines\"` it stands before each line of the value",
            );
        } else if has_line_break(key) {
            errors.at(
                span,
                "a key cannot contain a line break: it would end the `data:` line on the wire",
            );
        } else if let Some(first) = seen.insert(key, name) {
            errors.at(
                span,
                format!(
                    "two fields are both named `{key}` on the wire; give one of them another name with \
                     `#[sse(rename = \"…\")]`\n\
                     note: the other one is `{}`",
                    first.unraw()
                ),
            );
        }
    }
}

/// What serde does with the keys of an object, it cannot do with a value that has none.
pub(super) fn only_keys_are_left_out_or_merged(variant: &Variant, errors: &mut Errors) {
    if !variant.is_json() {
        return;
    }
    let is_value = variant.field(Role::Value).is_some();
    for field in variant.fields.iter().filter(|field| field.has_place()) {
        if let Some(span) = field.serde.skip.filter(|_| is_value) {
            errors.at(
                span,
                "`data` is the whole payload, so this field cannot be left out",
            );
        }
        let in_object = variant.shape == Shape::Struct && !is_value;
        if let Some(span) = field.serde.flatten.filter(|_| !in_object) {
            errors.at(
                span,
                "`flatten` puts keys among those of an object, but the payload here is a value without keys\n\
                 help: use a variant with named fields",
            );
        }
    }
}

/// Where the key is chosen, if not by the field's name.
fn key_span(field: &Field) -> Option<Span> {
    field.serde.rename.as_ref().map(LitStr::span)
}

/// A tagged payload is an object that has the tag's key free.
pub(super) fn has_a_place_for_the_tag(events: &EventEnum, variant: &Variant, errors: &mut Errors) {
    let Some(tag) = events.tag(variant).filter(|tag| tag.content.is_none()) else {
        return;
    };
    if let Some(value) = variant.value_field() {
        if types::is_no_object(&value.ty) && value.serde.attrs.is_empty() {
            errors.at(
                value.ty.span(),
                "a tagged payload is an object, which has a place for the tag; use a named field or add `content = \"…\"`",
            );
        }
        return;
    }
    if variant.shape == Shape::Tuple && variant.payload_fields().next().is_some() {
        errors.at(
            variant.ident.span(),
            "a tuple payload is a JSON array, which has no place for the tag; use named fields or add `content = \"…\"`",
        );
        return;
    }
    let key = tag.key.value();
    let same = |field: &&Field| field.key == key && field.serde.flatten.is_none();
    for field in variant.payload_fields().filter(same) {
        let Member::Named(name) = &field.member else {
            continue;
        };
        let span = key_span(field).unwrap_or(name.span());
        errors.at(
            span,
            format!(
                "field `{}` collides with the tag `{key}`; rename one of them",
                name.unraw()
            ),
        );
    }
}

/// What is only ever written has no place in an enum that is read.
pub(super) fn can_be_read(events: &EventEnum, variant: &Variant, errors: &mut Errors) {
    if events.side == Side::Write {
        return;
    }
    if matches!(variant.payload, Payload::Form(Form::Lines)) {
        errors.at(
            variant.payload_span,
            format!(
                "`data = \"lines\"` can only be written\n\
                 help: read `{}` never: `#[serde(skip_deserializing)]`",
                variant.ident.unraw()
            ),
        );
    }
    for field in &variant.fields {
        if let Type::Reference(reference) = &field.ty
            && field.role != Role::Skip
            && field.serde.skip.is_none()
            && !matches!(variant.payload, Payload::Comment)
        {
            errors.at(
                reference.and_token.span,
                "an event that is read owns its content; `FromSseEvent` cannot fill a reference\n\
                 help: use an owned type such as `String`",
            );
        }
    }
}
