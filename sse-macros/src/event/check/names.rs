//! Rules for the names of events.

use std::collections::HashMap;

use proc_macro2::Span;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::errors::Errors;
use crate::event::model::{EventEnum, Line, Payload, Variant};

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
        errors.at(
            name.span,
            "an event name cannot be empty: to a client that is the name `message`\n\
             help: to send no `event:` line use `#[sse(unnamed)]`",
        );
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

fn is_broken(prefix: &LitStr) -> bool {
    let prefix = prefix.value();
    prefix.contains(['\r', '\n']) || prefix.starts_with(RESERVED)
}

fn broken(name: &str, span: Span, errors: &mut Errors) {
    if name.contains(['\r', '\n']) {
        errors.at(
            span,
            "an event name cannot contain a line break: it would end the `event:` line on the wire",
        );
    } else if name.starts_with(RESERVED) {
        errors.at(
            span,
            format!(
                "the prefix `{RESERVED}` is reserved for the layer, which ends streams with it"
            ),
        );
    }
}

pub(super) fn are_unique(events: &EventEnum, errors: &mut Errors) {
    let mut seen = HashMap::new();
    for variant in &events.variants {
        if variant.line != Line::Name && events.tag(variant).is_none() {
            continue;
        }
        let name = (variant.name.wire.clone(), variant.name.span);
        let aliases = variant.aliases.iter();
        let aliases = aliases.map(|alias| (alias.value(), alias.span()));
        for (wire, span) in [name].into_iter().chain(aliases) {
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

pub(super) fn one_is_other(events: &EventEnum, errors: &mut Errors) {
    let is_other = |variant: &&Variant| matches!(variant.payload, Payload::Other);
    for second in events.variants.iter().filter(is_other).skip(1) {
        errors.at(
            second.payload_span,
            "one variant takes every unknown event, so a second `other` would never be read",
        );
    }
}
