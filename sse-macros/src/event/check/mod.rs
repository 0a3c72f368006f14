//! Rules across words, fields and variants.

mod names;
mod payload;
mod words;

use super::model::{EventEnum, Payload};
use crate::errors::Errors;

/// Checks all rules.
pub(crate) fn events(events: &EventEnum, errors: &mut Errors) {
    names::prefix_fits_on_the_wire(events, errors);
    for variant in &events.variants {
        if matches!(variant.payload, Payload::Skip) {
            words::fit_together(variant, errors);
            continue;
        }
        names::name_fits_on_the_wire(events, variant, errors);
        names::aliases_fit_on_the_wire(variant, errors);
        names::tags_are_there(events, variant, errors);
        words::fit_together(variant, errors);
        words::roles_are_given_once(variant, errors);
        words::words_have_an_effect(events, variant, errors);
        words::holds_another_event(events, variant, errors);
        words::fields_have_a_use(variant, errors);
        payload::has_its_fields(variant, errors);
        payload::lines_have_keys(variant, errors);
        payload::only_keys_are_left_out_or_merged(variant, errors);
        payload::has_a_place_for_the_tag(events, variant, errors);
        payload::can_be_read(events, variant, errors);
    }
    names::are_unique(events, errors);
    names::leave_events_without_one(events, errors);
    names::constants_are_unique(events, errors);
    names::one_is_other(events, errors);
}
