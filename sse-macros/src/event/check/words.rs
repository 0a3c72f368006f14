//! Rules for words beside other words.

use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::errors::Errors;
use crate::event::model::{EventEnum, Form, Payload, Replay, Role, Shape, Variant};
use crate::event::types;

/// Words that leave nothing to say for others.
pub(super) fn fit_together(variant: &Variant, errors: &mut Errors) {
    let attrs = &variant.attrs;
    let (word, why) = match &variant.payload {
        Payload::Skip if attrs.skip.is_some() => ("skip", "keeps the variant off the wire"),
        Payload::Inner => ("flatten", "sends the event inside as it is"),
        Payload::Other => ("other", "is whatever was read"),
        Payload::Comment => ("comment", "sends no event"),
        Payload::Literal(_) => {
            if let Some((_, span)) = attrs.data {
                errors.at(
                    span,
                    "`literal` is the whole payload, so it cannot have a form as well",
                );
            }
            return;
        }
        _ => return,
    };
    let words = [
        ("rename", attrs.rename.as_ref().map(syn::LitStr::span)),
        ("unnamed", attrs.unnamed),
        ("data", attrs.data.map(|(_, span)| span)),
        ("literal", attrs.literal.as_ref().map(syn::LitStr::span)),
        ("terminal", attrs.terminal),
        ("comment", attrs.comment),
        ("flatten", attrs.flatten),
        ("other", attrs.other),
        ("retry", attrs.retry.map(|(_, span)| span)),
        ("replay", attrs.replay.map(|(_, span)| span)),
    ];
    for (other, span) in words.into_iter().filter(|(other, _)| *other != word) {
        if let Some(span) = span {
            errors.at(
                span,
                format!("`{word}` {why}, so `{other}` has no place beside it"),
            );
        }
    }
}

pub(super) fn roles_are_given_once(variant: &Variant, errors: &mut Errors) {
    let roles = [
        (Role::Id, "id"),
        (Role::Retry, "retry"),
        (Role::Event, "event"),
        (Role::Value, "data"),
    ];
    for (role, word) in roles {
        let fields = variant.fields.iter();
        for second in fields.filter(|field| field.role == role).skip(1) {
            errors.at(
                second.span,
                format!("an event has at most one `{word}`, but this variant marks two fields with `#[sse({word})]`"),
            );
        }
    }
    let keys = variant.fields.iter().filter_map(|field| field.is_log_key);
    for second in keys.skip(1) {
        errors.at(
            second,
            "an event has at most one `key`, but this variant marks two fields with `#[sse(key)]`",
        );
    }
    if variant.field(Role::Value).is_some() {
        for keep in variant.fields.iter().filter_map(|field| field.keep) {
            errors.at(
                keep,
                "`data` is the whole payload, so there is nothing to `keep` the id in",
            );
        }
    }
    if let (Some(field), Some((_, literal))) = (variant.field(Role::Retry), variant.attrs.retry) {
        errors.at(
            literal,
            format!(
                "an event has at most one `retry`, but the field `{}` is one already",
                field.name()
            ),
        );
    }
    if let (Some(field), Some(_)) = (variant.field(Role::Event), variant.attrs.unnamed) {
        errors.at(
            field.span,
            "an `event` field is the `event:` line, which `unnamed` leaves out",
        );
    }
}

/// What only JSON can follow would else be ignored.
pub(super) fn words_have_an_effect(events: &EventEnum, variant: &Variant, errors: &mut Errors) {
    let is_nowhere = !variant.payload.is_special() && events.tag(variant).is_none();
    if let (Some(_), Some(name)) = (variant.attrs.unnamed, &variant.attrs.rename)
        && is_nowhere
    {
        errors.at(
            name.span(),
            "`rename` is the name in the `event:` line, which `unnamed` leaves out",
        );
    }
    let needless = variant.aliases.iter();
    for alias in needless.filter(|_| is_nowhere && variant.attrs.unnamed.is_some()) {
        errors.at(
            alias.span(),
            "`alias` is one more name to be read by, which `unnamed` leaves out",
        );
    }
    for field in &variant.fields {
        let is_unused = field.role == Role::Skip || field.serde.skip.is_some();
        if is_unused || variant.is_json() && field.has_place() {
            continue;
        }
        for word in &field.serde.for_json {
            // An `Option` is left out anyway.
            let is_needless = word == "skip_serializing_if";
            if is_needless && types::option_content(&field.ty).is_some() {
                continue;
            }
            errors.at(
                word.span(),
                format!(
                    "`#[serde({word})]` is about JSON, but this field is no part of a JSON payload"
                ),
            );
        }
        if let Some(span) = field.renamed.filter(|_| !field.has_place()) {
            errors.at(
                span,
                "`rename` is the key in the payload, which this field is no part of",
            );
        }
    }
}

/// An event inside is one of another enum, else looking for it has no end.
pub(super) fn holds_another_event(events: &EventEnum, variant: &Variant, errors: &mut Errors) {
    let word = match variant.payload {
        Payload::Inner => "flatten",
        Payload::Other => "other",
        _ => return,
    };
    for field in &variant.fields {
        if types::is_itself(&events.ident, &field.ty) {
            errors.at(
                field.ty.span(),
                format!(
                    "`{word}` holds an event of another type; of `{}` itself, reading it would never end",
                    events.ident.unraw()
                ),
            );
        }
    }
}

pub(super) fn fields_have_a_use(variant: &Variant, errors: &mut Errors) {
    let is_lines = matches!(variant.payload, Payload::Form(Form::Lines));
    for field in &variant.fields {
        if let Some(span) = field.as_json.filter(|_| !is_lines) {
            errors.at(
                span,
                "`json` is for a field among `key value` lines; it goes with `data = \"lines\"` on the variant",
            );
        }
        if let Some(span) = field
            .is_log_key
            .filter(|_| variant.replay != Replay::Latest)
        {
            errors.at(
                span,
                "`key` tells apart what `replay = \"latest\"` keeps; add that to the variant",
            );
        }
        let word = match variant.payload {
            Payload::Inner => "flatten",
            Payload::Other => "other",
            Payload::Comment => "comment",
            _ => continue,
        };
        if field.role != Role::Payload {
            errors.at(
                field.span,
                format!("a `{word}` variant holds one value and has no fields of its own"),
            );
        }
    }
    let message = match (&variant.payload, variant.fields.len()) {
        (Payload::Inner, 1) if variant.shape == Shape::Tuple => return,
        (Payload::Inner, _) => {
            "`flatten` sends the events of an inner enum, so the variant must hold exactly one value: `Chat(ChatEvent)`"
        }
        (Payload::Other, 0) => return,
        (Payload::Other, 1) if variant.shape == Shape::Tuple => return,
        (Payload::Other, _) => {
            "`other` takes any event, so the variant is a unit or holds one: `Other(RawEvent<'static>)`"
        }
        (Payload::Comment, 0 | 1) => return,
        (Payload::Comment, _) => {
            "`comment` sends one text, so the variant holds at most one value: `Heartbeat(String)`"
        }
        _ => return,
    };
    errors.at(variant.payload_span, message);
}
