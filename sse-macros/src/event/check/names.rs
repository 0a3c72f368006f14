//! Rules for the names of events.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::errors::Errors;
use crate::event::model::{EventEnum, Line, Payload, Side, Variant};

/// Names with this prefix belong to the layer, which ends streams with them.
const RESERVED: &str = "sse-tower:";

pub(super) fn prefix_fits_on_the_wire(events: &EventEnum, errors: &mut Errors) {
    if let Some(prefix) = events.prefix.as_ref().filter(|prefix| is_broken(prefix)) {
        broken(&prefix.value(), prefix.span(), errors);
    }
}

pub(super) fn name_fits_on_the_wire(events: &EventEnum, variant: &Variant, errors: &mut Errors) {
    let name = &variant.name;
    let from_broken_prefix = !name.explicit && events.prefix.as_ref().is_some_and(is_broken);
    if variant.line != Line::Name || from_broken_prefix {
        return;
    }
    let wire = &name.wire;
    if wire.is_empty() {
        empty(name.span, errors);
    } else if !name.explicit && ["error", "open"].contains(&wire.as_str()) {
        errors.at(
            name.span,
            format!(
                "`EventSource` fires its own `{wire}` event, so listeners for this one would also run on \
                 connection changes\n\
                 help: choose another name\n\
                 help: or keep it on purpose: `#[sse(rename = \"{wire}\")]`"
            ),
        );
    } else {
        broken(wire, name.span, errors);
    }
}

/// An alias is only read, but a name that no event can have is read never.
pub(super) fn aliases_fit_on_the_wire(variant: &Variant, errors: &mut Errors) {
    if variant.line != Line::Name {
        return;
    }
    for alias in &variant.aliases {
        let name = alias.value();
        if name.is_empty() {
            empty(alias.span(), errors);
        } else {
            broken(&name, alias.span(), errors);
        }
    }
}

/// Without an `event:` line the tag alone is the name, and one that is missing is none.
pub(super) fn tags_are_there(events: &EventEnum, variant: &Variant, errors: &mut Errors) {
    if variant.line == Line::Name {
        return;
    }
    let names = names(events, variant).into_iter();
    for (_, span) in names.filter(|(wire, _)| wire.is_empty()) {
        errors.at(
            span,
            "the value of a tag cannot be empty: an event without one would be read as this variant",
        );
    }
}

fn is_broken(prefix: &LitStr) -> bool {
    let prefix = prefix.value();
    has_line_break(&prefix) || prefix.starts_with(RESERVED)
}

pub(super) fn has_line_break(name: &str) -> bool {
    name.contains(['\r', '\n'])
}

fn empty(span: Span, errors: &mut Errors) {
    errors.at(
        span,
        "an event name cannot be empty: to a client that is the name `message`\n\
         help: to send no `event:` line use `#[sse(unnamed)]`",
    );
}

fn line_break(span: Span, errors: &mut Errors) {
    errors.at(
        span,
        "an event name cannot contain a line break: it would end the `event:` line on the wire",
    );
}

fn broken(name: &str, span: Span, errors: &mut Errors) {
    if has_line_break(name) {
        line_break(span, errors);
    } else if name.starts_with(RESERVED) {
        errors.at(
            span,
            format!(
                "the prefix `{RESERVED}` is reserved for the layer, which ends streams with it"
            ),
        );
    }
}

/// What is told apart by its payload alone has no other variant before it.
pub(super) fn leave_events_without_one(events: &EventEnum, errors: &mut Errors) {
    if events.side == Side::Write {
        return;
    }
    let never_read = events.variants.iter().find(|variant| {
        variant.line == Line::None
            && !variant.payload.is_special()
            && variant.constant().is_none()
            && events.tag(variant).is_none()
    });
    let Some(never_read) = never_read else {
        return;
    };
    for variant in &events.variants {
        if variant.line != Line::Name {
            continue;
        }
        let mut names = names(events, variant).into_iter();
        if let Some((_, span)) = names.find(|(wire, _)| wire == "message") {
            let (first, unnamed) = (variant.ident.unraw(), never_read.ident.unraw());
            errors.at(
                span,
                format!(
                    "an event without a name is a `message`, so `{first}` would take it first; `{unnamed}` \
                     would never be read\n\
                     help: give `{first}` another name, or none either: `#[sse(unnamed)]` variants are told \
                     apart by their payload"
                ),
            );
        }
    }
}

pub(super) fn are_unique(events: &EventEnum, errors: &mut Errors) {
    let mut seen = HashMap::new();
    for variant in &events.variants {
        for (wire, span) in names(events, variant) {
            let first = seen.entry(wire.clone()).or_insert(&variant.ident);
            // An alias for the variant's own name is needless, but no mistake.
            if *first != &variant.ident {
                errors.at(
                    span,
                    format!(
                        "two variants are both named `{wire}` on the wire; give one of them another name with \
                         `#[sse(rename = \"…\")]`\n\
                         note: the other one is `{}`",
                        first.unraw()
                    ),
                );
            }
        }
    }
}

/// The name and the aliases, if they tell the variant apart.
fn names(events: &EventEnum, variant: &Variant) -> Vec<(String, Span)> {
    if variant.line != Line::Name && events.tag(variant).is_none() {
        return Vec::new();
    }
    let name = (variant.name.wire.clone(), variant.name.span);
    let aliases = variant.aliases.iter();
    let aliases = aliases.map(|alias| (alias.value(), alias.span()));
    [name].into_iter().chain(aliases).collect()
}

/// Events without a name whose payload never varies differ in that payload.
pub(super) fn constants_are_unique(events: &EventEnum, errors: &mut Errors) {
    if events.side == Side::Write {
        return;
    }
    let mut seen = HashMap::new();
    for variant in &events.variants {
        let unnamed = variant.line == Line::None;
        let Some(text) = variant.constant().filter(|_| unnamed) else {
            continue;
        };
        let what = match text.as_str() {
            "" => String::from("are both empty"),
            text => format!("both send {text:?}"),
        };
        if let Some(first) = seen.insert(text, &variant.ident) {
            errors.at(
                variant.payload_span,
                format!(
                    "two variants without a name {what}, so the second would never be read\n\
                     note: the other one is `{}`",
                    first.unraw()
                ),
            );
        }
    }
}

pub(super) fn one_is_other(events: &EventEnum, errors: &mut Errors) {
    let is_other = |variant: &&Variant| matches!(variant.payload, Payload::Other);
    for second in events.variants.iter().filter(is_other).skip(1) {
        errors.at(
            second.payload_span,
            "one variant takes every unknown event, so a second `other` would never be read",
        );
    }
}
