//! Rules across words, fields and variants.

use std::collections::HashMap;

use super::model::{EventEnum, Form, Line, Name, Payload, Role, Variant};
use crate::errors::Errors;

/// Names with this prefix belong to the layer, which ends streams with them.
const RESERVED: &str = "sse-tower:";

/// Checks all rules.
pub(crate) fn events(events: &EventEnum, errors: &mut Errors) {
    for variant in &events.variants {
        if variant.line == Line::Name {
            name_fits_on_the_wire(&variant.name, errors);
        }
        fields_have_one_role(variant, errors);
        payload_has_its_fields(variant, errors);
    }
    names_are_unique(events, errors);
}

fn name_fits_on_the_wire(name: &Name, errors: &mut Errors) {
    let wire = &name.wire;
    if wire.is_empty() {
        errors.at(
            name.span,
            "an event name cannot be empty: to a client that is the name `message`\n\
             help: to send no `event:` line use `#[sse(unnamed)]`",
        );
    } else if wire.contains(['\r', '\n']) {
        errors.at(
            name.span,
            "an event name cannot contain a line break: it would end the `event:` line on the wire",
        );
    } else if wire.starts_with(RESERVED) {
        errors.at(
            name.span,
            format!(
                "the prefix `{RESERVED}` is reserved for the layer, which ends streams with it"
            ),
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
    }
}

fn names_are_unique(events: &EventEnum, errors: &mut Errors) {
    let mut seen = HashMap::new();
    for variant in events
        .variants
        .iter()
        .filter(|variant| variant.line == Line::Name)
    {
        let wire = &variant.name.wire;
        if let Some(first) = seen.insert(wire, &variant.ident) {
            errors.at(
                variant.name.span,
                format!(
                    "two variants are both named `{wire}` on the wire; give one of them another name with \
                     `#[sse(rename = \"…\")]`\n\
                     note: the other one is `{first}`"
                ),
            );
        }
    }
}

fn fields_have_one_role(variant: &Variant, errors: &mut Errors) {
    for (role, word) in [(Role::Id, "id"), (Role::Retry, "retry")] {
        for second in variant
            .fields
            .iter()
            .filter(|field| field.role == role)
            .skip(1)
        {
            errors.at(
                second.span,
                format!("an event has at most one `{word}`, but this variant marks two fields with `#[sse({word})]`"),
            );
        }
    }
}

fn payload_has_its_fields(variant: &Variant, errors: &mut Errors) {
    let name = &variant.ident;
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
            "`data = \"text\"` sends one field, but `{name}` has {count}; use `data = \"json\"`"
        ),
        Payload::Form(Form::Empty) if fields > 0 => format!(
            "`data = \"empty\"` sends nothing, but `{name}` has {count}; use `data = \"json\"`"
        ),
        Payload::Literal(_) if fields > 0 => format!(
            "`literal` is the whole payload, but `{name}` has {count}; make it a unit variant"
        ),
        _ => return,
    };
    errors.at(variant.payload_span, message);
}
