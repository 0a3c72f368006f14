//! `#[derive(SseEvent)]` and `#[derive(FromSseEvent)]`.

mod attr;
mod bounds;
mod case;
mod check;
mod expand;
mod fallback;
mod model;
mod types;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Path};

use crate::errors::Errors;
use model::EventEnum;

pub(crate) use model::Side;

/// Expands the derive; `root` is the crate to name unless the enum says otherwise.
pub(crate) fn derive(input: &DeriveInput, side: Side, root: Path) -> TokenStream {
    let mut errors = Errors::default();
    let events = EventEnum::from_syn(input, side, root.clone(), &mut errors);
    if let Some(events) = &events {
        check::events(events, &mut errors);
    }
    match (events, errors.finish()) {
        (Some(events), Ok(())) => expand::events(&events),
        (events, Err(error)) => {
            let root = events.map_or(root, |events| events.root);
            fallback::events(input, side, &root, &error)
        }
        // Whatever is no enum was reported.
        (None, Ok(())) => TokenStream::new(),
    }
}
